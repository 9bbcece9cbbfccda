package tools

import (
	"path"
	"strings"
	"time"

	"ken/corpora"
	"ken/retrieval"
)

// citation is a retrieval.Citation with the id as clients see it. Span and
// hash are those of the document's original bytes: they check against the
// source, not against the cleaned text beside them.
type citation struct {
	Document string `json:"document"`
	Version  string `json:"version"`
	Start    int    `json:"start"`
	End      int    `json:"end"`
	SHA256   string `json:"sha256"`
}

func showCitation(c retrieval.Citation) citation {
	return citation{showID(c.Document), c.Version, c.Span.Start, c.Span.End, c.Hash}
}

// documentTitle is never empty: what has no title is called by its file's name.
func documentTitle(d corpora.Document) string {
	if title := line(d.Title); title != "" {
		return title
	}
	return path.Base(showID(d.ID))
}

// documentURL is where a document can be opened: its own URL if that is one of
// the web (a "javascript:" in someone's front matter is not), then the
// configured place, then the resource.
func (s *Server) documentURL(d corpora.Document) string {
	if u := line(d.URL); isWebURL(u) && !strings.ContainsAny(u, " <>\"`") {
		return u
	}
	if s.opts.DocumentURL != "" {
		return s.opts.DocumentURL + escape(showID(d.ID))
	}
	return resourceURI(d.ID)
}

// textType is the media type of the extracted text.
func textType(d corpora.Document) string {
	switch d.MediaType {
	case "text/markdown", "text/html":
		return "text/markdown"
	}
	return "text/plain"
}

func status(d corpora.Document) string {
	if d.Status == "" {
		return string(corpora.Approved)
	}
	return line(string(d.Status))
}

func lines(texts []string) []string {
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		out = append(out, line(t))
	}
	return out
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func showOptional(id corpora.DocID) string {
	if id == "" {
		return ""
	}
	return showID(id)
}
