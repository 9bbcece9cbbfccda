package item

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/extract"
	"ken/corpora/frontmatter"
	"ken/corpora/policy"
)

// DefaultMaxBytes is the longest text that is taken in unless Options say otherwise.
const DefaultMaxBytes = 64 << 20

// Options are what all documents of a source share.
type Options struct {
	Name     string         // of the source; begins every DocID
	Owner    acl.Subject    // may read where nothing else is said; "" is nobody
	Policy   *policy.Policy // who may read, by path; nil: Owner
	MaxBytes int64          // longest text in bytes; 0 is DefaultMaxBytes
}

// WithDefaults fills in the zero values.
func (o Options) WithDefaults() Options {
	o.MaxBytes = cmp.Or(o.MaxBytes, DefaultMaxBytes)
	if o.Policy == nil && o.Owner != "" {
		o.Policy = policy.Grant(o.Owner)
	}
	return o
}

// Validate checks what the zero value lacks.
func (o Options) Validate() error {
	if o.Name == "" || o.Name == "." || o.Name == ".." || strings.ContainsRune(o.Name, '/') || !utf8.ValidString(o.Name) || strings.ContainsFunc(o.Name, unicode.IsControl) {
		return fmt.Errorf("source name %q: want UTF-8 without slashes and control characters", o.Name)
	}
	if o.Owner != "" {
		if _, err := acl.ParseSubject(string(o.Owner)); err != nil {
			return fmt.Errorf("source %s: owner: %w", o.Name, err)
		}
	}
	if o.MaxBytes < 0 {
		return fmt.Errorf("source %s: MaxBytes is %d, want more than 0", o.Name, o.MaxBytes)
	}
	return nil
}

// Item is what a service knows of a document.
type Item struct {
	Path      string // within the source
	Title     string
	URL       string
	MediaType string // with or without parameters; "" lets the path and the bytes tell
	Language  string
	Class     string
	Tags      []string
	Modified  time.Time
	Says      policy.Statement // who may read, in the service's words; zero: it says nothing
	Data      []byte
}

var (
	// ErrPath says that a key cannot be a document's path.
	ErrPath = errors.New("unusable path")
	// ErrTooLarge says that a text is longer than Options.MaxBytes.
	ErrTooLarge = errors.New("text too long")
)

// maxPath bounds a path in bytes: it is in every result.
const maxPath = 1024

// CheckPath refuses keys that no document can have.
func CheckPath(p string) error {
	switch {
	case !utf8.ValidString(p) || strings.ContainsFunc(p, unicode.IsControl):
		return fmt.Errorf("%w %q: want UTF-8 without control characters", ErrPath, clip(p))
	case len(p) > maxPath:
		return fmt.Errorf("%w %q: longer than %d bytes", ErrPath, clip(p), maxPath)
	case !fs.ValidPath(p) || p == "." || strings.ContainsRune(p, '\\'):
		return fmt.Errorf("%w %q: want names between single slashes, and neither . nor .. among them", ErrPath, p)
	}
	return nil
}

func clip(s string) string { return s[:min(len(s), 80)] }

// ID returns the id of the document at a path, quoted if it is no path.
func (o Options) ID(p string) corpora.DocID {
	if CheckPath(p) != nil {
		p = strconv.Quote(clip(p))
	}
	return corpora.DocID(o.Name + "/" + p)
}

