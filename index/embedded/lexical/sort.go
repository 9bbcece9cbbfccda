package lexical

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// named is a term and its key.
type named struct {
	key    string
	begin  uint64 // of the key, behind what all keys have in common
	number uint32
}

// sortNamed sorts by the bytes of the keys. Most differ in the first bytes behind
// the language, which are sorted as numbers, digit by digit.
func sortNamed(all []named) []named {
	same := common(all)
	for i := range all {
		var begin [8]byte
		copy(begin[:], all[i].key[same:])
		all[i].begin = binary.BigEndian.Uint64(begin[:])
	}
	all = sortBegin(all)
	for i := 0; i < len(all); {
		j := i + 1
		for j < len(all) && all[j].begin == all[i].begin {
			j++
		}
		if j > i+1 {
			slices.SortFunc(all[i:j], func(a, b named) int { return strings.Compare(a.key, b.key) })
		}
		i = j
	}
	return all
}

// common returns how many bytes the keys begin with that are the same in all.
func common(all []named) int {
	if len(all) == 0 {
		return 0
	}
	first, n := all[0].key, len(all[0].key)
	for _, k := range all[1:] {
		n = min(n, len(k.key))
		for k.key[:n] != first[:n] {
			n--
		}
	}
	return n
}

// few is how many keys are sorted faster by comparing them.
const few = 256

// sortBegin sorts by begin alone.
func sortBegin(all []named) []named {
	if len(all) < few {
		slices.SortFunc(all, func(a, b named) int { return cmp.Compare(a.begin, b.begin) })
		return all
	}
	other := make([]named, len(all))
	for shift := 0; shift < 64; shift += 8 {
		var ends [256]int
		for i := range all {
			ends[byte(all[i].begin>>shift)]++
		}
		if slices.Contains(ends[:], len(all)) { // a digit that all have
			continue
		}
		for d, sum := 0, 0; d < len(ends); d++ {
			ends[d], sum = sum, sum+ends[d] // from here on, where the next one goes
		}
		for i := range all {
			d := byte(all[i].begin >> shift)
			other[ends[d]] = all[i]
			ends[d]++
		}
		all, other = other, all
	}
	return all
}
