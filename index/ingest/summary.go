package ingest

import (
	"time"

	"ken/corpora"
)

// Summary is the outcome of a run.
type Summary struct {
	Source      string         `json:"source"`
	Seen        int            `json:"seen"`        // documents that the source listed
	Added       int            `json:"added"`       //
	Updated     int            `json:"updated"`     // text or metadata changed
	ACLChanged  int            `json:"acl_changed"` // only who may read it changed
	Unchanged   int            `json:"unchanged"`   //
	Deleted     int            `json:"deleted"`     //
	Skipped     map[string]int `json:"skipped"`     // files of a format that is not read, by extension
	Quarantined []Refused      `json:"quarantined"` // documents that could not be taken in
	Erased      int            `json:"erased"`      // listed by the source and kept out, because they were erased
	Expired     int            `json:"expired"`     // listed by the source and left out, because they were kept long enough
	Postponed   int            `json:"postponed"`   // new or changed documents left for the next run: the embedder was down
	Chunks      int            `json:"chunks"`      // chunks written
	Tokens      int            `json:"tokens"`      // tokens in them
	Bytes       int64          `json:"bytes"`       // bytes read
	Reembedded  bool           `json:"reembedded"`  // the model changed, so every vector was made anew
	Complete    bool           `json:"complete"`    // the source told all it has; else nothing was deleted
	Seconds     float64        `json:"seconds"`     //
}

// Refused is a document that was not taken in, and why.
type Refused struct {
	ID     corpora.DocID `json:"id"`
	Stage  Stage         `json:"stage"`
	Reason string        `json:"reason"`
	Closed bool          `json:"closed"` // it was indexed before; now nobody may read it
}

// Stage is where in the pipeline something happened.
type Stage string

// The stages.
const (
	StageList    Stage = "list"
	StageLoad    Stage = "load"
	StageExtract Stage = "extract"
	StageEmbed   Stage = "embed"
)

// Progress tells how far a run is.
type Progress struct {
	Done    int  // documents dealt with
	Listed  int  // documents listed so far
	Listing bool // the source has not told all yet: Listed grows
	Chunks  int
	Bytes   int64
	Elapsed time.Duration
}
