package extracttest

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// File is a member of a package or archive.
type File struct{ Name, Data string }

// Zip writes files in order.
func Zip(files ...File) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f.Name)
		if err == nil {
			_, err = w.Write([]byte(f.Data))
		}
		if err != nil {
			panic(err) // a buffer does not fail
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

const head = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

func relations(pairs ...string) string {
	var b strings.Builder
	b.WriteString(head + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`)
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, `<Relationship Id="rId%d" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" Target="%s"/>`, i/2+1, pairs[i], pairs[i+1])
	}
	return b.String() + `</Relationships>`
}

const contentTypes = head + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>`

// Docx writes a Word document.
func Docx(blocks []Block) []byte {
	var b strings.Builder
	for _, x := range blocks {
		switch x.Kind {
		case Heading:
			fmt.Fprintf(&b, `<w:p><w:pPr><w:pStyle w:val="H%d"/></w:pPr>%s</w:p>`, x.Level, runs(x.Text))
		case List:
			for _, item := range x.Items {
				b.WriteString(`<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>` + runs(item) + `</w:p>`)
			}
		case Table:
			b.WriteString(`<w:tbl><w:tblPr/>`)
			for _, row := range x.Rows {
				b.WriteString(`<w:tr>`)
				for _, cell := range row {
					b.WriteString(`<w:tc><w:p>` + runs(cell) + `</w:p></w:tc>`)
				}
				b.WriteString(`</w:tr>`)
			}
			b.WriteString(`</w:tbl>`)
		default:
			b.WriteString(`<w:p>` + runs(x.Text) + `</w:p>`)
		}
	}
	return DocxBody(b.String())
}

// runs splits a text into runs in the middle of a word, as programs do that note
// who wrote what when.
func runs(text string) string {
	r := []rune(text)
	half := len(r) / 2
	return `<w:r><w:t xml:space="preserve">` + escape(string(r[:half])) + `</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">` + escape(string(r[half:])) + `</w:t></w:r>`
}

// DocxBody writes a Word document with this body.
func DocxBody(body string) []byte {
	styles := head + `<w:styles xmlns:w="w">`
	for n := 1; n <= 3; n++ {
		styles += fmt.Sprintf(`<w:style w:styleId="H%d"><w:name w:val="heading %d"/></w:style>`, n, n)
	}
	return Zip(
		File{"[Content_Types].xml", contentTypes},
		File{"_rels/.rels", relations("officeDocument", "word/document.xml")},
		File{"word/document.xml", head + `<w:document xmlns:w="w"><w:body>` + body + `</w:body></w:document>`},
		File{"word/styles.xml", styles + `</w:styles>`},
	)
}

// Pptx writes a presentation: a slide per heading.
func Pptx(blocks []Block) []byte {
	var slides []string
	for _, b := range blocks {
		if b.Kind == Heading || len(slides) == 0 {
			slides = append(slides, "")
		}
		slides[len(slides)-1] += shape(b)
	}
	list, links := "", []string{}
	files := []File{{"[Content_Types].xml", contentTypes}, {"_rels/.rels", relations("officeDocument", "ppt/presentation.xml")}}
	for i, s := range slides {
		list += fmt.Sprintf(`<p:sldId id="%d" r:id="rId%d"/>`, 256+i, i+1)
		links = append(links, "slide", fmt.Sprintf("slides/slide%d.xml", i+1))
		files = append(files, File{fmt.Sprintf("ppt/slides/slide%d.xml", i+1), head + `<p:sld xmlns:p="p" xmlns:a="a"><p:cSld><p:spTree>` + s + `</p:spTree></p:cSld></p:sld>`})
	}
	return Zip(append(files,
		File{"ppt/presentation.xml", head + `<p:presentation xmlns:p="p" xmlns:r="r"><p:sldIdLst>` + list + `</p:sldIdLst></p:presentation>`},
		File{"ppt/_rels/presentation.xml.rels", relations(links...)})...)
}

func shape(b Block) string {
	text := func(s string) string { return `<a:p><a:r><a:t>` + escape(s) + `</a:t></a:r></a:p>` }
	switch b.Kind {
	case Heading:
		return `<p:sp><p:nvSpPr><p:nvPr><p:ph type="title"/></p:nvPr></p:nvSpPr><p:txBody>` + text(b.Text) + `</p:txBody></p:sp>`
	case Table:
		out := `<p:graphicFrame><a:graphic><a:tbl>`
		for _, row := range b.Rows {
			out += `<a:tr>`
			for _, cell := range row {
				out += `<a:tc><a:txBody>` + text(cell) + `</a:txBody></a:tc>`
			}
			out += `</a:tr>`
		}
		return out + `</a:tbl></a:graphic></p:graphicFrame>`
	}
	out := `<p:sp><p:nvSpPr><p:nvPr><p:ph idx="1"/></p:nvPr></p:nvSpPr><p:txBody>`
	for _, s := range append([]string{b.Text}, b.Items...) {
		if s != "" {
			out += text(s)
		}
	}
	return out + `</p:txBody></p:sp>`
}

// Sheet is one of a workbook.
type Sheet struct {
	Name string
	Rows [][]string // a cell that begins with = is a number
}

// Xlsx writes a workbook, its texts shared by all sheets.
func Xlsx(sheets ...Sheet) []byte {
	shared, index := []string{}, map[string]int{}
	files := []File{{"[Content_Types].xml", contentTypes}, {"_rels/.rels", relations("officeDocument", "xl/workbook.xml")}}
	list, links := "", []string{}
	for i, s := range sheets {
		var b strings.Builder
		for r, row := range s.Rows {
			fmt.Fprintf(&b, `<row r="%d">`, r+1)
			for c, cell := range row {
				ref := fmt.Sprintf("%c%d", 'A'+c, r+1)
				if number, ok := strings.CutPrefix(cell, "="); ok {
					fmt.Fprintf(&b, `<c r="%s"><v>%s</v></c>`, ref, number)
					continue
				}
				if cell == "" {
					continue
				}
				k, ok := index[cell]
				if !ok {
					k = len(shared)
					index[cell] = k
					shared = append(shared, cell)
				}
				fmt.Fprintf(&b, `<c r="%s" t="s"><v>%d</v></c>`, ref, k)
			}
			b.WriteString(`</row>`)
		}
		list += fmt.Sprintf(`<sheet name="%s" sheetId="%d" r:id="rId%d"/>`, escape(s.Name), i+1, i+1)
		links = append(links, "worksheet", fmt.Sprintf("worksheets/sheet%d.xml", i+1))
		files = append(files, File{fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1), head + `<worksheet xmlns="m"><sheetData>` + b.String() + `</sheetData></worksheet>`})
	}
	strs := ""
	for _, s := range shared {
		strs += `<si><t>` + escape(s) + `</t></si>`
	}
	return Zip(append(files,
		File{"xl/workbook.xml", head + `<workbook xmlns="m" xmlns:r="r"><sheets>` + list + `</sheets></workbook>`},
		File{"xl/_rels/workbook.xml.rels", relations(links...)},
		File{"xl/sharedStrings.xml", head + `<sst xmlns="m">` + strs + `</sst>`})...)
}
