package analyze_test

import (
	"strings"
	"testing"

	"ken/index/analyze"
)

const prose = "Employees who have completed six months of service may take parental leave of up to 16 weeks; " +
	"the request (form HR-12) reaches people@example.com at least 30 days before it begins. Managers don't refuse " +
	"a request, they may only agree on different dates. Since v2.3.1 the tool leave_planner shows the remaining days. "

func BenchmarkTerms(b *testing.B) {
	for _, c := range []struct{ lang, text string }{
		{"en", prose},
		{"de", "Beschäftigte mit mehr als sechs Monaten Betriebszugehörigkeit können Elternzeit von bis zu 16 Wochen nehmen; der Antrag geht spätestens 30 Tage vorher ein. "},
		{"zh", "入职满六个月的员工可以申请最长十六周的育儿假，申请应至少提前三十天提交给人力资源部。"},
		{"th", "พนักงานที่ทำงานครบหกเดือนสามารถลาเลี้ยงดูบุตรได้สูงสุดสิบหกสัปดาห์ "},
		{"und", prose},
	} {
		text := strings.Repeat(c.text, 4)
		b.Run(c.lang, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				analyze.Terms(c.lang, text)
			}
		})
	}
}

func BenchmarkTokens(b *testing.B) {
	text := strings.Repeat(prose, 4)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		analyze.Tokens("en", text)
	}
}

func BenchmarkFind(b *testing.B) {
	text := strings.Repeat(prose, 4)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		analyze.Find("en", text, []string{"leav", "parent", "request", "week"})
	}
}

func BenchmarkGrams(b *testing.B) {
	text := strings.Repeat(prose, 4)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		analyze.Grams(text)
	}
}

func BenchmarkDetect(b *testing.B) {
	text := strings.Repeat(prose, 4)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		analyze.Detect(text)
	}
}

func BenchmarkQuery(b *testing.B) {
	langs := []string{"de", "en", "ja", "und", "zh"}
	for b.Loop() {
		analyze.Query("how much parental leave do I get after six months", langs)
	}
}
