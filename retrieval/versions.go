package retrieval

import (
	"context"
	"errors"
	"fmt"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
)

// Versions tells the document as it is now and its earlier versions that are kept
// and that p may read, the newest first.
func (s *Searcher) Versions(ctx context.Context, p acl.Principal, id corpora.DocID) (now index.Version, earlier []index.Version, err error) {
	v, err := s.open(ctx, p)
	if err != nil {
		return now, nil, err
	}
	defer v.Close()
	d, err := v.document(ctx, id)
	if err != nil {
		return now, nil, err
	}
	if kept, ok := v.View.(index.Versioned); ok {
		if earlier, now.Pinned, err = kept.Versions(ctx, id); err != nil {
			return index.Version{}, nil, fmt.Errorf("list versions: %w", err)
		}
	}
	for i := range earlier {
		if err := v.hideSuccessor(ctx, &earlier[i].Document); err != nil {
			return index.Version{}, nil, err
		}
	}
	now.Document = d.Document
	return now, earlier, nil
}

// textOf returns a version of a readable document with its text, and the version
// that the document has now.
func (s *snapshot) textOf(ctx context.Context, id corpora.DocID, version string) (d corpora.Document, text, now string, err error) {
	current, err := s.document(ctx, id)
	if err != nil {
		return d, "", "", err
	}
	now = current.Version
	if version != "" && version != now {
		d, text, err = s.earlier(ctx, id, version)
		return d, text, now, err
	}
	current, text, err = s.text(ctx, id)
	return current.Document, text, now, err
}

// earlier reads an earlier version.
func (s *snapshot) earlier(ctx context.Context, id corpora.DocID, version string) (corpora.Document, string, error) {
	kept, ok := s.View.(index.Versioned)
	if !ok {
		return corpora.Document{}, "", fmt.Errorf("read version: %w", index.ErrNotFound)
	}
	v, text, err := kept.Version(ctx, id, version)
	if err == nil {
		err = s.hideSuccessor(ctx, &v.Document)
	}
	if err != nil {
		return corpora.Document{}, "", fmt.Errorf("read version: %w", err)
	}
	return v.Document, text, nil
}

// stoodIn reports whether the quoted text stands in the version that the citation
// names, if that is kept.
func (s *snapshot) stoodIn(ctx context.Context, c Citation) (bool, error) {
	_, text, err := s.earlier(ctx, c.Document, c.Version)
	if errors.Is(err, index.ErrNotFound) {
		return false, nil
	}
	quoted, ok := slice(text, c.Span)
	return err == nil && ok && hash(quoted) == c.Hash, err
}
