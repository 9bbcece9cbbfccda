package folder

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/extract"
	"ken/corpora/frontmatter"
	"ken/corpora/policy"
)

// ErrTooLarge says that a file is larger than Options.MaxBytes.
var ErrTooLarge = errors.New("file too large")

func tooLarge(p string, size, limit int64) error {
	return fmt.Errorf("%w: %q has %d bytes, the limit is %d; split it or raise MaxBytes", ErrTooLarge, p, size, limit)
}

// file is one document of a listing.
type file struct {
	source  *Source
	path    string
	policy  *policy.Policy
	sidecar fs.FileInfo // nil: there was none
	stamp   string
	within  acl.List // with Options.Modes: who may enter the folders on the way
	names   *accounts
}

// stampOf digests everything that the document is made of, as far as it can be
// seen without reading: the file, its sidecar, and what the policy says of it.
// Digesting the policy's answer instead of its bytes means that a new rule
// touches the documents that it changes.
func (f file) stampOf(ctx context.Context, info fs.FileInfo) (string, error) {
	h := sha256.New()
	if err := f.mark(ctx, h, f.path, info); err != nil {
		return "", err
	}
	if f.sidecar != nil {
		if err := f.mark(ctx, h, f.path+sidecarSuffix, f.sidecar); err != nil {
			return "", err
		}
	}
	fmt.Fprintf(h, "policy %s\n", policy.Combine(f.statements()...).Key())
	if f.source.options.Modes {
		m, err := listedModes(info)
		if err != nil {
			return "", err
		}
		l, err := f.permitted([]modes{m}, nil)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "modes %s\n", l.Key())
	}
	if f.policy.Classifies() {
		fmt.Fprintln(h, "clearance")
	}
	if f.policy.MailIsForParticipants() {
		fmt.Fprintln(h, "mail")
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// mark writes what changes when the file does: size, time of change and, where
// the system tells them, inode and its time of change, which no program can
// set back. A file system without times, such as an embedded one, gives the
// content instead.
func (f file) mark(ctx context.Context, h io.Writer, p string, info fs.FileInfo) error {
	if about, ok := info.Sys().(About); ok && about.Mark != "" {
		fmt.Fprintf(h, "mark %q\n", about.Mark)
		return nil
	}
	fmt.Fprintf(h, "file %d %d %s\n", info.Size(), info.ModTime().UnixNano(), inode(info))
	if !info.ModTime().IsZero() || !info.Mode().IsRegular() {
		return nil
	}
	data, _, err := f.source.readLimited(ctx, p, f.source.options.MaxBytes+1)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(h, "%x\n", sha256.Sum256(data))
	return err
}

// load reads the document. Its stamp is the listing's: if the file changed in
// between, the next listing has another stamp and it is read again.
func (f file) load(ctx context.Context) (corpora.Document, []byte, error) {
	doc, data, err := f.read(ctx)
	if err != nil {
		return corpora.Document{}, nil, fmt.Errorf("document %s: %w", f.source.id(f.path), err)
	}
	return doc, data, nil
}

func (f file) read(ctx context.Context) (corpora.Document, []byte, error) {
	if err := ctx.Err(); err != nil {
		return corpora.Document{}, nil, err
	}
	data, info, seen, err := f.bytes(ctx)
	if err != nil {
		return corpora.Document{}, nil, err
	}
	about, _ := info.Sys().(About)
	doc := corpora.Document{
		ID:        f.source.id(f.path),
		Source:    f.source.Name(),
		Path:      f.path,
		MediaType: extract.MediaType(f.path, data),
		Modified:  cmp.Or(about.Modified, info.ModTime()).UTC(),
		URL:       about.URL,
		Stamp:     f.stamp,
	}
	if doc.MediaType == extract.Binary {
		return corpora.Document{}, nil, fmt.Errorf("%w: %q holds binary data", extract.ErrUnsupported, f.path)
	}
	meta, err := f.describe(&doc, data)
	if err != nil {
		return corpora.Document{}, nil, err
	}
	own := meta.ACL
	if doc.MediaType == extract.EML || doc.MediaType == extract.MBOX {
		own = f.policy.Mail(extract.Participants(extract.Input{Path: f.path, MediaType: doc.MediaType, Data: data}))
	}
	l, err := f.acl(ctx, seen, about.Says, own)
	if err == nil {
		doc.ACL = f.policy.Classify(l, doc.Class)
	}
	return doc, data, err
}

// bytes reads the file, and its permissions before and after. A link or pipe that
// has taken its place since the listing is not opened.
func (f file) bytes(ctx context.Context) (data []byte, info fs.FileInfo, seen []modes, err error) {
	limit := f.source.options.MaxBytes
	data, info, err = f.source.readAround(ctx, f.path, limit+1, func(open fs.File) error {
		if !f.source.options.Modes {
			return nil
		}
		m, err := openModes(open)
		seen = append(seen, m)
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, nil, fmt.Errorf("%w: %q", corpora.ErrGone, f.path)
	case errors.Is(err, ErrNotRegular):
		return nil, nil, nil, fmt.Errorf("%q changed while it was read: %w", f.path, err)
	case err != nil:
		return nil, nil, nil, err
	case int64(len(data)) > limit:
		return nil, nil, nil, tooLarge(f.path, max(info.Size(), int64(len(data))), limit)
	}
	return data, info, seen, nil
}

// describe fills in what the file says of itself.
func (f file) describe(doc *corpora.Document, data []byte) (frontmatter.Meta, error) {
	meta, err := extract.Metadata(extract.Input{Path: f.path, MediaType: doc.MediaType, Data: data})
	if err != nil {
		return frontmatter.Meta{}, err
	}
	doc.Title = meta.Title
	doc.Language = meta.Language
	doc.Tags = meta.Tags
	doc.Class = meta.Class
	doc.Status = meta.Status
	doc.URL = cmp.Or(meta.URL, doc.URL)
	if meta.SupersededBy != "" {
		doc.SupersededBy = f.source.id(meta.SupersededBy)
	}
	if !meta.Modified.IsZero() {
		doc.Modified = meta.Modified
	}
	return meta, nil
}

// acl combines the sidecar, what the place and the document say, and the policy,
// within what the file's modes allow.
func (f file) acl(ctx context.Context, seen []modes, place, own policy.Statement) (acl.List, error) {
	beside, err := f.readSidecar(ctx)
	if err != nil {
		return acl.List{}, err
	}
	nearestFirst := append([]policy.Statement{beside, place, own}, f.statements()...)
	if f.source.options.Modes {
		return f.permitted(seen, nearestFirst)
	}
	return policy.Combine(nearestFirst...), nil
}

// readSidecar reads the sidecar as it is now. One that was listed and is gone
// is an error, so that an editor that replaces it opens the document to no one
// for that moment.
func (f file) readSidecar(ctx context.Context) (policy.Statement, error) {
	data, _, err := f.source.readLimited(ctx, f.path+sidecarSuffix, maxPolicy)
	if errors.Is(err, fs.ErrNotExist) && f.sidecar == nil {
		return policy.Statement{}, nil
	}
	if err != nil {
		return policy.Statement{}, fmt.Errorf("%w: %w", ErrSidecar, err)
	}
	s, err := policy.ParseSidecar(data)
	if err != nil {
		return policy.Statement{}, fmt.Errorf("%w %s%s: %w", ErrSidecar, f.path, sidecarSuffix, err)
	}
	return s, nil
}
