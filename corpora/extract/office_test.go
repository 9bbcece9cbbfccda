package extract_test

import (
	"slices"
	"strings"
	"testing"

	"ken/corpora/extract"
	"ken/corpora/extract/extracttest"
)

func read(t *testing.T, name string, data []byte) extract.Text {
	t.Helper()
	text, err := shared.Extract(t.Context(), extract.Input{Path: name, MediaType: extract.MediaType(name, data), Data: data})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return text
}

// What a reader of an office file does not see is not in its text, and what
// stands around it is.
func TestHiddenInOfficeFiles(t *testing.T) {
	run := func(text, properties string) string {
		return `<w:r><w:rPr>` + properties + `</w:rPr><w:t>` + text + `</w:t></w:r>`
	}
	word := `<w:p>` + run("SHOWN", "") + run("SECRET", "<w:vanish/>") + run("SHOWN", `<w:vanish w:val="0"/>`) + run("SECRET", `<w:sz w:val="2"/>`) +
		`<w:del>` + run("SECRET", "") + `</w:del><w:moveFrom>` + run("SECRET", "") + `</w:moveFrom><w:r><w:instrText>SECRET</w:instrText></w:r><w:ins>` + run("SHOWN", "") + `</w:ins></w:p>` +
		`<w:p><mc:AlternateContent><mc:Choice>` + run("SHOWN", "") + `</mc:Choice><mc:Fallback>` + run("SECRET", "") + `</mc:Fallback></mc:AlternateContent></w:p>`
	slides := func(slide string) []byte {
		return extracttest.Zip(
			extracttest.File{Name: "ppt/presentation.xml", Data: `<p:presentation xmlns:r="r"><p:sldId r:id="rId1"/><p:sldId r:id="rId2"/></p:presentation>`},
			extracttest.File{Name: "ppt/_rels/presentation.xml.rels", Data: `<Relationships><Relationship Id="rId1" Type="x/slide" Target="1.xml"/><Relationship Id="rId2" Type="x/slide" Target="2.xml"/></Relationships>`},
			extracttest.File{Name: "ppt/1.xml", Data: slide},
			extracttest.File{Name: "ppt/2.xml", Data: `<p:sld show="0"><p:sp><a:p><a:r><a:t>SECRET</a:t></a:r></a:p></p:sp></p:sld>`})
	}
	para := func(text string) string { return `<a:p><a:r><a:t>` + text + `</a:t></a:r></a:p>` }
	slide := `<p:sld><p:sp><p:nvPr><p:ph type="title"/></p:nvPr>` + para("SHOWN") + `</p:sp><p:sp><p:cNvPr hidden="1"/>` + para("SECRET") + `</p:sp><p:sp><p:nvPr><p:ph type="ftr"/></p:nvPr>` + para("SECRET") +
		`</p:sp><p:sp><p:nvPr><p:ph idx="1"/></p:nvPr>` + para("SHOWN") + para("SHOWN") + `</p:sp><p:sp>` + para("SHOWN") + `</p:sp></p:sld>`
	cell := func(ref, text string) string {
		return `<c r="` + ref + `" t="inlineStr"><is><t>` + text + `</t></is></c>`
	}
	book := extracttest.Zip(
		extracttest.File{Name: "xl/workbook.xml", Data: `<workbook xmlns:r="r"><sheets><sheet name="a" r:id="rId1"/><sheet name="SECRET" state="hidden" r:id="rId2"/></sheets></workbook>`},
		extracttest.File{Name: "xl/_rels/workbook.xml.rels", Data: `<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="1.xml"/><Relationship Id="rId2" Type="x/worksheet" Target="2.xml"/></Relationships>`},
		extracttest.File{Name: "xl/1.xml", Data: `<worksheet><cols><col min="2" max="2" hidden="1"/></cols><sheetData><row r="1">` + cell("A1", "SHOWN") + cell("B1", "SECRET") + cell("C1", "SHOWN") + `</row>` +
			`<row r="2">` + cell("A2", "SHOWN") + cell("B2", "SECRET") + `</row><row r="3" hidden="1">` + cell("A3", "SECRET") + `</row><row r="4">` + cell("C4", "SHOWN") + `</row></sheetData></worksheet>`},
		extracttest.File{Name: "xl/2.xml", Data: `<worksheet><sheetData><row r="1">` + cell("A1", "SECRET") + `</row></sheetData></worksheet>`})
	for name, data := range map[string][]byte{"a.docx": extracttest.DocxBody(word), "a.pptx": slides(slide), "a.xlsx": book} {
		text := read(t, name, data)
		if strings.Contains(text.Body, "SECRET") || strings.Count(text.Body, "SHOWN") != 4 {
			t.Errorf("%s: %s", name, text.Body)
		}
	}
}

