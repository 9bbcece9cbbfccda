package mail

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"path"
	"strings"
	"time"

	"golang.org/x/net/html/charset"

	"ken/corpora/extract/bounds"
	"ken/corpora/extract/mark"
	"ken/corpora/extract/part"
)

// maxHeader bounds the headers of a message or part, in bytes.
const maxHeader = 256 << 10

// Message reads one message.
func Message(ctx context.Context, data []byte, read part.Read, b *bounds.Budget) (title, markdown string, err error) {
	var w mark.Writer
	title, err = write(ctx, &w, 1, data, read, b)
	if err != nil {
		return "", "", err
	}
	markdown, err = w.Text()
	return title, markdown, err
}

// write writes a message below a heading of the level, and returns its subject.
func write(ctx context.Context, w *mark.Writer, level int, data []byte, read part.Read, b *bounds.Budget) (string, error) {
	leave, err := b.Enter()
	if err != nil {
		return "", err
	}
	defer leave()
	m, err := parse(data)
	if err != nil {
		return "", err
	}
	r := reader{ctx: ctx, w: w, level: level, read: read, budget: b}
	subject := header(m.Header, "Subject")
	w.Heading(level, cmp.Or(subject, "(no subject)"))
	for _, name := range []string{"From", "To", "Cc"} {
		if v := header(m.Header, name); v != "" {
			w.Item(0, name+": "+v)
		}
	}
	if at, err := m.Header.Date(); err == nil {
		w.Item(0, "Date: "+at.Format(time.RFC3339))
	}
	if err := r.entity(textproto.MIMEHeader(m.Header), m.Body, 0); err != nil {
		return "", err
	}
	return subject, r.attachments()
}

func parse(data []byte) (*mail.Message, error) {
	head := data[:min(len(data), maxHeader)]
	if len(data) > maxHeader && !bytes.Contains(head, []byte("\n\n")) && !bytes.Contains(head, []byte("\r\n\r\n")) {
		return nil, fmt.Errorf("%w: its header has more than %d KiB", bounds.ErrLimit, maxHeader>>10)
	}
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: not a message: %w", bounds.ErrDamaged, err)
	}
	return m, nil
}

// header returns a header in plain words.
func header(h mail.Header, name string) string {
	raw := h.Get(name)
	decoder := mime.WordDecoder{CharsetReader: charset.NewReaderLabel}
	if v, err := decoder.DecodeHeader(raw); err == nil {
		raw = v
	}
	return strings.Join(strings.Fields(raw), " ")
}

// reader writes the parts of one message: texts at once, attachments after them.
type reader struct {
	ctx    context.Context
	w      *mark.Writer
	level  int
	read   part.Read
	budget *bounds.Budget
	files  []file
}

type file struct {
	name string
	data []byte
}

// entity reads a part and those in it.
func (r *reader) entity(h textproto.MIMEHeader, body io.Reader, depth int) error {
	if err := r.budget.Part(); err != nil {
		return err
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		kind, params = "text/plain", nil
	}
	if strings.HasPrefix(kind, "multipart/") && params["boundary"] != "" {
		if depth == 16 {
			return fmt.Errorf("%w: parts nest deeper than 16", bounds.ErrLimit)
		}
		return r.multipart(kind, params["boundary"], body, depth+1)
	}
	data, err := r.budget.ReadAll(decoded(h.Get("Content-Transfer-Encoding"), body))
	if err != nil {
		return err
	}
	disposition, more, _ := mime.ParseMediaType(h.Get("Content-Disposition"))
	name := fileName(cmp.Or(more["filename"], params["name"]))
	switch {
	case disposition != "attachment" && name == "" && kind == "text/plain":
		r.plain(data, params["charset"])
	case disposition != "attachment" && name == "" && kind == "text/html":
		return r.html(data, params["charset"])
	case kind == "message/rfc822":
		r.files = append(r.files, file{cmp.Or(name, "message.eml"), data})
	case name != "" || disposition == "attachment":
		r.files = append(r.files, file{cmp.Or(name, "attachment"+extension(kind)), data})
	}
	return nil
}

// fileName is the last part of a name, which may be encoded.
func fileName(name string) string {
	if v, err := (&mime.WordDecoder{CharsetReader: charset.NewReaderLabel}).DecodeHeader(name); err == nil {
		name = v
	}
	name = strings.Join(strings.Fields(strings.ReplaceAll(name, `\`, "/")), " ")
	if name == "" {
		return ""
	}
	return path.Base(name)
}

// extension names the formats that the bytes alone do not tell.
func extension(kind string) string {
	switch kind {
	case "text/csv":
		return ".csv"
	case "text/markdown":
		return ".md"
	case "text/html":
		return ".html"
	case "application/json":
		return ".json"
	}
	return ""
}

// multipart reads the parts of a body. Of alternatives, the first plain text
// counts, else the last part, which is the richest.
func (r *reader) multipart(kind, boundary string, body io.Reader, depth int) error {
	parts := multipart.NewReader(body, boundary)
	var alternatives []alternative
	for {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: %w", bounds.ErrDamaged, err)
		}
		if kind != "multipart/alternative" {
			if err := r.entity(p.Header, p, depth); err != nil {
				return err
			}
			continue
		}
		data, err := r.budget.ReadAll(p)
		if err != nil {
			return err
		}
		alternatives = append(alternatives, alternative{p.Header, data})
	}
	if best := choose(alternatives); best != nil {
		return r.entity(best.header, bytes.NewReader(best.data), depth)
	}
	return nil
}

type alternative struct {
	header textproto.MIMEHeader
	data   []byte
}

func choose(all []alternative) *alternative {
	for i, a := range all {
		kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
		if (kind == "text/plain" || err != nil) && len(bytes.TrimSpace(a.data)) > 0 {
			return &all[i]
		}
	}
	if len(all) == 0 {
		return nil
	}
	return &all[len(all)-1]
}

func decoded(encoding string, body io.Reader) io.Reader {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	}
	return body
}

func (r *reader) plain(data []byte, encoding string) {
	text := strings.ReplaceAll(utf8Text(data, encoding), "\r\n", "\n")
	for block := range strings.SplitSeq(text, "\n\n") {
		r.w.Paragraph(block)
	}
}

func (r *reader) html(data []byte, encoding string) error {
	page := utf8Text(data, encoding)
	t, err := r.read(r.ctx, "body.html", []byte("\ufeff"+page), r.budget)
	if r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	if err != nil {
		r.w.Paragraph("(not read: " + part.Reason(err) + ")")
		return nil
	}
	r.w.Block(r.level, t.Body)
	return nil
}

// utf8Text decodes text; what names no encoding that is known stays as it is.
func utf8Text(data []byte, encoding string) string {
	if e, _ := charset.Lookup(encoding); e != nil {
		if out, err := e.NewDecoder().Bytes(data); err == nil {
			return string(out)
		}
	}
	return string(data)
}

func (r *reader) attachments() error {
	for _, f := range r.files {
		if err := part.Write(r.ctx, r.w, r.level+1, "Attachment: "+f.name, f.data, r.named(f.name), r.budget); err != nil {
			return err
		}
	}
	return nil
}

// named reads under the file's own name, not under that of the heading.
func (r *reader) named(name string) part.Read {
	return func(ctx context.Context, _ string, data []byte, b *bounds.Budget) (part.Text, error) {
		return r.read(ctx, name, data, b)
	}
}
