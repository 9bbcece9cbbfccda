package corpora

import (
	"context"
	"errors"
	"iter"
	"time"

	"ken/corpora/acl"
)

// DocID names a document for good: it stays the same while the document's
// text, permissions and place among others change. It is what users see, cite
// and fetch, and so says nothing about other documents. Folder documents are
// named by source and path ("handbook/people/leave.md").
type DocID string

// Status is how far a document has come. Anything but [Superseded] and [Draft]
// counts as approved.
type Status string

// The statuses that change how a document ranks.
const (
	Approved   Status = "approved"
	Draft      Status = "draft"
	Superseded Status = "superseded"
)

// Document is what is known of a document apart from its text.
type Document struct {
	ID           DocID     `json:"id"`
	Source       string    `json:"source,omitzero"`        // name of the source it came from
	Path         string    `json:"path,omitzero"`          // slash-separated, within the source; "" if it has none
	URL          string    `json:"url,omitzero"`           // where a person opens it; "" if nowhere
	Title        string    `json:"title,omitzero"`         // "" until extraction finds one
	MediaType    string    `json:"media_type,omitzero"`    // "text/markdown", "text/html", "text/plain"
	Language     string    `json:"language,omitzero"`      // BCP 47 primary language ("en", "zh"); "" until detected
	Tags         []string  `json:"tags,omitzero"`          // sorted
	Class        string    `json:"class,omitzero"`         // data class (public, internal, confidential, restricted); "" if none
	Status       Status    `json:"status,omitzero"`        // "" counts as approved
	SupersededBy DocID     `json:"superseded_by,omitzero"` // set when a newer document replaces this one
	Modified     time.Time `json:"modified,omitzero"`      // when the content last changed, as the source has it; zero if unknown
	Stamp        string    `json:"stamp,omitzero"`         // the source's change mark: equal stamps mean nothing to read again
	Version      string    `json:"version,omitzero"`       // hex digest of text and visible metadata; set when it is indexed
	ACL          acl.List  `json:"acl,omitzero"`           // the zero List: nobody may read it
}

// Op says what a change does.
type Op int

// The operations of a change.
const (
	// Put creates or replaces the document; Load gives it.
	Put Op = iota
	// Delete removes the document.
	Delete
	// Complete ends a full listing: of this source, what was not Put since the
	// listing began no longer exists. A listing that failed has no Complete, so
	// half a list deletes nothing.
	Complete
)

// Cursor is a source's own mark of how far it was read; "" is the beginning.
type Cursor string

// Change is one thing that happened in a source.
type Change struct {
	Op     Op
	ID     DocID
	Stamp  string // Put only: what Document.Stamp will be
	Cursor Cursor // where to go on after this change; "" if the source has none

	// Load reads the document and its bytes. It may be called from another
	// goroutine and after the iteration went on. An error that wraps
	// [ErrGone] means that the document vanished since it was listed.
	Load func(ctx context.Context) (Document, []byte, error)
}

// ErrGone says that a document no longer exists.
var ErrGone = errors.New("document is gone")

// ErrUnavailable says that a source cannot be reached now. That tells nothing
// about the document: what is indexed of it stays as it is.
var ErrUnavailable = errors.New("the source cannot be reached now")

// ErrPermissions says that who may read the documents of a source cannot be read. It
// is an error of the whole source; that of one document closes that alone.
var ErrPermissions = errors.New("the source's permissions cannot be read")

// Source is a place that documents come from.
type Source interface {
	// Name is the source's name: it prefixes ids and is stored with documents.
	Name() string
	// Changes tells what changed after the cursor, in order. An error pair
	// with a set Change.ID concerns that document alone and the iteration
	// goes on; with an empty ID it concerns the source and is the last pair.
	Changes(ctx context.Context, after Cursor) iter.Seq2[Change, error]
}
