package embedded

import "sync"

// kept remembers values that are slow to make, up to a bound on their size, in two
// generations: when the young one is full it becomes the old one, the old one is
// forgotten, and what is asked for again moves from old to young. So what is asked
// for often stays. What is in it changes how long a search takes and nothing else.
type kept[K comparable, V any] struct {
	mu         sync.RWMutex
	young, old map[K]sized[V]
	size       int // of the young
}

type sized[V any] struct {
	value V
	size  int
}

// get returns the value of the key; ok is false if it was not kept. A generation
// may become as large as most.
func (k *kept[K, V]) get(key K, most int) (v V, ok bool) {
	k.mu.RLock()
	s, young := k.young[key]
	if !young {
		s, ok = k.old[key]
	}
	k.mu.RUnlock()
	if ok {
		k.rejuvenate(key, most)
	}
	return s.value, young || ok
}

// has reports whether the value of the key is kept.
func (k *kept[K, V]) has(key K) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	_, young := k.young[key]
	_, old := k.old[key]
	return young || old
}

// rejuvenate moves what is still old to the young.
func (k *kept[K, V]) rejuvenate(key K, most int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s, ok := k.old[key]; ok {
		delete(k.old, key)
		k.add(key, s, most)
	}
}

// put keeps the value, which takes size.
func (k *kept[K, V]) put(key K, v V, size, most int) {
	k.putIf(key, v, size, most, func() bool { return true })
}

// putIf is put if ok says so. While it is asked nothing is dropped.
func (k *kept[K, V]) putIf(key K, v V, size, most int, ok func() bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if ok() {
		delete(k.old, key)
		k.add(key, sized[V]{v, size}, most)
	}
}

func (k *kept[K, V]) add(key K, s sized[V], most int) {
	size := s.size
	if k.young == nil || k.size+size > most {
		k.young, k.old, k.size = map[K]sized[V]{}, k.young, 0
	}
	if last, ok := k.young[key]; ok {
		k.size -= last.size
	}
	k.young[key] = s
	k.size += size
}

// drop forgets the values of the keys.
func (k *kept[K, V]) drop(keys []K) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, key := range keys {
		k.size -= k.young[key].size
		delete(k.young, key)
		delete(k.old, key)
	}
}

// forget drops everything.
func (k *kept[K, V]) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.young, k.old, k.size = nil, nil, 0
}
