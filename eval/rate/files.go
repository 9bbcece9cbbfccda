package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"ken/corpora/extract/extracttest"
)

// format is one of the mix.
type format struct {
	extension string
	share     int // of a hundred documents
	write     func(*extracttest.Random) []byte
}

// formats are the mix: what a company's folder holds, more or less.
var formats = []format{
	{"md", 30, func(r *extracttest.Random) []byte { return []byte(markdown(r.Blocks(sections(r)))) }},
	{"html", 17, func(r *extracttest.Random) []byte { return []byte(html(r.Blocks(sections(r)))) }},
	{"pdf", 12, func(r *extracttest.Random) []byte {
		return extracttest.PDF(r.Blocks(sections(r)), extracttest.Layout{Columns: 1 + r.IntN(2)})
	}},
	{"docx", 12, func(r *extracttest.Random) []byte { return extracttest.Docx(r.Blocks(sections(r))) }},
	{"eml", 8, func(r *extracttest.Random) []byte { return extracttest.Mail(r.Text(6), r.Text(200+r.IntN(600))) }},
	{"txt", 6, func(r *extracttest.Random) []byte { return []byte(r.Text(500 + r.IntN(5_000))) }},
	{"xlsx", 4, func(r *extracttest.Random) []byte {
		return extracttest.Xlsx(extracttest.Sheet{Name: "Data", Rows: r.Table(6, 50+r.IntN(500)).Rows})
	}},
	{"pptx", 4, func(r *extracttest.Random) []byte { return extracttest.Pptx(r.Blocks(sections(r))) }},
	{"csv", 4, func(r *extracttest.Random) []byte { return []byte(csv(r.Table(6, 50+r.IntN(1_000)).Rows)) }},
	{"jsonl", 3, func(r *extracttest.Random) []byte { return jsonLines(r, 20+r.IntN(200)) }},
}

func sections(r *extracttest.Random) int { return 3 + r.IntN(30) }

// makeFiles writes documents until they have the size, in folders of 500.
func makeFiles(ctx context.Context, dir string, size int64) (map[string]kind, error) {
	made, total := map[string]kind{}, int64(0)
	random := rand.New(rand.NewPCG(1, 4))
	writers := map[string]*extracttest.Random{}
	for n := 0; total < size; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		language := [...]string{"en", "en", "en", "de", "fr"}[random.IntN(5)]
		if writers[language] == nil {
			writers[language] = extracttest.NewRandom(uint64(len(writers)), language)
		}
		f := choose(random.IntN(100))
		data := f.write(writers[language])
		folder := filepath.Join(dir, fmt.Sprintf("%03d", n/500))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%06d.%s", n, f.extension)), data, 0o644); err != nil {
			return nil, err
		}
		k := made[f.extension]
		made[f.extension] = kind{k.Files + 1, k.Bytes + int64(len(data))}
		total += int64(len(data))
	}
	return made, nil
}

func choose(n int) format {
	for _, f := range formats {
		if n -= f.share; n < 0 {
			return f
		}
	}
	return formats[0]
}

func markdown(blocks []extracttest.Block) string {
	var b strings.Builder
	for _, x := range blocks {
		switch x.Kind {
		case extracttest.Heading:
			fmt.Fprintf(&b, "%s %s\n\n", strings.Repeat("#", max(1, x.Level)), x.Text)
		case extracttest.Paragraph:
			b.WriteString(x.Text + "\n\n")
		case extracttest.List:
			b.WriteString("- " + strings.Join(x.Items, "\n- ") + "\n\n")
		case extracttest.Table:
			for i, row := range x.Rows {
				b.WriteString("| " + strings.Join(row, " | ") + " |\n")
				if i == 0 {
					b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
				}
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func html(blocks []extracttest.Block) string {
	var b strings.Builder
	b.WriteString("<!doctype html><html><body><nav><a href=\"/\">Home</a></nav><main>\n")
	for _, x := range blocks {
		switch x.Kind {
		case extracttest.Heading:
			fmt.Fprintf(&b, "<h%d>%s</h%[1]d>\n", max(1, x.Level), x.Text)
		case extracttest.Paragraph:
			fmt.Fprintf(&b, "<p>%s</p>\n", x.Text)
		case extracttest.List:
			fmt.Fprintf(&b, "<ul><li>%s</ul>\n", strings.Join(x.Items, "<li>"))
		case extracttest.Table:
			b.WriteString("<table>\n")
			for _, row := range x.Rows {
				fmt.Fprintf(&b, "<tr><td>%s</tr>\n", strings.Join(row, "<td>"))
			}
			b.WriteString("</table>\n")
		}
	}
	return b.String() + "</main></body></html>\n"
}

func csv(rows [][]string) string {
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(strings.Join(row, ",") + "\n")
	}
	return b.String()
}

func jsonLines(r *extracttest.Random, n int) []byte {
	var out []byte
	for i := range n {
		line, _ := json.Marshal(map[string]any{"id": i, "title": r.Text(5), "text": r.Text(40 + r.IntN(80))}) // strings and a number
		out = append(append(out, line...), '\n')
	}
	return out
}