// Stamp digests the service's own marks of a document and what the policy says of it.
func (o Options) Stamp(p string, marks ...string) string {
	h := sha256.New()
	for _, m := range marks {
		fmt.Fprintf(h, "%q\n", m)
	}
	fmt.Fprintf(h, "policy %s %v\n", o.Policy.For(p).Key(), o.Policy.Classifies())
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Mark digests what a service says about the readers, for Stamp.
func Mark(s policy.Statement) string {
	return fmt.Sprintf("%v %s", s.States, acl.NewList(s.Allow, s.Deny).Key())
}

// Put returns the change for a document that load gives, or the error that it
// cannot be one. Both may be yielded as they are.
func (o Options) Put(p, stamp string, load func(context.Context) (Item, error)) (corpora.Change, error) {
	c := corpora.Change{Op: corpora.Put, ID: o.ID(p)}
	if err := cmp.Or(CheckPath(p), o.Policy.Doubt(p)); err != nil {
		return c, o.wrap(p, err)
	}
	c.Stamp = stamp
	c.Load = func(ctx context.Context) (corpora.Document, []byte, error) {
		if err := ctx.Err(); err != nil {
			return corpora.Document{}, nil, err
		}
		it, err := load(ctx)
		if err != nil {
			return corpora.Document{}, nil, o.wrap(p, err)
		}
		return o.Document(it, stamp)
	}
	return c, nil
}

func (o Options) wrap(p string, err error) error {
	return fmt.Errorf("document %s: %w", o.ID(p), err)
}

// Document makes the document of an item, whose path must be right.
func (o Options) Document(it Item, stamp string) (corpora.Document, []byte, error) {
	d, err := o.document(it, stamp)
	if err != nil {
		return corpora.Document{}, nil, o.wrap(it.Path, err)
	}
	return d, it.Data, nil
}

func (o Options) document(it Item, stamp string) (corpora.Document, error) {
	if err := CheckPath(it.Path); err != nil {
		return corpora.Document{}, err
	}
	if n := int64(len(it.Data)); n > o.MaxBytes {
		return corpora.Document{}, fmt.Errorf("%w: %d bytes, the limit is %d", ErrTooLarge, n, o.MaxBytes)
	}
	mediaType, err := mediaType(it)
	if err != nil {
		return corpora.Document{}, err
	}
	meta, err := extract.Metadata(extract.Input{Path: it.Path, MediaType: mediaType, Data: it.Data})
	if err != nil {
		return corpora.Document{}, err
	}
	d := corpora.Document{
		ID: o.ID(it.Path), Source: o.Name, Path: it.Path, MediaType: mediaType, Stamp: stamp, Status: meta.Status,
		Title: cmp.Or(it.Title, meta.Title), URL: cmp.Or(it.URL, meta.URL), Language: cmp.Or(frontmatter.Language(it.Language), meta.Language),
		Class: cmp.Or(strings.ToLower(it.Class), meta.Class), Tags: tags(it.Tags, meta.Tags), Modified: it.Modified.UTC(),
	}
	if meta.SupersededBy != "" {
		d.SupersededBy = o.ID(meta.SupersededBy)
	}
	if it.Modified.IsZero() {
		d.Modified = meta.Modified
	}
	d.ACL = o.Policy.Classify(o.readers(it, meta.ACL), d.Class)
	return d, nil
}

// readers combines what the service, the policy and the text say.
func (o Options) readers(it Item, own policy.Statement) acl.List {
	l := policy.Combine(append([]policy.Statement{it.Says}, o.Policy.Statements(it.Path)...)...)
	if own.States {
		l = acl.Both(l, acl.NewList(own.Allow, nil))
	}
	return l.With(nil, own.Deny)
}

func mediaType(it Item) (string, error) {
	if it.MediaType == "" {
		m := extract.MediaType(it.Path, it.Data)
		if m == extract.Binary {
			return "", fmt.Errorf("%w: it holds binary data", extract.ErrUnsupported)
		}
		return m, nil
	}
	m, _, err := mime.ParseMediaType(it.MediaType)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: media type %q", extract.ErrUnsupported, clip(it.MediaType))
	case m == "application/octet-stream" || m == "binary/octet-stream" || m == extract.ZIP || m == "application/x-zip-compressed": // what servers say of all they do not know
		return extract.MediaType(it.Path, it.Data), nil
	case m == "text/x-markdown":
		return extract.Markdown, nil
	case m == "application/xhtml+xml":
		return extract.HTML, nil
	case m == extract.Plain && extract.ByName(it.Path) == extract.Markdown: // what most servers say of .md
		return extract.Markdown, nil
	}
	return m, nil
}

func tags(of ...[]string) []string {
	out := slices.Concat(of...)
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) == 0 {
		return nil
	}
	return out
}
