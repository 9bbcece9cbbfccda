package extract_test

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"ken/corpora/extract"
	"ken/corpora/extract/extracttest"
	"ken/index"
	"ken/index/chunk"
)

// sample is a document of the corpus and what should be read of it.
type sample struct {
	format string // row of the table of accuracies
	name   string
	data   []byte
	words  []string // in the order of reading
	facts  []fact
}

// fact is a text that must be in one chunk, with what tells where it stands.
type fact struct{ text, heading, context string }

// corpus makes the documents, the same each time.
func corpus() (out []sample) {
	for seed := range uint64(3) {
		for _, language := range extracttest.Languages() {
			out = append(out, generated(language, seed)...)
		}
	}
	return out
}

func generated(language string, seed uint64) []sample {
	r := extracttest.NewRandom(seed*100+uint64(len(language))+uint64(language[0]), language)
	blocks := r.Blocks(4)
	table := r.Table(4, 30)
	words := extracttest.Words(blocks)
	name := fmt.Sprintf("%s%d", language, seed)
	wide := !slices.Contains([]string{"en", "de", "fr"}, language)
	turn := 0
	if !wide { // PDFium drops lines of turned text in fonts that the file does not hold
		turn = int(seed+uint64(language[1])) % 4 * 90
	}
	heading := ""
	for _, b := range blocks {
		if b.Kind == extracttest.Heading {
			heading = b.Text
		}
	}
	last := fact{text: lastWords(words), heading: heading}
	flat := []extracttest.Block{{Kind: extracttest.Heading, Level: 1, Text: r.Text(3)}, {Text: r.Text(120)}, {Text: r.Text(120)}, {Text: r.Text(150)}}
	lined := append([]extracttest.Block{{Text: r.Text(60)}}, r.Table(3, 8), extracttest.Block{Text: r.Text(60)})
	cell := fact{text: table.Rows[30][2], context: table.Rows[0][2]}
	all := []sample{
		{"DOCX", name + ".docx", extracttest.Docx(blocks), words, []fact{last}},
		{"PPTX", name + ".pptx", extracttest.Pptx(blocks), words, []fact{last}},
		{"XLSX", name + ".xlsx", extracttest.Xlsx(extracttest.Sheet{Name: "Data", Rows: table.Rows}), table.Words(), []fact{{cell.text, "Data", cell.context}}},
		{"CSV", name + ".csv", writeCSV(table.Rows), table.Words(), []fact{cell}},
		{"JSON", name + ".json", writeJSON(table.Rows), table.Words(), []fact{cell}},
		{"mail", name + ".eml", writeMail(blocks), words, []fact{{text: last.text}}},
		{"ZIP", name + ".zip", extracttest.Zip(extracttest.File{Name: "a/" + name + ".txt", Data: plain(blocks)}), words, []fact{{text: last.text, heading: "a/" + name + ".txt"}}},
		{"TAR", name + ".tar.gz", writeTar(name+".txt", plain(blocks)), words, []fact{{text: last.text, heading: name + ".txt"}}},
		{"text", name + ".rst", []byte(plain(blocks)), words, []fact{{text: last.text}}},
		{"PDF, one column", name + "-1.pdf", extracttest.PDF(flat, extracttest.Layout{Wide: wide}), extracttest.Words(flat), []fact{{text: lastWords(extracttest.Words(flat)), heading: "Page 1"}}},
		{"PDF, two columns", name + "-2.pdf", extracttest.PDF(flat, extracttest.Layout{Wide: wide, Columns: 2, Justify: seed == 1}), extracttest.Words(flat), nil},
		{"PDF, three columns, drawn in any order", name + "-3.pdf", extracttest.PDF(flat, extracttest.Layout{Wide: wide, Columns: 3, Shuffle: seed + 1}), extracttest.Words(flat), nil},
		{"PDF, table", name + "-4.pdf", extracttest.PDF(lined, extracttest.Layout{Wide: wide, Rotate: turn}), extracttest.Words(lined), []fact{{text: lined[1].Rows[3][1]}}},
	}
	return all
}

func lastWords(words []string) string { return strings.Join(words[len(words)-2:], " ") }

func plain(blocks []extracttest.Block) string {
	var b strings.Builder
	for _, x := range blocks {
		b.WriteString(strings.Join(x.Words(), " ") + "\n\n")
	}
	return b.String()
}

