package analyze_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"ken/index"
	"ken/index/analyze"
)

func TestTerms(t *testing.T) {
	for _, c := range []struct{ lang, text, want string }{
		{"en", "The managers' meetings don't repeat the team's running plans", "manag meet repeat team run plan"},
		{"en", "Café naïve CAFÉ ﬁle ＡＢＣ", "cafe naiv cafe file abc"},
		{"en", "state-of-the-art e-mail", "state art e email mail"},
		{"en", "kubectl user_id v1.2.3 ann@example.com", "kubectl user_id user id v1.2.3 1.2.3 v1 ann@example.com ann exampl com"},
		{"en", "C++ and C#, the U.S. and e.g. IL-6", "c++ c# us eg il 6"},
		{"en", "1,000,000 3.5 1.2.3 12,50 ٤٢", "1000000 3.5 1.2.3 12.50 42"},
		{"de", "Die Beschäftigten müssen 1.000,50 € oder 3,5 Prozent für Straßen zahlen", "beschaftigt muss 1000.50 3.5 prozent strass zahl"},
		{"de", "1.000 Kilometer", "1000 kilomet"},
		{"fr", "L'équipe d’aujourd'hui a reçu les congés", "equip aujourdhui a recu cong"},
		{"tr", "Ankara'da IŞIK ışık", "ankar işik işik"},
		{"ru", "Сотрудники получают отпуск в Python", "сотрудник получа отпуск python"},
		{"en", "E‑Mail X-rays t-", "e email mail x xray ray t"},
		{"de", "Größe Groesse Fußgänger Fussgaenger neue Quelle", "gross gross fussgang fussgang neu quell"},
		{"ru", "Ёлка елка", "елк елк"},
		{"el", "ΟΔΟΣ οδός", "οδοσ οδοσ"},
		{"zh", "育儿假 is 休", "育儿 儿假 is 休"},
		{"zh", "使用kubectl命令308分", "使用 kubectl 命令 308 分"},
		{"ja", "ｶﾀｶﾅ有給休暇ページ", "カタ タカ カナ ナ有 有給 給休 休暇 暇ペ ペー ージ"},
		{"ko", "연차휴가", "연차 차휴 휴가"},
		{"th", "ที่น้ำ", "ที่น้ํ น้ํา"},
		{"und", "The naïve Łódź", "the naive lodz"},
		{"sw", "The naïve", "the naive"},
		{"en-GB", "running", "run"},
		{"en", "a\x00b\xffc soft\u00adhyphen", "b c softhyphen"},
		{"en", "...,,, '' -- __", ""},
		{"en", "", ""},
	} {
		got := strings.Join(analyze.Terms(c.lang, c.text), " ")
		if got != c.want {
			t.Errorf("Terms(%q, %q)\n got %q\nwant %q", c.lang, c.text, got, c.want)
		}
	}
}

func TestQueryGivesOneTermPerWord(t *testing.T) {
	got := analyze.Query("the Kinder laufen, laufen", []string{"de", "en"})
	want := []index.Term{
		{Forms: []index.Form{{Language: "de", Text: "the"}}, Weight: 1},
		{Forms: []index.Form{{Language: "de", Text: "kind"}, {Language: "en", Text: "kinder"}}, Weight: 1},
		{Forms: []index.Form{{Language: "de", Text: "lauf"}, {Language: "en", Text: "laufen"}}, Weight: 2},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("Query = %v\nwant    %v", got, want)
	}
	if got := analyze.Query("the of and", []string{"en"}); len(got) != 0 {
		t.Errorf("stop words gave %v", got)
	}
	if got := analyze.Query("leave", nil); len(got) != 0 {
		t.Errorf("no language gave %v", got)
	}
}

// A query finds what it says: the forms of a text's words are its terms.
func TestQueryAndTermsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`([a-zA-Zäßé0-9.,'_@漢仮ท้-]{1,8} ?){0,9}`)).Draw(t, "text")
		lang := rapid.SampledFrom(append(analyze.Languages(), analyze.Und)).Draw(t, "lang")
		weight := map[string]float64{}
		for _, term := range analyze.Terms(lang, text) {
			if term == "" || !utf8.ValidString(term) || len(term) > 3*analyze.MaxTerm {
				t.Fatalf("term %q", term)
			}
			weight[term]++
		}
		for _, q := range analyze.Query(text, []string{lang}) {
			if got := weight[q.Forms[0].Text]; got != q.Weight {
				t.Fatalf("%q: weight %v in the query, %v in the text", q.Forms[0].Text, q.Weight, got)
			}
			delete(weight, q.Forms[0].Text)
		}
		if len(weight) > 0 {
			t.Fatalf("terms that the query lacks: %v", weight)
		}
	})
}

// What was analysed before, or is analysed beside, changes nothing.
func TestTermsArePure(t *testing.T) {
	texts := []string{prose, strings.ToUpper(prose), "Die Beschäftigten", "有給休暇のページ"}
	langs := []string{"en", "de", "ja", "und"}
	want := map[string][]string{}
	for _, l := range langs {
		for _, x := range texts {
			want[l+x] = analyze.Terms(l, x)
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				for _, l := range langs {
					for _, x := range texts {
						if !slices.Equal(analyze.Terms(l, x), want[l+x]) {
							t.Errorf("Terms(%q, %q) changed", l, x)
						}
					}
				}
			}
		})
	}
	wg.Wait()
}

