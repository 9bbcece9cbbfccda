package extract

import (
	"context"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/semaphore"
	"golang.org/x/text/encoding/charmap"

	"ken/corpora/extract/archive"
	"ken/corpora/extract/bounds"
	"ken/corpora/extract/data"
	"ken/corpora/extract/mail"
	"ken/corpora/extract/ooxml"
	"ken/corpora/extract/part"
	"ken/corpora/extract/pdf"
	"ken/corpora/extract/visible"
)

// Options of a Mux. The zero value is useful.
type Options struct {
	// Cache is a directory for what is worth keeping between processes: the
	// compiled PDF reader, which takes two seconds to make. "" keeps nothing.
	Cache string
	// Timeout is how long one document may take; 0 is two minutes.
	Timeout time.Duration
}

// Default returns a Mux with every format, and no cache.
func Default() *Mux { return New(Options{}) }

// New returns a Mux with every format.
func New(o Options) *Mux {
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Minute
	}
	m := &Mux{timeout: o.Timeout, memory: semaphore.NewWeighted(maxMemory)}
	pages := &pdf.Reader{Cache: o.Cache}

	m.Handle(Markdown, extractMarkdown)
	m.Handle(HTML, extractHTML)
	m.Handle(Plain, extractPlain)
	m.Handle(Source, extractSource)
	m.Handle(CSV, extractCSV)
	m.Handle(JSON, extractJSON)
	m.Handle(PDF, markdownOf(func(ctx context.Context, in Input) (string, string, error) { return pages.Text(ctx, in.Data) }))
	m.Handle(DOCX, markdownOf(func(ctx context.Context, in Input) (string, string, error) {
		return ooxml.Docx(ctx, in.Data, in.budget)
	}))
	m.Handle(PPTX, markdownOf(func(ctx context.Context, in Input) (string, string, error) {
		return ooxml.Pptx(ctx, in.Data, in.budget)
	}))
	m.Handle(XLSX, markdownOf(func(ctx context.Context, in Input) (string, string, error) {
		return ooxml.Xlsx(ctx, in.Data, in.budget)
	}))
	m.Handle(EML, markdownOf(func(ctx context.Context, in Input) (string, string, error) {
		return mail.Message(ctx, in.Data, m.part, in.budget)
	}))
	m.Handle(MBOX, untitled(func(ctx context.Context, in Input) (string, error) {
		return mail.Mailbox(ctx, in.Data, m.part, in.budget)
	}))
	m.Handle(ZIP, untitled(func(ctx context.Context, in Input) (string, error) {
		return archive.Zip(ctx, in.Data, m.part, in.budget)
	}))
	m.Handle(TAR, untitled(func(ctx context.Context, in Input) (string, error) {
		return archive.Tar(ctx, in.Data, m.part, in.budget)
	}))
	m.Handle(GZIP, untitled(func(ctx context.Context, in Input) (string, error) {
		return archive.Gzip(ctx, in.Path, in.Data, m.part, in.budget)
	}))
	m.Handle(OLE, refuseOLE)
	return m
}

// maxMemory is what all documents that are read at the same time may take, in
// bytes, as far as memoryOf can tell.
const maxMemory = 640 << 20

// memoryOf estimates what reading a document takes at worst.
func memoryOf(in Input) int64 {
	factor := int64(8)
	switch in.MediaType {
	case Markdown, HTML, JSON:
		factor = 80
	case PDF:
		return min(256<<20+2*int64(len(in.Data)), maxMemory)
	case ZIP, TAR, GZIP, DOCX, PPTX, XLSX, EML, MBOX:
		return min(max(64<<20, 80*int64(len(in.Data))), maxMemory)
	}
	return min(max(1<<20, factor*int64(len(in.Data))), maxMemory)
}

// markdownOf makes an extractor of a function that returns a title and Markdown.
func markdownOf(read func(context.Context, Input) (title, markdown string, err error)) Extractor {
	return func(ctx context.Context, in Input) (Text, error) {
		title, md, err := read(ctx, in)
		if err != nil {
			return Text{}, err
		}
		return Text{Title: title, Body: visible.Text(md), MediaType: Markdown}, nil
	}
}

func untitled(read func(context.Context, Input) (string, error)) Extractor {
	return markdownOf(func(ctx context.Context, in Input) (string, string, error) {
		md, err := read(ctx, in)
		return "", md, err
	})
}

// part reads what a container holds, by its name and bytes as any document.
func (m *Mux) part(ctx context.Context, name string, data []byte, b *bounds.Budget) (part.Text, error) {
	t, err := m.Extract(ctx, Input{Path: name, MediaType: MediaType(name, data), Data: data, budget: b})
	if err != nil {
		return part.Text{}, err
	}
	out := part.Text{Title: t.Title, Body: t.Body, Markdown: t.MediaType == Markdown}
	if t.MediaType == Source {
		out.Code = strings.TrimPrefix(path.Ext(name), ".")
		if out.Code == "" {
			out.Code = "text"
		}
	}
	return out, nil
}

// extractSource keeps source code as it is. Its title is the file's whole name.
func extractSource(_ context.Context, in Input) (Text, error) {
	s, err := loose(in.Data)
	if err != nil {
		return Text{}, err
	}
	title := ""
	if in.Path != "" {
		title = path.Base(in.Path)
	}
	return Text{Title: title, Body: visible.Text(s), MediaType: Source}, nil
}

func extractCSV(ctx context.Context, in Input) (Text, error) {
	s, err := loose(in.Data)
	if err != nil {
		return Text{}, err
	}
	md, err := data.CSV(ctx, visible.Text(s))
	return Text{Body: md, MediaType: Markdown}, err
}

// extractJSON reads JSON. What is not quite JSON, such as settings with comments,
// is source code.
func extractJSON(ctx context.Context, in Input) (Text, error) {
	if err := checkSize(in.Data, maxJSON); err != nil {
		return Text{}, err
	}
	s, err := loose(in.Data)
	if err != nil {
		return Text{}, err
	}
	if strings.Contains(s[:min(len(s), sniffBytes)], "//") && !strings.Contains(s[:min(len(s), sniffBytes)], "://") {
		return extractSource(ctx, in)
	}
	title, md, err := data.JSON(ctx, s)
	return Text{Title: title, Body: visible.Text(md), MediaType: Markdown}, err
}

// maxJSON bounds JSON, in bytes.
const maxJSON = 32 << 20

// loose decodes text of programs that know nothing of UTF-8: what is not UTF-8 is
// windows-1252.
func loose(data []byte) (string, error) {
	s, err := decode(data)
	if err != nil || utf8.ValidString(s) {
		return s, err
	}
	return charmap.Windows1252.NewDecoder().String(s)
}

// Participants returns the addresses of those who wrote or got a mail, or all mails
// of a mailbox, in small letters and sorted; nil for other formats.
func Participants(in Input) []string {
	if in.MediaType != EML && in.MediaType != MBOX {
		return nil
	}
	return mail.Participants(in.Data)
}
