package extracttest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Kind says what a block is.
type Kind int

// The kinds of blocks.
const (
	Paragraph Kind = iota
	Heading
	List
	Table
)

// Block is one part of a document.
type Block struct {
	Kind  Kind
	Level int        // of a heading
	Text  string     // of a heading or paragraph
	Items []string   // of a list
	Rows  [][]string // of a table; the first is the header
}

// Words returns the words of a block in the order of reading.
func (b Block) Words() []string {
	parts := append([]string{b.Text}, b.Items...)
	for _, r := range b.Rows {
		parts = append(parts, r...)
	}
	return strings.Fields(strings.Join(parts, " "))
}

// Words returns the words of blocks in the order of reading.
func Words(blocks []Block) (out []string) {
	for _, b := range blocks {
		out = append(out, b.Words()...)
	}
	return out
}

// vocabulary is what random text is made of, by language.
var vocabulary = map[string]string{
	"en": "the office opens at nine every worker may take leave after six months when a manager agrees to it in writing and keeps record of equipment travel budget security printer contract policy review salary training remote access holiday insurance report",
	"de": "die Größe der Übergabe wird jährlich geprüft und für alle Beschäftigten über das Büro veröffentlicht während Verträge Anträge Schlüssel Räume Geräte sowie Maßnahmen gemäß Prüfung größer außerhalb möglich",
	"fr": "le règlement précise que chaque employé reçoit après un délai été déjà où élève façon très âgé maître forêt naïf congé payé société sécurité matériel",
	"ru": "каждый сотрудник может получить отпуск после шести месяцев работы если руководитель согласен письменно договор оборудование доступ отчёт бюджет",
	"el": "κάθε εργαζόμενος μπορεί να λάβει άδεια μετά από έξι μήνες όταν συμφωνεί γραπτώς συμβόλαιο εξοπλισμός πρόσβαση αναφορά",
	"zh": "每位 员工 工作 六个月 之后 可以 申请 假期 经理 需要 书面 同意 合同 设备 访问 报告 预算 安全 培训",
	"ja": "従業員 は 六か月 後 に 休暇 を 申請 できます 上司 の 書面 による 承認 契約 機器 報告 予算 安全",
}

// Languages are those that random text can be in.
func Languages() []string { return []string{"en", "de", "fr", "ru", "el", "zh", "ja"} }

// Random makes documents; equal seeds make equal ones.
type Random struct {
	*rand.Rand
	words []string
}

// NewRandom returns a source of documents in a language.
func NewRandom(seed uint64, language string) *Random {
	return &Random{rand.New(rand.NewPCG(seed, 7)), strings.Fields(vocabulary[language])}
}

// Text returns n words, the first with a number so that texts differ.
func (r *Random) Text(n int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = r.words[r.IntN(len(r.words))]
	}
	out[0] = fmt.Sprintf("%s%d", out[0], r.IntN(10_000))
	return strings.Join(out, " ")
}

// Blocks returns the blocks of a document with sections, lists and tables.
func (r *Random) Blocks(sections int) (out []Block) {
	for range sections {
		out = append(out, Block{Kind: Heading, Level: 1 + r.IntN(3), Text: r.Text(3)})
		for range 1 + r.IntN(3) {
			out = append(out, Block{Text: r.Text(10 + r.IntN(40))})
		}
		switch r.IntN(3) {
		case 0:
			out = append(out, Block{Kind: List, Items: []string{r.Text(4), r.Text(5), r.Text(3)}})
		case 1:
			out = append(out, r.Table(3, 4))
		}
	}
	return out
}

// Table returns a table of short cells.
func (r *Random) Table(columns, rows int) Block {
	b := Block{Kind: Table}
	for range rows + 1 {
		row := make([]string, columns)
		for c := range row {
			row[c] = r.Text(1 + r.IntN(2))
		}
		b.Rows = append(b.Rows, row)
	}
	return b
}
