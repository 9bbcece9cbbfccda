package index

import (
	"context"
	"time"

	"ken/corpora"
)

// Version is a version of a document.
type Version struct {
	Document corpora.Document // as it was; without ACL and stamp
	Replaced time.Time        // when the next one came; zero: it is the one that the document has
	Pinned   bool             // it is kept however many are
}

// Versioned is a view of a store that keeps earlier versions. They are in no
// search. Whoever may not read the document as it is now may read none of them,
// and none is read by anybody whom it was closed to when it was replaced: that a
// document is opened now does not open what stood in it before.
type Versioned interface {
	// Versions returns the earlier versions that the principal may read, the newest first, and
	// whether the one that the document has now is pinned; or [ErrNotFound] for the document.
	Versions(ctx context.Context, id corpora.DocID) (earlier []Version, pinned bool, err error)
	// Version returns one of them with its text. It is a gate, like View.Chunks:
	// what the principal may not read is [ErrNotFound], like what never was.
	Version(ctx context.Context, id corpora.DocID, version string) (Version, string, error)
}