// Text of one endless word costs linear time and gives bounded terms.
func TestLongWords(t *testing.T) {
	const n = 1 << 17
	for name, text := range map[string]string{
		"letters": strings.Repeat("a", n),
		"joined":  strings.Repeat("a.", n),
		"digits":  strings.Repeat("1,", n),
		"quotes":  strings.Repeat("a'", n),
		"marks":   "ก" + strings.Repeat("้", n/3),
		"accents": "a" + strings.Repeat("\u0301", n/2),
		"han":     strings.Repeat("漢", n/3),
		"under":   strings.Repeat("_", n),
		"invalid": strings.Repeat("\xf0\x9f", n/2),
	} {
		for _, lang := range []string{"en", "de", "fr", "tr", "pl", "hi"} {
			for _, term := range analyze.Terms(lang, text) {
				if len(term) > 3*analyze.MaxTerm {
					t.Fatalf("%s, %s: a term of %d bytes", name, lang, len(term))
				}
			}
		}
		analyze.Grams(text)
		analyze.Detect(text)
	}
}

func TestDetect(t *testing.T) {
	for _, c := range []struct{ want, text string }{
		{"en", "How much parental leave do I get?"},
		{"de", "Wie viel Elternzeit bekomme ich nach der Probezeit?"},
		{"fr", "Combien de jours de congé est-ce que je peux prendre dans une année ?"},
		{"es", "¿Cuántos días de vacaciones tengo al año y cómo los pido?"},
		{"it", "Quanti giorni di ferie ho e come li chiedo alla mia azienda?"},
		{"pt", "Quantos dias de férias eu tenho e como é que os peço?"},
		{"nl", "Hoeveel vakantiedagen heb ik en hoe vraag ik die aan?"},
		{"ru", "Сколько дней отпуска мне положено и как их получить?"},
		{"uk", "Скільки днів відпустки мені належить і як їх отримати?"},
		{"pl", "Ile dni urlopu mi przysługuje i jak się o nie ubiegać?"},
		{"tr", "Yıllık izin hakkım kaç gün ve bunu nasıl alabilirim?"},
		{"vi", "Tôi được nghỉ phép bao nhiêu ngày một năm?"},
		{"ar", "كم عدد أيام الإجازة التي أحصل عليها في السنة؟"},
		{"el", "Πόσες ημέρες άδειας έχω;"},
		{"he", "כמה ימי חופשה יש לי?"},
		{"hi", "मुझे साल में कितनी छुट्टी मिलती है और मैं यह कैसे लूँ?"},
		{"ja", "有給休暇は何日ありますか。"},
		{"ja", "東京オフィスの案内"},
		{"zh", "我有多少天年假？"},
		{"zh", "请使用 kubectl get pods --namespace production 命令查看状态"},
		{"ko", "연차는 며칠인가요?"},
		{"th", "ฉันมีวันลากี่วัน"},
		{"de", "# Zugang\n\n```go\nfor the of and in is it to be\n```\n\nDer Zugang wird von der Leitung vergeben."},
		{"en", "See https://example.de/die/der/das for the rules of the house."},
		{"und", "Белорусская ўласная"},
		{"und", "xyzzy plugh"},
		{"und", "# one"}, // a frequent word of Polish
		{"und", "no"},
		{"en", "about the same"},
		{"und", "12345 -- 678"},
		{"und", ""},
	} {
		if got := analyze.Detect(c.text); got != c.want {
			t.Errorf("Detect(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

func TestGrams(t *testing.T) {
	same := [][2]string{
		{"Leave", "leave"}, {"café", "CAFE"}, {"leave, taken", "leave taken"}, {"ﬁle", "file"},
	}
	for _, c := range same {
		if !slices.Equal(analyze.Grams(c[0]), analyze.Grams(c[1])) {
			t.Errorf("Grams(%q) and Grams(%q) differ", c[0], c[1])
		}
	}
	for text, n := range map[string]int{"leave": 4, "a": 1, "ab": 1, "leave ab a": 6, "有給休暇": 3, "": 0, " .- ": 0} {
		if got := len(analyze.Grams(text)); got != n {
			t.Errorf("Grams(%q) has %d windows, want %d", text, got, n)
		}
	}
	if slices.Equal(analyze.Grams("ab"), analyze.Grams("ba")) {
		t.Error("the order of characters is lost")
	}
}

func TestLanguages(t *testing.T) {
	got := analyze.Languages()
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) || slices.Contains(got, analyze.Und) {
		t.Errorf("Languages() = %v", got)
	}
}

func FuzzTerms(f *testing.F) {
	f.Add("en", "The team's U.S. plan, v1.2.3")
	f.Add("th", "ที่น้ำ")
	f.Add("pl", "\xff'\u0301a'")
	f.Fuzz(func(t *testing.T, lang, text string) {
		for _, term := range analyze.Terms(lang, text) {
			if term == "" || len(term) > 3*analyze.MaxTerm {
				t.Errorf("term %q", term)
			}
		}
		analyze.Query(text, []string{lang, "fr", "tr"})
		analyze.Grams(text)
		analyze.Detect(text)
	})
}

func ExampleTerms() {
	fmt.Println(analyze.Terms("en", "Managers approve parental leave."))
	fmt.Println(analyze.Terms("zh", "育儿假"))
	// Output:
	// [manag approv parent leav]
	// [育儿 儿假]
}

func ExampleQuery() {
	for _, term := range analyze.Query("running shoes", []string{"de", "en"}) {
		for _, form := range term.Forms {
			fmt.Print(form.Language, " ", form.Text, "  ")
		}
		fmt.Println(term.Weight)
	}
	// Output:
	// de running  en run  1
	// de shos  en shoe  1
}

func ExampleDetect() {
	fmt.Println(analyze.Detect("Wie viel Urlaub habe ich?"), analyze.Detect("年假有多少天"))
	// Output: de zh
}