// Cells read as a person sees them.
func TestValuesOfCells(t *testing.T) {
	styles := `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd hh:mm"/><numFmt numFmtId="165" formatCode="&quot;day&quot; 0.0"/><numFmt numFmtId="166" formatCode="[$-407]d. mmmm yyyy;@"/><numFmt numFmtId="167" formatCode="[Red]0.0%"/></numFmts>` +
		`<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/><xf numFmtId="9"/><xf numFmtId="167"/><xf numFmtId="20"/></cellXfs></styleSheet>`
	for _, tt := range []struct{ cell, want string }{
		{`<c><v>0.1</v></c>`, "0.1"}, {`<c><v>0.30000000000000004</v></c>`, "0.3"}, {`<c><v>12345678901</v></c>`, "12345678901"}, {`<c><v>1E-3</v></c>`, "0.001"},
		{`<c s="1"><v>45658</v></c>`, "2025-01-01"}, {`<c s="1"><v>1</v></c>`, "1900-01-01"}, {`<c s="1"><v>61</v></c>`, "1900-03-01"}, {`<c s="2"><v>45658.75</v></c>`, "2025-01-01 18:00"},
		{`<c s="3"><v>45658</v></c>`, "45658"}, {`<c s="4"><v>45658</v></c>`, "2025-01-01"}, {`<c s="5"><v>0.07</v></c>`, "7%"}, {`<c s="6"><v>0.125</v></c>`, "12.5%"}, {`<c s="7"><v>0.5</v></c>`, "12:00:00"},
		{`<c t="b"><v>1</v></c>`, "TRUE"}, {`<c t="e"><v>#N/A</v></c>`, "#N/A"}, {`<c t="str"><f>A1</f><v>a | b</v></c>`, `a \| b`}, {`<c t="s"><v>7</v></c>`, ""}, {`<c><v>nonsense</v></c>`, "nonsense"},
	} {
		data := extracttest.Zip(
			extracttest.File{Name: "xl/workbook.xml", Data: `<workbook xmlns:r="r"><sheets><sheet name="a" r:id="rId1"/></sheets></workbook>`},
			extracttest.File{Name: "xl/_rels/workbook.xml.rels", Data: `<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="s.xml"/></Relationships>`},
			extracttest.File{Name: "xl/styles.xml", Data: styles},
			extracttest.File{Name: "xl/s.xml", Data: `<worksheet><sheetData><row><c t="str"><v>x</v></c><c t="str"><v>y</v></c></row><row><c t="str"><v>k</v></c>` + tt.cell + `</row></sheetData></worksheet>`})
		if text := read(t, "a.xlsx", data); !strings.Contains(text.Body, "| k | "+tt.want+" |") {
			t.Errorf("%s: want %q in\n%s", tt.cell, tt.want, text.Body)
		}
	}
}

