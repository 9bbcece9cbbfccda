package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/index/analyze"
)

// A search that begins after a write was acknowledged sees it, also while others
// search in older states and remember what they find there.
func TestWritesHoldWhileOthersSearch(t *testing.T) {
	s := openMem(t)
	put(t, s, "other", acl.Allow(acl.Everyone), "leave policy")
	put(t, s, "page", acl.Allow("user:ann"), "leave policy of the server")
	ann := acl.NewPrincipal("user:ann")
	ctx, stop := context.WithCancel(t.Context())
	var others sync.WaitGroup
	for range 3 {
		others.Go(func() {
			for ctx.Err() == nil {
				if _, _, err := found(ctx, s, ann); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 150 {
		url := fmt.Sprint("https://example.org/", i)
		d := s.document(t, "page")
		d.URL, d.ACL = url, acl.Allow("user:ann")
		err := s.Update(t.Context(), d)
		if hits, seen, failed := found(t.Context(), s, ann); err != nil || failed != nil || hits != 2 || seen != url {
			t.Fatalf("%d hits, url %q, want 2 and %q (%v, %v)", hits, seen, url, err, failed)
		}
		err = s.SetACL(t.Context(), "page", acl.Allow("user:bob"))
		if hits, seen, failed := found(t.Context(), s, ann); err != nil || failed != nil || hits != 1 || seen != "" {
			t.Fatalf("revoked: %d hits, url %q (%v, %v)", hits, seen, err, failed)
		}
	}
	stop()
	others.Wait()
}

// document returns what operators see of a document.
func (s *Store) document(t *testing.T, id corpora.DocID) corpora.Document {
	for d, err := range s.Documents(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if d.ID == id {
			return d
		}
	}
	t.Fatalf("%q is not there", id)
	return corpora.Document{}
}

// found returns how many hits the principal gets and the URL of the page, "" if it
// is not found. Whatever is found can be read.
func found(ctx context.Context, s *Store, p acl.Principal) (hits int, url string, err error) {
	v, err := s.View(ctx, p, noon)
	if err != nil {
		return 0, "", err
	}
	defer v.Close()
	q := index.TextQuery{Terms: analyze.Query("leave policy", []string{"en"}), BM25: index.BM25{K1: 1.2, B: .75, Title: 3}}
	all, err := v.SearchText(ctx, q, 10)
	if err != nil {
		return 0, "", err
	}
	var ids []index.ChunkID
	for _, h := range all {
		ids = append(ids, h.ID)
	}
	if _, err := v.Outlines(ctx, ids, true); err != nil {
		return 0, "", err
	}
	d, _, err := v.Document(ctx, "page")
	if errors.Is(err, index.ErrNotFound) {
		err = nil
	}
	return len(all), d.URL, err
}
