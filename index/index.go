package index

import (
	"errors"
	"time"

	"ken/corpora"
	"ken/embed"
)

// ChunkID is a store's handle of a chunk. It means something only to the view
// that returned it and must not be shown to users: in most stores it counts
// documents that the reader may not know of.
type ChunkID uint64

// Span is a range of bytes [Start, End) in a document's extracted text.
type Span struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// Chunk is a piece of one document. The chunks of a document, in order of N,
// partition its extracted text: every byte is in exactly one of them.
type Chunk struct {
	ID      ChunkID // set by the store
	Doc     corpora.DocID
	N       int      // position in the document, from 0
	Span    Span     // where Text stands in the extracted text
	Text    string   // the bytes of Span, unchanged
	Heading []string // breadcrumb of headings above the chunk, outermost first
	Context string   // what the chunk needs to be understood and does not hold, such as a table's header; "" mostly
	Tokens  int      // tokens in Text
}

// Outline is what ranking needs of a chunk that was found.
type Outline struct {
	Doc    corpora.DocID
	Status corpora.Status // of the document
	Grams  Grams          // of the text that [EmbedText] gives
}

// Entry is a document as it is handed to a store.
type Entry struct {
	Document corpora.Document
	Chunks   []Chunk
	Vectors  []embed.Vector // one per chunk, of the store's model
	Model    string         // hash of the model that made the vectors, which must be the store's; "" is not compared
}

// Hit is a chunk that a search found. Hits are ordered by score, highest
// first, ties by Key, lowest first; Key depends on the document's id and the
// chunk's place and text alone, so the order says nothing about other documents.
type Hit struct {
	ID    ChunkID
	Score float64
	Key   Key
}

// Key orders chunks of equal score. See [ContentKey].
type Key [16]byte

// Term is a weighted query term: the forms that one word of the query takes in
// the languages of the index. A chunk has one language, so at most one form
// matches it; the term's document frequency is the sum over the forms.
type Term struct {
	Forms  []Form
	Weight float64
}

// Form is an analysed word of one language (see index/analyze).
type Form struct {
	Language string
	Text     string
	Prefix   bool // the form is every word that begins with Text, which counts as one word: see analyze.Prefix
}

// BM25 are the parameters of BM25F (Robertson and Zaragoza, "The Probabilistic
// Relevance Framework: BM25 and Beyond", 2009, section 3.6). Term frequencies
// of the fields are normalised by the field's length, weighted, summed, and
// then saturated:
//
//	tf = Σ weight(f) · tf(f) / (1 - B + B · len(f)/avglen(f))
//	score = Σ over terms of Weight · idf · tf · (K1+1) / (tf + K1)
//	idf = ln(1 + (N - df + .5) / (df + .5))
//
// N, df and avglen are those of the readable chunks.
type BM25 struct {
	K1    float64
	B     float64
	Title float64 // weight of the title field; the body's is 1
}

// TextQuery asks for the best chunks by BM25F.
type TextQuery struct {
	Terms  []Term
	BM25   BM25
	Filter Filter
}

// Filter narrows a search. The zero Filter admits every chunk. Within a field but
// Phrases the values are alternatives; the fields must all be met. Filters never
// change a score: statistics are those of all readable chunks.
type Filter struct {
	Sources    []string
	Paths      []string // path prefixes that end at a slash or name one document
	MediaTypes []string
	Languages  []string
	Tags       []string
	Classes    []string
	Documents  []corpora.DocID
	Phrases    []string  // all of them stand in the chunk, each in a paragraph of its body or a line of its title: see analyze.Phrase
	After      time.Time // modified at or after; zero: open
	Before     time.Time // modified before; zero: open
}

// Errors that every store returns.
var (
	// ErrNotFound is the answer for what does not exist and for what the
	// principal may not read: there is no way to tell them apart.
	ErrNotFound = errors.New("not found")
	// ErrErased says that the document was erased for good and may not come back.
	ErrErased = errors.New("the document was erased and may not come back")
	// ErrBroad says that a phrase or a prefix has to be looked for in the text of
	// more readable chunks than a store reads for one search.
	ErrBroad = errors.New("too many passages to look through")
	// ErrModel says that the vectors of the store were made by another model
	// than the one asked for.
	ErrModel = errors.New("vectors of another model")
)