func TestMediaTypeByBytes(t *testing.T) {
	pdf := extracttest.PDF(few, extracttest.Layout{})
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"a", pdf, extract.PDF}, {"a.txt", pdf, extract.PDF}, {"a.docx", pdf, extract.PDF},
		{"a.bin", extracttest.Docx(few), extract.DOCX}, {"a.zip", extracttest.Docx(few), extract.DOCX}, {"a.docx", extracttest.Pptx(few), extract.PPTX}, {"a", extracttest.Xlsx(extracttest.Sheet{}), extract.XLSX},
		{"a.docx", extracttest.Zip(extracttest.File{Name: "a"}), extract.ZIP}, {"a.tgz", tarred("a", "b"), extract.TAR}, {"a", gzipped([]byte("a")), extract.GZIP},
		{"a.pdf", []byte("<!DOCTYPE html><p>Sign in"), extract.HTML}, {"a", []byte("<html lang=en>"), extract.HTML}, {"a", []byte(`{"a": 1}`), extract.JSON}, {"a", []byte("#!/bin/sh\n"), extract.Source},
		{"1234.M1", extracttest.Mail("a", "b"), extract.EML}, {"a.txt", extracttest.Mail("a", "b"), extract.Plain}, {"inbox", []byte("From a@b\nFrom: a\nDate: b\nSubject: c\n\nx"), extract.MBOX},
		{"a.go", []byte("package a"), extract.Source}, {"a.rst", []byte("a"), extract.Plain}, {"a.unknown", []byte("words"), extract.Plain}, {"server.key", []byte("words"), extract.Binary}, {"a.csv", []byte("a,b"), extract.CSV},
	} {
		if got := extract.MediaType(tt.name, tt.data); got != tt.want {
			t.Errorf("%s %.10q: %s, want %s", tt.name, tt.data, got, tt.want)
		}
	}
}

// Mail is decoded, one of alternatives is read, and attachments follow by name.
func TestMail(t *testing.T) {
	data := "From: =?utf-8?B?w4RubmE=?= <anna@example.com>\r\nTo: b@example.com\r\nBcc: c@example.com\r\nSubject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\nX-Order: SECRET\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\npreamble SECRET\r\n--m\r\n" +
		"Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSch=F6n\r\n--a\r\nContent-Type: text/html\r\n\r\n<p>SECRET</p>\r\n--a--\r\n" +
		"--m\r\nContent-Type: image/png; name=\"a.png\"\r\nContent-Disposition: attachment\r\n\r\n\x89PNG\x00\r\n--m\r\nContent-Type: message/rfc822\r\n\r\nFrom: d@example.com\r\nSubject: Inner\r\nDate: x\r\n\r\nINNER\r\n--m--\r\n"
	text := read(t, "a.eml", []byte(data))
	for _, want := range []string{"# Grüße", "- From: Änna <anna@example.com>", "Schön", "## Attachment: a.png\n\n(not read: unsupported format)", "INNER"} {
		if !strings.Contains(text.Body, want) {
			t.Errorf("no %q in\n%s", want, text.Body)
		}
	}
	if strings.Contains(text.Body, "SECRET") || strings.Contains(text.Body, "c@example.com") || text.Title != "Grüße" {
		t.Errorf("%q:\n%s", text.Title, text.Body)
	}
	if got := extract.Participants(extract.Input{MediaType: extract.EML, Data: []byte(data)}); !slices.Equal(got, []string{"anna@example.com", "b@example.com", "c@example.com"}) {
		t.Errorf("participants %v", got)
	}
	box := "From x\nFrom: a@example.com\nTo: B@example.com\n\n1\n\nFrom y\nFrom: b@example.com\nTo: c@example.com\n\n2\n"
	if got := extract.Participants(extract.Input{MediaType: extract.MBOX, Data: []byte(box)}); !slices.Equal(got, []string{"b@example.com"}) {
		t.Errorf("of all mails: %v", got)
	}
	if got := extract.Participants(extract.Input{MediaType: extract.MBOX, Data: []byte(box + "\nFrom z\nnonsense\n")}); len(got) > 0 {
		t.Errorf("with one that is not understood: %v", got)
	}
}

// The worst Markdown that is known stays within the bounds of memory.
func TestHostileMarkdown(t *testing.T) {
	if testing.Short() {
		t.Skip("reads many megabytes")
	}
	for _, part := range []string{"<b>", "> a\n", "[a]: b\n", "* a\n\n  "} {
		data := []byte(strings.Repeat(part, (4<<20)/len(part)))
		peak := watch(t)
		_, err := shared.Extract(t.Context(), extract.Input{Path: "a.md", MediaType: extract.Markdown, Data: data})
		if used := peak(); used > maxHeap || err != nil && !isReason(err) {
			t.Errorf("%q: %d MiB, %v", part, used>>20, err)
		} else {
			t.Logf("%q: %d MiB, %v", part, used>>20, err)
		}
	}
}
