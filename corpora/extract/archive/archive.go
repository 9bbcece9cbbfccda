// Package archive reads ZIP, TAR and gzip: every file in it becomes a section under
// its path, written by its own format's extractor.
//
// An archive is one document because it has one list of readers: what stands in
// it was given to the same people together. Nothing is unpacked to disk,
// links are not followed, and a path is a name and leads nowhere.
package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"ken/corpora/extract/bounds"
	"ken/corpora/extract/mark"
	"ken/corpora/extract/part"
)

// Zip reads a ZIP file.
func Zip(ctx context.Context, data []byte, read part.Read, b *bounds.Budget) (string, error) {
	z, err := b.Zip(data)
	if err != nil {
		return "", err
	}
	a, leave, err := begin(ctx, read, b)
	if err != nil {
		return "", err
	}
	defer leave()
	for _, f := range z.File {
		if !f.Mode().IsRegular() || !part.Shown(f.Name) {
			continue
		}
		if err := a.zipped(f.Name, func() (io.ReadCloser, error) { return b.Open(f) }); err != nil {
			return "", err
		}
	}
	return a.text()
}

// Tar reads a TAR file.
func Tar(ctx context.Context, data []byte, read part.Read, b *bounds.Budget) (string, error) {
	return readTar(ctx, b.Reader(bytes.NewReader(data)), read, b)
}

// readTar reads from a reader whose bytes are in the budget.
func readTar(ctx context.Context, from io.Reader, read part.Read, b *bounds.Budget) (string, error) {
	a, leave, err := begin(ctx, read, b)
	if err != nil {
		return "", err
	}
	defer leave()
	t := tar.NewReader(from)
	for {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return a.text()
		case errors.Is(err, bounds.ErrLimit):
			return "", err
		case err != nil:
			return "", fmt.Errorf("%w: %w", bounds.ErrDamaged, err)
		}
		if err := b.Part(); err != nil {
			return "", err
		}
		if h.Typeflag != tar.TypeReg || !part.Shown(h.Name) {
			continue
		}
		data, err := bounds.ReadPart(t)
		if err != nil {
			return "", err
		}
		if err := a.member(h.Name, data); err != nil {
			return "", err
		}
	}
}

// Gzip reads a TAR file that gzip compressed, or another single file.
func Gzip(ctx context.Context, name string, data []byte, read part.Read, b *bounds.Budget) (string, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return "", fmt.Errorf("%w: %w", bounds.ErrDamaged, err)
	}
	head := make([]byte, 512)
	counted := b.Reader(z)
	n, err := io.ReadFull(counted, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("%w: %w", bounds.ErrDamaged, err)
	}
	whole := io.MultiReader(bytes.NewReader(head[:n]), counted)
	if IsTar(head[:n]) {
		return readTar(ctx, whole, read, b)
	}
	a, leave, err := begin(ctx, read, b)
	if err != nil {
		return "", err
	}
	defer leave()
	inner, err := bounds.ReadPart(whole)
	if err != nil {
		return "", err
	}
	inside := path.Base(name)
	inside = strings.TrimSuffix(strings.TrimSuffix(inside, ".gz"), ".GZ")
	if err := a.member(inside, inner); err != nil {
		return "", err
	}
	return a.text()
}

// IsTar reports whether the bytes begin a TAR file.
func IsTar(data []byte) bool { return len(data) >= 262 && string(data[257:262]) == "ustar" }

// members writes the files of an archive.
type members struct {
	ctx    context.Context
	w      mark.Writer
	read   part.Read
	budget *bounds.Budget
}

func begin(ctx context.Context, read part.Read, b *bounds.Budget) (*members, func(), error) {
	leave, err := b.Enter()
	if err != nil {
		return nil, nil, err
	}
	return &members{ctx: ctx, read: read, budget: b}, leave, nil
}

// zipped reads a file that was not unpacked yet. One that needs a password does
// not keep out the others.
func (a *members) zipped(name string, open func() (io.ReadCloser, error)) error {
	r, err := open()
	if errors.Is(err, bounds.ErrLocked) {
		a.w.Heading(2, name)
		a.w.Paragraph("(not read: " + bounds.ErrLocked.Error() + ")")
		return nil
	}
	if err != nil {
		return err
	}
	defer r.Close()
	data, err := a.budget.ReadAll(r)
	if err != nil {
		return err
	}
	return a.member(name, data)
}

func (a *members) member(name string, data []byte) error {
	if a.w.Full() {
		_, err := a.w.Text()
		return err
	}
	return part.Write(a.ctx, &a.w, 2, name, data, a.read, a.budget)
}

func (a *members) text() (string, error) {
	text, err := a.w.Text()
	if err == nil && text == "" {
		return "", fmt.Errorf("%w: it holds no file", bounds.ErrUnsupported)
	}
	return text, err
}
