package pdf

import (
	"cmp"
	"math"
	"slices"
	"unicode"
	"unicode/utf8"
)

// segment is a run of words on one line without a wide gap: a line of a column,
// or a cell.
type segment struct {
	words []word
	box   box
}

func (s segment) size() float64 { return s.box.height() }

// wideGap is how many times the height of the type a gap between two words has at
// least that parts columns or cells. A space has a quarter; justified lines stretch it.
const wideGap = 1.0

// layout brings the words of a page into the order of reading.
func layout(words []word) []block {
	all := segments(words)
	slices.SortStableFunc(all, byPlace)
	var p page
	p.body = bodySize(all)
	p.region(all, 0)
	return p.blocks
}

func byPlace(a, b segment) int {
	return cmp.Or(cmp.Compare(b.box.top, a.box.top), cmp.Compare(a.box.left, b.box.left))
}

// segments puts words into lines by their height on the page, and cuts the lines
// at wide gaps.
func segments(words []word) (out []segment) {
	sorted := slices.Clone(words)
	slices.SortStableFunc(sorted, func(a, b word) int { return cmp.Compare(b.box.middle(), a.box.middle()) })
	for len(sorted) > 0 {
		first := sorted[0].box
		n := 1
		for n < len(sorted) && math.Abs(sorted[n].box.middle()-first.middle()) < .35*min(first.height(), sorted[n].box.height()) {
			n++
		}
		for _, s := range cutLine(slices.Clone(sorted[:n])) {
			if leftward(s.words) {
				slices.Reverse(s.words)
			}
			out = append(out, s)
		}
		sorted = sorted[n:]
	}
	return out
}

// leftward reports whether most of the words are of a script that is written from
// right to left.
func leftward(words []word) bool {
	n := 0
	for _, w := range words {
		if r, _ := utf8.DecodeRuneInString(w.text); unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko) {
			n++
		}
	}
	return 2*n > len(words)
}

func cutLine(line []word) (out []segment) {
	slices.SortStableFunc(line, func(a, b word) int { return cmp.Compare(a.box.left, b.box.left) })
	for _, w := range line {
		if k := len(out) - 1; k >= 0 && w.box.left-out[k].box.right < wideGap*min(w.box.height(), out[k].box.height()) {
			out[k].words = append(out[k].words, w)
			out[k].box = out[k].box.union(w.box)
			continue
		}
		out = append(out, segment{[]word{w}, w.box})
	}
	return out
}

// bodySize is the height of type that most of the words have.
func bodySize(segments []segment) float64 {
	counts := map[int]int{}
	for _, s := range segments {
		counts[int(math.Round(s.size()*2))] += len(s.words)
	}
	best, most := 0, 0
	for size, n := range counts {
		if n > most || n == most && size < best {
			best, most = size, n
		}
	}
	return float64(best) / 2
}

// page collects the blocks of a page.
type page struct {
	body   float64
	blocks []block
}

// maxSplits bounds how often a region is cut.
const maxSplits = 24

// region writes the segments of a region, which are sorted from the top. Where a
// gutter runs beside several of them, what is above comes first, then a
// table or the columns, then what is below.
func (p *page) region(segments []segment, depth int) {
	if len(segments) == 0 {
		return
	}
	x, from, to := gutter(segments)
	if depth == maxSplits || to == from {
		p.lines(segments)
		return
	}
	rows, lead, trail := table(segments[from:to])
	if rows != nil {
		from, to = from+lead, to-trail
	}
	p.region(segments[:from], depth+1)
	if rows != nil {
		p.blocks = append(p.blocks, block{rows: rows, size: p.body})
	} else {
		left, right := part(segments[from:to], x)
		p.region(left, depth+1)
		p.region(right, depth+1)
	}
	p.region(segments[to:], depth+1)
}

func part(segments []segment, x float64) (left, right []segment) {
	for _, s := range segments {
		if s.box.right <= x {
			left = append(left, s)
		} else {
			right = append(right, s)
		}
	}
	return left, right
}

// leastBeside is how many segments stand on each side of a gutter at least. Two
// lines side by side may be a table of two rows.
const leastBeside = 2

// gutter finds the place that the most segments stand beside, and the run
// of segments, from the top, that do not cross it. The run begins and ends where
// something stands on both sides, or close to that.
func gutter(segments []segment) (x float64, from, to int) {
	best := leastBeside - 1
	for _, at := range candidates(segments) {
		for i := 0; i < len(segments); {
			if crosses(segments[i], at) {
				i++
				continue
			}
			end := i
			for end < len(segments) && !crosses(segments[end], at) {
				end++
			}
			start, stop, beside := trim(segments, i, end, at)
			if beside > best {
				best, x, from, to = beside, at, start, stop
			}
			i = end
		}
	}
	return x, from, to
}

func crosses(s segment, x float64) bool { return s.box.left < x && x < s.box.right }

// maxCandidates bounds the places that are tried.
const maxCandidates = 64

// candidates are the places right before where segments begin, the most frequent
// first.
func candidates(segments []segment) []float64 {
	counts := map[int]int{}
	for _, s := range segments {
		counts[int(math.Floor(s.box.left))]++
	}
	out := make([]int, 0, len(counts))
	for x := range counts {
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b int) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	places := make([]float64, 0, maxCandidates)
	for _, x := range out[:min(len(out), maxCandidates)] {
		places = append(places, float64(x)-.5)
	}
	return places
}

// trim cuts from a run what stands on one side only and away from the rest, and
// counts the lines that stand on the side that has fewer.
func trim(segments []segment, from, to int, x float64) (int, int, int) {
	left, right := 0, 0
	first, last := -1, -1
	for i := from; i < to; i++ {
		if segments[i].box.right <= x {
			left++
		} else {
			right++
		}
		if beside(segments[from:to], segments[i], x) {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 || min(left, right) < leastBeside {
		return from, from, 0
	}
	for first > from && gap(segments[first-1], segments[first]) < farAway {
		first--
	}
	for last+1 < to && gap(segments[last], segments[last+1]) < farAway {
		last++
	}
	return first, last + 1, min(left, right)
}

// beside reports whether something stands on the other side at the height of s.
// The segments are sorted, so only those near s are looked at.
func beside(run []segment, s segment, x float64) bool {
	isLeft := s.box.right <= x
	i, _ := slices.BinarySearchFunc(run, s.box.top+s.size(), func(r segment, top float64) int { return cmp.Compare(top, r.box.top) })
	for ; i < len(run) && run[i].box.top > s.box.bottom; i++ {
		if (run[i].box.right <= x) != isLeft && run[i].box.bottom < s.box.top {
			return true
		}
	}
	return false
}

// near reports whether the lower follows the upper as a line does.
func near(upper, lower segment) bool { return gap(upper, lower) < .8 }

// farAway is how many heights of type what stands on one side of a gutter only
// may be from the rest: more than a gap between paragraphs, less than that above a
// page number.
const farAway = 2.5

// gap is the distance of two lines in heights of their type.
func gap(upper, lower segment) float64 {
	return (upper.box.bottom - lower.box.top) / max(upper.size(), lower.size())
}
