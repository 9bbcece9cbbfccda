package hashed

import (
	"math"
	"math/bits"
	"unicode/utf8"

	"ken/embed"
)

// The weights were chosen on training queries of SciFact and on XQuAD (see the
// architecture decision on embedders): per feature, and not per corpus.
const (
	gramWeight   = 2.0  // length of a word's grams together, against 1 for the word itself
	commonWeight = .05  // factor for a function word
	saturation   = 6.0  // a word that occurs tf times counts tf / (tf + saturation)
	longWord     = 9    // characters from which a word has its full weight
	gramSize     = 5    // characters of a gram, word boundaries included
	boundary     = 0x02 // marks where a word begins and ends; never part of one
)

// The kinds of feature are hashed apart.
const (
	seedWord uint64 = 0x9ae16a3b2f90404f
	seedPair uint64 = 0xc3a5c85c97cb3127
	seedGram uint64 = 0xb492b66fbe98f273
)

// sketch turns texts into vectors. Its buffers serve one text after another; it
// is not safe for concurrent use.
type sketch struct {
	common map[uint64]bool
	fold   folder
	at     map[uint64]int // place in seen, by hash
	seen   []feature      // distinct words in order of first occurrence
	arena  []byte         // their bytes
	marks  []int          // places of the characters of a word, for grams
	sum    []float64
}

// feature is a distinct word of the text.
type feature struct {
	hash       uint64
	start, end int // in the arena; boundaries included
	count      int
	dense      bool // a pair of characters, without grams
}

func newSketch(dim int, common map[uint64]bool) *sketch {
	return &sketch{common: common, at: make(map[uint64]int), sum: make([]float64, dim)}
}

func (s *sketch) vector(text string) embed.Vector {
	clear(s.at)
	clear(s.sum)
	s.seen, s.arena = s.seen[:0], s.arena[:0]
	s.fold.eachWord(text, s.count)
	for _, f := range s.seen {
		s.addWord(f)
	}
	return s.unit()
}

// count notes one occurrence of the word.
func (s *sketch) count(word []byte, dense bool) {
	seed := seedWord
	if dense {
		seed = seedPair
	}
	h := hash(seed, word)
	if i, ok := s.at[h]; ok {
		s.seen[i].count++
		return
	}
	s.at[h] = len(s.seen)
	start := len(s.arena)
	s.arena = append(s.arena, boundary)
	s.arena = append(s.arena, word...)
	s.arena = append(s.arena, boundary)
	s.seen = append(s.seen, feature{hash: h, start: start, end: len(s.arena), count: 1, dense: dense})
}

func (s *sketch) addWord(f feature) {
	tf := float64(f.count)
	weight := tf / (tf + saturation)
	if f.dense {
		s.add(f.hash, weight)
		return
	}
	word := s.arena[f.start:f.end]
	s.markCharacters(word)
	chars := min(len(s.marks)-3, longWord) // without two boundaries and the end
	weight *= math.Sqrt(math.Sqrt(float64(chars) / longWord))
	if s.common[f.hash] {
		weight *= commonWeight
	}
	s.add(f.hash, weight)
	s.addGrams(word, weight)
}

// markCharacters sets s.marks to where each character of word begins, and the end.
func (s *sketch) markCharacters(word []byte) {
	s.marks = s.marks[:0]
	for i, b := range word {
		if utf8.RuneStart(b) {
			s.marks = append(s.marks, i)
		}
	}
	s.marks = append(s.marks, len(word))
}

// addGrams spreads gramWeight over the word's grams, so that a long word weighs
// no more than its length factor says.
func (s *sketch) addGrams(word []byte, weight float64) {
	grams := len(s.marks) - gramSize
	if grams <= 0 {
		return
	}
	each := gramWeight * weight / math.Sqrt(float64(grams))
	for i := range grams {
		s.add(hash(seedGram, word[s.marks[i]:s.marks[i+gramSize]]), each)
	}
}

// add adds the weight, with the hash's sign, to the hash's component. The
// conversions here and in unit keep a compiler from fusing a product and a sum,
// which would round differently from machine to machine.
func (s *sketch) add(h uint64, weight float64) {
	if h&1 != 0 {
		weight = -weight
	}
	at, _ := bits.Mul64(h, uint64(len(s.sum)))
	s.sum[at] += float64(weight)
}

// unit returns the sum at unit length, or the first unit vector if there is
// nothing.
func (s *sketch) unit() embed.Vector {
	var squares float64
	for _, x := range s.sum {
		squares += float64(x * x)
	}
	v := make(embed.Vector, len(s.sum))
	if squares == 0 {
		v[0] = 1
		return v
	}
	length := math.Sqrt(squares)
	for i, x := range s.sum {
		v[i] = float32(x / length)
	}
	return v
}

// hash is FNV-1a over the bytes, started at the seed, with the finalizer of
// MurmurHash3, because FNV alone leaves the high bits of short inputs related.
func hash(seed uint64, b []byte) uint64 {
	for _, c := range b {
		seed = (seed ^ uint64(c)) * 1099511628211
	}
	seed ^= seed >> 33
	seed *= 0xff51afd7ed558ccd
	seed ^= seed >> 33
	seed *= 0xc4ceb9fe1a85ec53
	return seed ^ seed>>33
}
