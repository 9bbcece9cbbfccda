package retrieval

import (
	"strings"
	"unicode/utf8"

	"ken/index"
	"ken/index/analyze"
	"ken/index/chunk"
	"ken/internal/steady"
)

// repeated is what a question's word counts in every line after the first that
// says it.
const repeated = .1

// line is a piece of a chunk that is never cut: a line, or a sentence of a long
// one, or a fenced block of code.
type line struct {
	start, end int // in the chunk's text
	tokens     int
	terms      []string // of the question, each once
}

// shorten returns the run of whole lines that says most of the question in at
// most so many tokens; of equal ones the longest, then the first. It is false
// if no line fits. Words count by how few lines of the chunk say them, so no
// other document has a part in it.
func shorten(c index.Chunk, language, query string, tokens int) (index.Chunk, bool) {
	lines := linesOf(c.Text, language, query)
	weights := rarities(lines)
	var best run
	for first := range lines {
		best = best.better(longestRun(lines, weights, first, tokens))
	}
	for ; best.last > best.first; best.last-- { // tokens of lines add up to a few more or less than those of the text
		if chunk.Tokens(c.Text[lines[best.first].start:lines[best.last-1].end]) <= tokens {
			break
		}
	}
	if best.last == best.first {
		return c, false
	}
	return part(c, lines[best.first].start, lines[best.last-1].end), true
}

// run is the lines from first up to last, last left out.
type run struct {
	first, last int
	value       float64
}

func (r run) better(other run) run {
	const tie = 1e-9
	if other.value > r.value+tie || other.value > r.value-tie && other.last-other.first > r.last-r.first {
		return other
	}
	return r
}

func longestRun(lines []line, weights map[string]float64, first, tokens int) run {
	r := run{first: first, last: first}
	said := make(map[string]bool)
	for _, l := range lines[first:] {
		if tokens -= l.tokens; tokens < 0 {
			break
		}
		r.last++
		for _, t := range l.terms {
			if said[t] {
				r.value += float64(repeated * weights[t])
			} else {
				r.value += weights[t]
			}
			said[t] = true
		}
	}
	return r
}

// rarities weighs the question's words by the number of lines that say them.
func rarities(lines []line) map[string]float64 {
	counts := make(map[string]float64)
	for _, l := range lines {
		for _, t := range l.terms {
			counts[t]++
		}
	}
	for t, n := range counts {
		counts[t] = steady.Log(1 + float64(len(lines))/n)
	}
	return counts
}

func linesOf(text, language, query string) []line {
	asked := make(map[string]bool)
	for _, t := range analyze.Terms(language, query) {
		asked[t] = true
	}
	var lines []line
	for start := 0; start < len(text); {
		end := start + lineLen(text[start:])
		lines = append(lines, line{start, end, chunk.Tokens(text[start:end]), saidOf(asked, analyze.Terms(language, text[start:end]))})
		start = end
	}
	return lines
}

func saidOf(asked map[string]bool, terms []string) []string {
	var out []string
	seen := make(map[string]bool)
	for _, t := range terms {
		if asked[t] && !seen[t] {
			seen[t] = true
			out = append(out, t)
		}
	}
	return out
}

const fence = "```"

// lineLen is the length of the first uncuttable piece of text, which is not empty.
func lineLen(text string) int {
	if strings.HasPrefix(strings.TrimLeft(text, " "), fence) {
		open := strings.Index(text, fence) + len(fence)
		if end := strings.Index(text[open:], "\n"+fence); end >= 0 {
			open += end + len("\n"+fence)
		}
		return open + toLineEnd(text[open:])
	}
	end := toLineEnd(text)
	for i, r := range text[:end] {
		if after := i + utf8.RuneLen(r); endsSentence(text[:end], i, r) && after < end {
			return after + len(text[after:end]) - len(strings.TrimLeft(text[after:end], " "))
		}
	}
	return end
}

func toLineEnd(text string) int {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return i + 1
	}
	return len(text)
}

// shortestSentence is the bytes from which a point can end a sentence; before,
// it more likely ends a number or an abbreviation.
const shortestSentence = 20

func endsSentence(line string, i int, r rune) bool {
	switch r {
	case '。', '！', '？':
		return true
	case '.', '!', '?':
		return i >= shortestSentence && strings.HasPrefix(line[i+1:], " ") && !strings.HasPrefix(line, "|")
	}
	return false
}

// part is the chunk cut to some of its bytes. Rows of a table keep its header as
// their context.
func part(c index.Chunk, start, end int) index.Chunk {
	if header := tableHeader(c.Text[:start]); header != "" && strings.HasPrefix(c.Text[start:], "|") {
		c.Context = header
	}
	c.Text = c.Text[start:end]
	c.Span = index.Span{Start: c.Span.Start + start, End: c.Span.Start + end}
	c.Tokens = chunk.Tokens(c.Text)
	return c
}

// tableHeader returns the first two lines of the table that the text ends in, or "".
func tableHeader(text string) string {
	lines := strings.SplitAfter(text, "\n")
	first := len(lines) - 1 // the text ends with a line, so the last one is empty
	for first > 0 && strings.HasPrefix(lines[first-1], "|") {
		first--
	}
	if len(lines)-1-first < 2 || strings.Trim(lines[first+1], "|-: \r\n") != "" {
		return ""
	}
	return lines[first] + lines[first+1]
}
