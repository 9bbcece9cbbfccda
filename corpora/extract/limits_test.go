package extract_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ken/corpora/extract"
	"ken/corpora/extract/extracttest"
)

// bomb is a small document that would become large, or that nobody can read.
type bomb struct {
	name string
	data func() []byte
	want error // nil: it is read within the bounds, or refused with a reason
}

func bombs() []bomb {
	zeros := func(n int) string { return strings.Repeat("\x00", n) }
	file := func(name, data string) extracttest.File { return extracttest.File{Name: name, Data: data} }
	docx := func(document string) func() []byte {
		return func() []byte { return extracttest.Zip(file("word/document.xml", document)) }
	}
	pages := extracttest.PDF([]extracttest.Block{{Text: "the office opens at nine"}}, extracttest.Layout{})
	return []bomb{
		{"zeros.zip", func() []byte {
			return extracttest.Zip(file("a.txt", zeros(65<<20)))
		}, extract.ErrLimit},
		{"many.zip", func() []byte {
			files := make([]extracttest.File, 20_001)
			for i := range files {
				files[i] = file(fmt.Sprintf("%d.txt", i), "a")
			}
			return extracttest.Zip(files...)
		}, extract.ErrLimit},
		{"copies.zip", func() []byte {
			inner := string(extracttest.Zip(file("a.txt", strings.Repeat("a b ", 2<<20))))
			var files []extracttest.File
			for i := range 100 {
				files = append(files, file(fmt.Sprintf("%d.zip", i), inner))
			}
			return extracttest.Zip(files...)
		}, extract.ErrLimit},
		{"nested.zip", func() []byte {
			data := extracttest.Zip(file("a.txt", "the end"))
			for range 40 {
				data = extracttest.Zip(file("a.zip", string(data)))
			}
			return data
		}, nil},
		{"zeros.tar.gz", func() []byte { return gzipped(tarred("a.txt", zeros(65<<20))) }, extract.ErrLimit},
		{"zeros.gz", func() []byte { return gzipped([]byte(zeros(65 << 20))) }, extract.ErrLimit},
		{"gz-in-gz.gz", func() []byte {
			data := []byte("the end")
			for range 40 {
				data = gzipped(data)
			}
			return data
		}, nil},
		{"spaces.docx", docx("<w:document>" + strings.Repeat(" ", 100<<20) + "</w:document>"), extract.ErrLimit},
		{"attribute.docx", docx(`<w:document a="` + strings.Repeat("a", 100<<20) + `"></w:document>`), extract.ErrLimit},
		{"deep.docx", docx(strings.Repeat("<w:tbl>", 1_000_000)), extract.ErrLimit},
		{"text.docx", docx("<w:document>" + strings.Repeat("<w:p><w:r><w:t>aaaaaaaaaaaaaaaaaaaa</w:t></w:r></w:p>", 1_600_000) + "</w:document>"), extract.ErrLimit},
		{"laughs.docx", docx(`<!DOCTYPE a [<!ENTITY l "lol"><!ENTITY m "&l;&l;&l;&l;&l;&l;&l;&l;">]><w:document><w:p><w:r><w:t>&m;</w:t></w:r></w:p></w:document>`), extract.ErrLimit},
		{"file.docx", docx(`<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><w:document><w:p><w:r><w:t>&x;</w:t></w:r></w:p></w:document>`), extract.ErrLimit},
		{"entity.docx", docx(`<w:document><w:p><w:r><w:t>&unknown;</w:t></w:r></w:p></w:document>`), extract.ErrDamaged},
		{"wide.xlsx", func() []byte {
			sheet := `<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c><c r="XFD1"><v>1</v></c></row>` + strings.Repeat(`<row><c><v>1</v></c></row>`, 500_000) + `</sheetData></worksheet>`
			return workbook(sheet)
		}, extract.ErrLimit},
		{"columns.xlsx", func() []byte {
			return workbook(`<worksheet><cols>` + strings.Repeat(`<col min="1" max="999999999" hidden="1"/>`, 1_000) + `</cols><sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData></worksheet>`)
		}, nil},
		{"deep.json", func() []byte { return []byte(strings.Repeat("[", 10_000_000)) }, extract.ErrLimit},
		{"many.json", func() []byte { return []byte("[" + strings.Repeat("[],", 5_000_000) + "[]]") }, extract.ErrLimit},
		{"wide.csv", func() []byte { return []byte(strings.Repeat("a,", 100_000) + "\n" + strings.Repeat("b\n", 100_000)) }, extract.ErrLimit},
		{"quote.csv", func() []byte { return []byte("a,b\n\"" + strings.Repeat("x\n", 10<<20)) }, nil},
		{"deep.eml", func() []byte {
			var b strings.Builder
			b.WriteString("From: a@example.com\nTo: b@example.com\nSubject: x\n")
			for i := range 10_000 {
				fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
			}
			return []byte(b.String())
		}, extract.ErrLimit},
		{"header.eml", func() []byte {
			return []byte("From: a@example.com\nTo: b@example.com\nSubject: x\n" + strings.Repeat("X-A: b\n", 1_000_000))
		}, extract.ErrLimit},
		{"parts.eml", func() []byte {
			return []byte("From: a@example.com\nTo: b@example.com\nSubject: x\nContent-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\na\n", 100_000) + "--b--\n")
		}, extract.ErrLimit},
		{"mails.mbox", func() []byte {
			return []byte(strings.Repeat("From a\nFrom: a@example.com\nSubject: x\n\na\n\n", 20_000))
		}, extract.ErrLimit},
		{"pages.pdf", func() []byte { return extracttest.Pictures(6_000) }, extract.ErrLimit},
		{"stream.pdf", func() []byte { return pdfStream(strings.Repeat(" ", 130<<20)) }, nil},
		{"loop.pdf", func() []byte {
			return bytes.Replace(pages, []byte("/Kids ["), []byte("/Kids [1 0 R 2 0 R 3 0 R 4 0 R 5 0 R 6 0 R 7 0 R 8 0 R "), 1)
		}, nil},
		{"scanned.pdf", func() []byte { return extracttest.Pictures(3) }, extract.ErrScanned},
		{"locked.pdf", func() []byte { return lockedPDF(pages) }, extract.ErrLocked},
		{"half.docx", func() []byte { return half(extracttest.Docx([]extracttest.Block{{Text: "a"}})) }, extract.ErrDamaged},
		{"half.zip", func() []byte { return half(extracttest.Zip(file("a.txt", "a"))) }, extract.ErrDamaged},
		{"half.gz", func() []byte { return half(gzipped([]byte(strings.Repeat("abc", 1000)))) }, extract.ErrDamaged},
		{"head.pdf", func() []byte { return pages[:20] }, extract.ErrDamaged},
		{"half.json", func() []byte { return []byte(`{"a": [1, 2`) }, extract.ErrDamaged},
		{"text.docx.txt.docx", func() []byte { return []byte("\x00not a document") }, extract.ErrDamaged},
		{"password.xlsx", func() []byte {
			return []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + zeros(512) + "E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00")
		}, extract.ErrLocked},
		{"old.doc", func() []byte { return []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + zeros(512)) }, extract.ErrUnsupported},
	}
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data) // a buffer does not fail
	_ = w.Close()
	return b.Bytes()
}

