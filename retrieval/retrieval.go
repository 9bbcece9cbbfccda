package retrieval

import (
	"context"
	"errors"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
)

// Store gives views. There is no search without a principal: a view can be had
// for one only.
type Store interface {
	View(ctx context.Context, p acl.Principal, at time.Time) (index.View, error)
}

// Mode says which legs a search uses.
type Mode string

// The modes of a search. The zero Mode is Hybrid.
const (
	Hybrid  Mode = "hybrid"
	Lexical Mode = "lexical"
	Vector  Mode = "vector"
)

// Request is a question. In its query, words in quotation marks are a phrase,
// which stands word by word in every chunk that is found, and word* is any word
// that begins so.
type Request struct {
	Query    string
	Literal  bool         // quotation marks and stars in the query are text and nothing else
	Mode     Mode         // "" is Hybrid
	Limit    int          // documents in the answer; 0 is 10, at most 50
	Budget   int          // tokens of all passages together; 0 is 2,000, at most 20,000
	Filter   index.Filter // narrows what is searched
	Quota    int          // documents of one source at most; 0 is no quota
	History  bool         // rank superseded documents and drafts like approved ones
	Snippets bool         // a snippet with each result
}

// Response is the answer to a Request. Everything in it is a function of the
// request, the configuration, and the documents that the principal may read.
type Response struct {
	Results  []Result `json:"results"`
	Degraded []string `json:"degraded,omitempty"` // names of services that did not answer: "vector", "rerank"
	Cut      Cut      `json:"cut,omitzero"`       // what did not fit the budget
}

// Cut counts what packing left out of the passages that were found.
type Cut struct {
	Passages int `json:"passages"` // passages left out
	Tokens   int `json:"tokens"`   // their tokens
}

// Result is a readable document that matches, with its matching passages.
type Result struct {
	Document   corpora.Document `json:"document"`             // without ACL and Stamp
	Score      float64          `json:"score"`                // 0 to 1, comparable within one Response only
	Passages   []Passage        `json:"passages"`             // in document order; merged where they touch; may be empty if the budget ran out
	Duplicates []corpora.DocID  `json:"duplicates,omitempty"` // near-duplicates among the results, folded into this one
	Snippet    Snippet          `json:"snippet,omitzero"`     // if asked for
}

// Passage is a contiguous piece of a document's text.
type Passage struct {
	Text     string     `json:"text"`              // the bytes of Span
	Span     index.Span `json:"span"`              // in the extracted text of the document's Version
	Heading  []string   `json:"heading,omitempty"` // breadcrumb of the first chunk
	Context  string     `json:"context,omitempty"` // what the text needs to be understood, such as a table's header
	Tokens   int        `json:"tokens"`
	Citation Citation   `json:"citation"`
}

// Citation pins a passage so that it can be checked later.
type Citation struct {
	Document corpora.DocID `json:"document"`
	Version  string        `json:"version"`
	Span     index.Span    `json:"span"`
	Hash     string        `json:"sha256"` // hex SHA-256 of the span's bytes
}

// Page is a part of a document's text.
type Page struct {
	Document corpora.Document `json:"document"`
	Text     string           `json:"text"`
	Span     index.Span       `json:"span"`   // where Text stands
	Length   int              `json:"length"` // bytes of the whole text
	Citation Citation         `json:"citation"`
	Now      string           `json:"now,omitempty"` // the version that the document has now, if this is an earlier one
}

// Errors that a search returns besides those of the store.
var (
	// ErrQuery says what is wrong with a request.
	ErrQuery = errors.New("bad request")
	// ErrNotFound is index.ErrNotFound, for those who import retrieval only.
	ErrNotFound = index.ErrNotFound
)

// Ranked is a found chunk with the parts of its score, for evaluation and explanation.
type Ranked struct {
	index.Hit
	Doc     corpora.DocID
	Lexical float64 // normalised score of the lexical leg, 0 if it did not find it
	Vector  float64 // normalised score of the vector leg, 0 if it did not find it
}