func writeCSV(rows [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = ';'
	_ = w.WriteAll(rows) // a buffer does not fail
	return b.Bytes()
}

func writeJSON(rows [][]string) []byte {
	var b bytes.Buffer
	b.WriteString("[")
	for i, row := range rows[1:] {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("{")
		for c, cell := range row {
			key, _ := json.Marshal(rows[0][c])
			value, _ := json.Marshal(cell)
			fmt.Fprintf(&b, "%s%s:%s", strings.Repeat(",", min(c, 1)), key, value)
		}
		b.WriteString("}")
	}
	b.WriteString("]")
	return b.Bytes()
}

// writeMail puts the first half into the message and the rest into a Word
// document that is attached.
func writeMail(blocks []extracttest.Block) []byte {
	half := len(blocks) / 2
	return extracttest.Mail("", plain(blocks[:half]), extracttest.File{Name: "rest.docx", Data: string(extracttest.Docx(blocks[half:]))})
}

func writeTar(name, text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	_ = w.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Mode: 0o644, Format: tar.FormatPAX})
	_, _ = w.Write([]byte(text)) // a buffer does not fail
	_ = w.Close()
	_ = z.Close()
	return b.Bytes()
}

// tokens are the words of a text, and the characters of scripts without spaces.
func tokens(text string) (out []string) {
	for _, word := range strings.Fields(text) {
		run := ""
		for _, r := range word {
			if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) {
				if run != "" {
					out = append(out, run)
				}
				out, run = append(out, string(r)), ""
				continue
			}
			if unicode.IsLetter(r) || unicode.IsNumber(r) {
				run += string(r)
			}
		}
		if run != "" {
			out = append(out, run)
		}
	}
	return out
}

// inOrder is how many of the words the text has in their order: the length of
// the longest common subsequence.
func inOrder(want, got []string) int {
	row := make([]int, len(got)+1)
	for _, w := range want {
		diagonal := 0
		for j, g := range got {
			above := row[j+1]
			if w == g {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(got)]
}

// floors are the shares of words that must be read in the right order.
var floors = map[string]float64{"PDF, table": .98, "PDF, one column": .98, "PDF, two columns": .98, "PDF, three columns, drawn in any order": .98}

// shared is one Mux for the tests of the package: the PDF reader takes two
// seconds to start.
var shared = extract.New(extract.Options{Cache: cacheDir()})

func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "ken", "pdf")
}

// TestAccuracy reads the corpus, compares the words with those that were written
// and the chunks' places with those in the golden file, and prints the table that
// the documentation holds.
func TestAccuracy(t *testing.T) {
	if testing.Short() {
		t.Skip("slow under the race detector, and a test of one goroutine: make test runs it")
	}
	type score struct{ files, words, right int }
	scores := map[string]score{}
	var lines []string
	all := corpus()
	for _, s := range all {
		kind := extract.MediaType(s.name, s.data)
		text, err := shared.Extract(t.Context(), extract.Input{Path: s.name, MediaType: kind, Data: s.data})
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		want := tokens(strings.Join(s.words, " "))
		right := inOrder(want, tokens(index.BodyText(index.Chunk{Text: text.Body})))
		x := scores[s.format]
		scores[s.format] = score{x.files + 1, x.words + len(want), x.right + right}
		if share := float64(right) / float64(len(want)); share < cmp.Or(floors[s.format], 1) {
			t.Errorf("%s: %.3f of %d words in the right order:\n%s", s.name, share, len(want), text.Body)
		}
		chunks := chunk.Split(text.Body, text.MediaType, chunk.Options{})
		for _, f := range s.facts {
			if !stands(chunks, f) {
				t.Errorf("%s: no chunk has %q under %q with %q:\n%s", s.name, f.text, f.heading, f.context, text.Body)
			}
		}
		lines = append(lines, fmt.Sprintf("%s | %s | %s | %d/%d | %x | %s", s.name, kind, text.Title, right, len(want), sha256.Sum256([]byte(text.Body)), spans(chunks)))
	}
	if len(all) < 200 {
		t.Errorf("the corpus has %d files, want 200 or more", len(all))
	}
	t.Logf("| format | files | words | in the right order |")
	for _, f := range slices.Sorted(maps(scores)) {
		x := scores[f]
		t.Logf("| %s | %d | %d | %.4f |", f, x.files, x.words, float64(x.right)/float64(x.words))
	}
	compareGolden(t, "testdata/corpus.golden", strings.Join(lines, "\n")+"\n")
}

func maps[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func stands(chunks []index.Chunk, f fact) bool {
	return slices.ContainsFunc(chunks, func(c index.Chunk) bool {
		return strings.Contains(strings.Join(tokens(c.Text), " "), strings.Join(tokens(f.text), " ")) &&
			(f.heading == "" || strings.Contains(strings.Join(c.Heading, " > ")+c.Text, f.heading)) &&
			strings.Contains(c.Context+c.Text, f.context)
	})
}

func spans(chunks []index.Chunk) string {
	var b strings.Builder
	for _, c := range chunks {
		fmt.Fprintf(&b, "%d-%d ", c.Span.Start, c.Span.End)
	}
	return strings.TrimSpace(b.String())
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs from what is read now: look at the diff of -update", file)
	}
}
