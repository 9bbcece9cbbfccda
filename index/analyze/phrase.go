package analyze

import "slices"

// Phrase is words that stand next to each other, as a language has them. A stop
// word in it has its place: it stands there as it is, or the phrase does not.
type Phrase struct {
	words []Token
}

// NewPhrase analyses the words of a phrase.
func NewPhrase(lang, text string) Phrase { return Phrase{Tokens(lang, text)} }

// Len returns the terms and stop words of the phrase.
func (p Phrase) Len() int { return len(p.words) }

// Terms returns the terms that a text with the phrase has, each once. They are
// none if all words of the phrase are stop words.
func (p Phrase) Terms() []string {
	var out []string
	for _, w := range p.words {
		if w.Term != "" && !slices.Contains(out, w.Term) {
			out = append(out, w.Term)
		}
	}
	return out
}

// Term returns the term that the phrase is, if it is one: an index then knows
// without the text where the phrase stands.
func (p Phrase) Term() (string, bool) {
	if len(p.words) != 1 {
		return "", false
	}
	return p.words[0].Term, p.words[0].Term != ""
}

// In reports whether the phrase stands in a text, given its tokens in the same
// language. A phrase without words stands everywhere.
func (p Phrase) In(text []Token) bool {
	if len(p.words) == 0 {
		return true
	}
	_, ok := p.find(text, 0)
	return ok
}

// Find returns the places where the phrase stands in a text, in order: bytes [start, end).
func (p Phrase) Find(text []Token) (places [][2]int) {
	for at := 0; len(p.words) > 0; at++ {
		var ok bool
		if at, ok = p.find(text, at); !ok {
			break
		}
		places = append(places, [2]int{text[at].Start, p.end(text, at)})
	}
	return places
}

// find returns the first token from i on with which the phrase begins.
func (p Phrase) find(text []Token, i int) (int, bool) {
	for ; i < len(text); i++ {
		if p.begins(text, i) {
			return i, true
		}
	}
	return i, false
}

// begins reports whether all words of the phrase have their places relative to
// token i. Tokens come in the order of their positions.
func (p Phrase) begins(text []Token, i int) bool {
	base := text[i].Pos - p.words[0].Pos
	if !same(p.words[0], text[i]) {
		return false
	}
	from := i
	for _, w := range p.words[1:] {
		for from < len(text) && text[from].Pos < base+w.Pos {
			from++
		}
		found := false
		for j := from; j < len(text) && text[j].Pos == base+w.Pos && !found; j++ {
			found = same(w, text[j])
		}
		if !found {
			return false
		}
	}
	return true
}

// end returns where the phrase that begins with token i ends.
func (p Phrase) end(text []Token, i int) int {
	last, end := text[i].Pos-p.words[0].Pos+p.words[len(p.words)-1].Pos, text[i].End
	for ; i < len(text) && text[i].Pos <= last; i++ {
		end = max(end, text[i].End)
	}
	return end
}

// same reports whether two tokens are one term, or one stop word.
func same(a, b Token) bool {
	return a.Term == b.Term && (a.Term != "" || a.Word == b.Word)
}