func tarred(name, data string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644})
	_, _ = w.Write([]byte(data)) // a buffer does not fail
	_ = w.Close()
	return b.Bytes()
}

func workbook(sheet string) []byte {
	return extracttest.Zip(
		extracttest.File{Name: "xl/workbook.xml", Data: `<workbook xmlns:r="r"><sheets><sheet name="a" r:id="rId1"/></sheets></workbook>`},
		extracttest.File{Name: "xl/_rels/workbook.xml.rels", Data: `<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="s.xml"/></Relationships>`},
		extracttest.File{Name: "xl/s.xml", Data: sheet})
}

func half(data []byte) []byte { return data[:len(data)/2] }

// lockedPDF names an encryption that no password was given for.
func lockedPDF(data []byte) []byte {
	key := strings.Repeat("00", 32)
	return bytes.Replace(data, []byte("/Root"), []byte("/ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /O <"+key+"> /U <"+key+"> /P -4 >> /Root"), 1)
}

// pdfStream is a page whose drawing is compressed.
func pdfStream(drawing string) []byte { return extracttest.Drawing(drawing) }

// maxHeap is how much more memory a bomb may take than was in use before it: what
// the sandbox of the PDF reader may, and a third more for what is unpacked.
const maxHeap = 800 << 20

// TestBombs reads what is made to break readers: it ends with a reason that a
// person can act on, and within the bounds of memory.
func TestBombs(t *testing.T) {
	if testing.Short() {
		t.Skip("unpacks gigabytes")
	}
	for _, b := range bombs() {
		t.Run(b.name, func(t *testing.T) {
			data := b.data()
			debug.FreeOSMemory()
			peak := watch(t)
			text, err := shared.Extract(t.Context(), extract.Input{Path: b.name, MediaType: extract.MediaType(b.name, data), Data: data})
			used := peak()
			if b.want != nil && !errors.Is(err, b.want) || err != nil && !isReason(err) || err != nil && strings.Contains(err.Error(), "stack") {
				t.Errorf("error %v, want %v", err, b.want)
			}
			if len(text.Body) > 64<<20 || used > maxHeap {
				t.Errorf("%d bytes became %d and took %d MiB", len(data), len(text.Body), used>>20)
			}
			t.Logf("%d bytes, %d MiB, %d bytes of text, %v", len(data), used>>20, len(text.Body), err)
		})
	}
}

// isReason reports whether an error says what a person can do.
func isReason(err error) bool {
	for _, known := range []error{extract.ErrUnsupported, extract.ErrLimit, extract.ErrLocked, extract.ErrDamaged, extract.ErrScanned} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// watch samples the heap until the function that it returns is called, which
// gives the most that was added to it. Garbage counts until it is collected.
func watch(t *testing.T) func() int64 {
	t.Helper()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before := int64(m.HeapAlloc)
	var most atomic.Int64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most.Store(max(most.Load(), int64(m.HeapAlloc)-before))
			}
		}
	}()
	return func() int64 {
		close(stop)
		<-done
		return most.Load()
	}
}

// What is slow to read ends with the time that one document has.
func TestTimeout(t *testing.T) {
	m := extract.New(extract.Options{Timeout: time.Nanosecond})
	_, err := m.Extract(t.Context(), extract.Input{Path: "a.csv", MediaType: extract.CSV, Data: []byte("a,b\n1,2\n")})
	if !errors.Is(err, extract.ErrLimit) {
		t.Errorf("error %v", err)
	}
	pages := extracttest.PDF([]extracttest.Block{{Text: "a"}}, extracttest.Layout{})
	_, err = m.Extract(t.Context(), extract.Input{Path: "a.pdf", MediaType: extract.PDF, Data: pages})
	if !errors.Is(err, extract.ErrLimit) {
		t.Errorf("error %v", err)
	}
}
