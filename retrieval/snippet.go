package retrieval

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ken/index"
	"ken/index/analyze"
)

// Bounds of a snippet, in characters.
const (
	snippetSize = 160
	snippetLead = 32 // before the first word that matches
)

// Snippet is the piece of a result's best chunk that says most of the query, as
// one line without the signs of Markdown.
type Snippet struct {
	Text string `json:"text"`
	// Highlights are the places of the words of the query in Text, in bytes, in order
	// and apart from each other. A word matches as it does in the search, by its stem.
	Highlights []index.Span `json:"highlights,omitempty"`
	Span       index.Span   `json:"span"` // of the chunk, in the document's extracted text
}

const ellipsis = "…"

// Highlights returns the places in a text of the words of a query, in order and
// apart from each other. The zero language is an unknown one.
func Highlights(language, query, text string) []index.Span {
	a, err := Request{Query: query}.read()
	if err != nil {
		return nil
	}
	marks := newMarker(language, a).marks(text)
	return apart(marks)
}

// mark is a place that matches.
type mark struct {
	index.Span
	what int // which word or phrase of the query
}

// marker knows the words of a query in one language.
type marker struct {
	language string
	terms    []string
	prefixes []analyze.Prefix
	phrases  []analyze.Phrase
}

func newMarker(language string, a asked) marker {
	m := marker{language: cmp.Or(language, analyze.Und)}
	m.terms = analyze.Terms(m.language, a.words)
	slices.Sort(m.terms)
	m.terms = slices.Compact(m.terms)
	for _, text := range a.prefixes {
		if p, ok := analyze.NewPrefix(m.language, text); ok {
			m.prefixes = append(m.prefixes, p)
		}
	}
	for _, text := range a.phrases {
		m.phrases = append(m.phrases, analyze.NewPhrase(m.language, text))
	}
	return m
}

// marks returns the places in a text of the words and phrases, by where they begin.
func (m marker) marks(text string) []mark {
	var tokens []analyze.Token
	if len(m.prefixes)+len(m.phrases) == 0 {
		tokens = analyze.Find(m.language, text, m.terms)
	} else {
		tokens = analyze.Tokens(m.language, text)
	}
	var out []mark
	for _, t := range tokens {
		if what := m.word(t); what >= 0 {
			out = append(out, mark{index.Span{Start: t.Start, End: t.End}, what})
		}
	}
	for i, p := range m.phrases {
		for _, at := range p.Find(tokens) {
			out = append(out, mark{index.Span{Start: at[0], End: at[1]}, len(m.terms) + len(m.prefixes) + i})
		}
	}
	slices.SortFunc(out, func(a, b mark) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	return out
}

// word returns which word of the query a token is, -1 for none.
func (m marker) word(t analyze.Token) int {
	if i, ok := slices.BinarySearch(m.terms, t.Term); ok && t.Term != "" {
		return i
	}
	for i, p := range m.prefixes {
		if p.Matches(t) {
			return len(m.terms) + i
		}
	}
	return -1
}

// apart returns the places, those that overlap as one.
func apart(marks []mark) []index.Span {
	var out []index.Span
	for _, m := range marks {
		if n := len(out); n > 0 && m.Start < out[n-1].End {
			out[n-1].End = max(out[n-1].End, m.End)
			continue
		}
		out = append(out, m.Span)
	}
	return out
}

// snippets adds to each result the snippet of its best chunk.
func snippets(ctx context.Context, v *snapshot, docs []*found, a asked, results []Result) error {
	markers := map[string]marker{}
	for i, d := range docs {
		chunks, err := v.load(ctx, []index.ChunkID{d.matches[0].ID})
		if err != nil {
			return err
		}
		m, ok := markers[d.Language]
		if !ok {
			m = newMarker(d.Language, a)
			markers[d.Language] = m
		}
		text := strings.Join(strings.Fields(index.BodyText(chunks[0])), " ")
		below := withoutHeadings(text, d.Title, chunks[0])
		if results[i].Snippet = m.snippet(below); results[i].Snippet.Highlights == nil && below != text {
			results[i].Snippet = m.snippet(text)
		}
		results[i].Snippet.Span = chunks[0].Span
	}
	return nil
}

// withoutHeadings is the text of a chunk without the title and the headings that
// it begins with: they stand beside it in an answer.
func withoutHeadings(text, title string, c index.Chunk) string {
	for _, h := range append([]string{title}, c.Heading...) {
		if rest, ok := strings.CutPrefix(text, h+" "); ok && h != "" {
			text = rest
		}
	}
	return text
}

// snippet cuts the best piece out of a text of one line.
func (m marker) snippet(text string) Snippet {
	marks := m.marks(text)
	piece := bestPiece(text, marks)
	s := Snippet{Text: text[piece.Start:piece.End]}
	shift := -piece.Start
	if piece.Start > 0 {
		s.Text = ellipsis + s.Text
		shift += len(ellipsis)
	}
	if piece.End < len(text) {
		s.Text += ellipsis
	}
	for _, h := range apart(marks) {
		if h.Start >= piece.Start && h.End <= piece.End {
			s.Highlights = append(s.Highlights, index.Span{Start: h.Start + shift, End: h.End + shift})
		}
	}
	return s
}

// bestPiece returns the piece of at most snippetSize characters that says most of
// the query: each word once, and again for little; of equal ones the first.
func bestPiece(text string, marks []mark) index.Span {
	best, most := pieceFrom(text, 0), 0.0
	for i, first := range marks {
		if i > 0 && marks[i-1].Start == first.Start {
			continue
		}
		piece := pieceFrom(text, back(text, first.Start, snippetLead))
		value, said := 0.0, map[int]bool{}
		for _, m := range marks[i:] {
			if m.End > piece.End {
				break
			}
			if said[m.what] {
				value += repeated
			} else {
				value++
			}
			said[m.what] = true
		}
		if value > most {
			best, most = piece, value
		}
		if piece.End == len(text) {
			break
		}
	}
	return best
}

// back returns where the first whole word begins among the n characters before i,
// or the first character if there is no space between them.
func back(text string, i, n int) int {
	start := i
	for ; n > 0 && start > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(text[:start])
		start -= size
	}
	if start == 0 {
		return 0
	}
	if space := strings.IndexByte(text[start:i], ' '); space >= 0 {
		return start + space + 1
	}
	return whole(text, start, i)
}

// pieceFrom returns the longest piece from start on, which ends with a whole word
// if a space is near its end.
func pieceFrom(text string, start int) index.Span {
	end, n := start, 0
	for ; n < snippetSize && end < len(text); n++ {
		_, size := utf8.DecodeRuneInString(text[end:])
		end += size
	}
	if end == len(text) {
		return index.Span{Start: start, End: end}
	}
	if space := strings.LastIndexByte(text[start:end], ' '); space > (end-start)*3/4 {
		return index.Span{Start: start, End: start + space}
	}
	for end > start { // not between a letter and its marks
		r, _ := utf8.DecodeRuneInString(text[end:])
		if !joined(r) {
			break
		}
		_, size := utf8.DecodeLastRuneInString(text[:end])
		end -= size
	}
	return index.Span{Start: start, End: end}
}

// whole moves i on to where a character begins that belongs to none before it.
func whole(text string, i, end int) int {
	for i < end {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !joined(r) {
			break
		}
		i += size
	}
	return i
}

// joined reports whether the rune belongs to the one before it.
func joined(r rune) bool { return unicode.IsMark(r) || unicode.Is(unicode.Join_Control, r) }
