package extract_test

import (
	"strings"
	"testing"

	"ken/corpora/extract"
	"ken/corpora/extract/extracttest"
)

var few = []extracttest.Block{
	{Kind: extracttest.Heading, Level: 1, Text: "Leave"}, {Text: "Thirty days a year."},
	{Kind: extracttest.List, Items: []string{"a", "b"}}, {Kind: extracttest.Table, Rows: [][]string{{"a", "b"}, {"1", "2"}}},
}

func FuzzDOCX(f *testing.F) {
	for _, s := range []string{
		`<w:p><w:pPr><w:pStyle w:val="H1"/></w:pPr><w:r><w:t>a</w:t></w:r></w:p>`, `<w:tbl><w:tr><w:tc><w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:tc></w:tr></w:tbl>`,
		`<w:p><w:del><w:r><w:delText>a</w:delText></w:r></w:del><w:r><w:rPr><w:vanish/></w:rPr><w:t>b</w:t></w:r></w:p>`, `</w:tbl></w:tc></w:p>`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) { checkInvariants(t, extract.DOCX, extracttest.DocxBody(body)) })
}

func FuzzPPTX(f *testing.F) {
	f.Add(`<p:sld xmlns:a="a"><p:sp><p:nvPr><p:ph type="title"/></p:nvPr><a:p><a:r><a:t>a</a:t></a:r></a:p></p:sp></p:sld>`)
	f.Add(`<a:tbl><a:tr><a:tc><a:p><a:r><a:t>a</a:t></a:r></a:p></a:tc></a:tr></a:tbl></p:fld>`)
	f.Fuzz(func(t *testing.T, slide string) {
		checkInvariants(t, extract.PPTX, extracttest.Zip(
			extracttest.File{Name: "ppt/presentation.xml", Data: `<p:presentation xmlns:r="r"><p:sldId r:id="rId1"/></p:presentation>`},
			extracttest.File{Name: "ppt/_rels/presentation.xml.rels", Data: `<Relationships><Relationship Id="rId1" Type="x/slide" Target="s.xml"/></Relationships>`},
			extracttest.File{Name: "ppt/s.xml", Data: slide}))
	})
}

func FuzzXLSX(f *testing.F) {
	f.Add(`<worksheet><cols><col min="1" max="2" hidden="1"/></cols><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="C1"><v>1e300</v></c></row></sheetData></worksheet>`)
	f.Add(`<row r="9"><c r="ZZZZZ1" s="99"><v>-1</v></c></row><row/><row><c/></row>`)
	f.Fuzz(func(t *testing.T, sheet string) { checkInvariants(t, extract.XLSX, workbook(sheet)) })
}

func FuzzZIP(f *testing.F) {
	f.Add(extracttest.Zip(extracttest.File{Name: "a.md", Data: "# A"}, extracttest.File{Name: "../../b.csv", Data: "a,b\n1,2"}))
	f.Add(extracttest.Docx(few))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []string{extract.ZIP, extract.MediaType("a", data)} {
			if kind != extract.PDF {
				checkInvariants(t, kind, data)
			}
		}
	})
}

func FuzzTAR(f *testing.F) {
	f.Add(tarred("a.txt", "abc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkInvariants(t, extract.TAR, data)
		checkInvariants(t, extract.GZIP, data)
	})
}

func FuzzMail(f *testing.F) {
	f.Add(extracttest.Mail("=?utf-8?B?w6k=?=", "Thirty days.", extracttest.File{Name: "a.csv", Data: "a,b\n1,2\n"}))
	f.Add([]byte("From a\nFrom: a@example.com\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/html; charset=latin1\n\n<p>a\n--b--\n\nFrom b\n>From c\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkInvariants(t, extract.EML, data)
		checkInvariants(t, extract.MBOX, data)
		extract.Participants(extract.Input{MediaType: extract.MBOX, Data: data})
	})
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"title":"a","b":[1,{"c":null}]}`, `[{"a":"1"},{"a":"2"}]`, "{\"a\":1}\n{\"b\":2}\n", `["a\nb"]`, `{"a":{"b":{"c":"x"}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkInvariants(t, extract.JSON, data) })
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a;b\n\"1\n2\";|\n", "a\tb\n\n1\t2\t3\n", "\xef\xbb\xbfa,b\n\xe4,\\|\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkInvariants(t, extract.CSV, data) })
}

func FuzzSource(f *testing.F) {
	f.Add([]byte("package a\n\nfunc f() {\n}\n"))
	f.Fuzz(func(t *testing.T, data []byte) { checkInvariants(t, extract.Source, data) })
}

func FuzzPDF(f *testing.F) {
	f.Add(extracttest.PDF(few, extracttest.Layout{}))
	f.Add(extracttest.PDF(few, extracttest.Layout{Columns: 2, Wide: true, Rotate: 90}))
	f.Add(extracttest.Pictures(2))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 1<<16 {
			checkInvariants(t, extract.PDF, data)
		}
	})
}

// FuzzMediaType: whatever the bytes are, they have one type, and that does not
// make a part of the program fail that expects another.
func FuzzMediaType(f *testing.F) {
	f.Add("a.pdf", []byte("PK\x03\x04"))
	f.Add("a", []byte("From: a\nTo: b\nDate: c\n\n"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		kind := extract.MediaType(name, data)
		if kind == "" || strings.Contains(kind, " ") {
			t.Fatalf("type %q", kind)
		}
		if _, err := extract.Metadata(extract.Input{Path: name, MediaType: kind, Data: data}); err != nil && kind == extract.ZIP {
			t.Fatal(err)
		}
	})
}
