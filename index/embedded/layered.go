package embedded

import (
	"iter"
	"maps"
)

// layered is a map of which states share all but what changed lately: a large layer
// that never changes, and a small one over it in which the zero value says that a
// key is gone. The zero layered is empty.
type layered[K comparable, V any] struct {
	base, over map[K]V
	gone       func(V) bool
	n          int
}

// layer returns the values of m, which belongs to it from now on.
func layer[K comparable, V any](m map[K]V, gone func(V) bool) layered[K, V] {
	return layered[K, V]{base: m, gone: gone, n: len(m)}
}

// get returns the zero value for a key that is not there.
func (l layered[K, V]) get(key K) V {
	if v, ok := l.over[key]; ok {
		return v
	}
	return l.base[key]
}

func (l layered[K, V]) len() int { return l.n }

func (l layered[K, V]) all() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for key, v := range l.over {
			if !l.gone(v) && !yield(key, v) {
				return
			}
		}
		for key, v := range l.base {
			if _, covered := l.over[key]; !covered && !yield(key, v) {
				return
			}
		}
	}
}

// maxOver is how many keys the upper layer may have: so many, and one for each
// overShare of the lower.
const (
	maxOver   = 64
	overShare = 64
)

// edit returns a copy that set may be called on. It costs the size of the upper
// layer, and now and then, when that is full, the size of all.
func (l layered[K, V]) edit() layered[K, V] {
	if len(l.over) <= maxOver+len(l.base)/overShare {
		l.over = maps.Clone(l.over)
	} else {
		l.base, l.over = maps.Collect(l.all()), nil
	}
	if l.over == nil {
		l.over = map[K]V{}
	}
	return l
}

// set sets the value of a key; the zero value removes it.
func (l *layered[K, V]) set(key K, v V) {
	if had := !l.gone(l.get(key)); had {
		l.n--
	}
	if !l.gone(v) {
		l.n++
	}
	l.over[key] = v
}
