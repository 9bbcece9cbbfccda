package embedded

import (
	"maps"

	"github.com/RoaringBitmap/roaring/v2"

	"ken/corpora/acl"
)

// class is the documents that have the same ACL. What is counted in scores is
// kept per class as whole numbers, so that the sums over the readable classes
// do not depend on an order. A class in a published state never changes.
type class struct {
	id        uint32
	list      acl.List
	key       string          // of the list
	live      *roaring.Bitmap // ordinals of its chunks
	documents int
	title     uint64         // terms in the titles of all chunks
	body      uint64         //
	languages map[string]int // chunks per language
	seal      uint32         // of its record
}

func newClass(id uint32, l acl.List) *class {
	return &class{id: id, list: l, key: l.Key(), live: roaring.New(), languages: map[string]int{}}
}

func (c *class) clone() *class {
	out := *c
	out.live = c.live.Clone()
	out.languages = maps.Clone(c.languages)
	return &out
}

func (c *class) add(h documentHead) {
	c.live.AddRange(uint64(h.first), uint64(h.first)+uint64(h.chunks))
	c.documents++
	c.title += h.title
	c.body += h.body
	if h.chunks > 0 {
		c.languages[h.language] += int(h.chunks)
	}
}

func (c *class) remove(h documentHead) {
	c.live.RemoveRange(uint64(h.first), uint64(h.first)+uint64(h.chunks))
	c.documents--
	c.title -= h.title
	c.body -= h.body
	if c.languages[h.language] -= int(h.chunks); c.languages[h.language] <= 0 {
		delete(c.languages, h.language)
	}
}

// classes is the classes of a state, by id. An edit replaces the classes that it
// touches and shares the others.
type classes = layered[uint32, *class]

func classesOf(all map[uint32]*class) classes {
	return layer(all, func(c *class) bool { return c == nil })
}

// edit is a change to classes that was not published yet.
type edit struct {
	all     classes
	known   byList            // the store's; it is changed when the edit is kept
	fresh   map[string]uint32 // like it, of the classes that this edit made
	own     map[uint32]bool   // classes that are this edit's own copies
	moves   []move
	created []*class
	pruned  []*class
	next    uint32 // id of the next new class
}

// byList finds the class of a list by acl.List.Key. One belongs to a store and
// to whoever holds the right to write.
type byList map[string]uint32

func listsOf(cs classes) byList {
	out := make(byList, cs.len())
	for id, c := range cs.all() {
		out[c.key] = id
	}
	return out
}

func editOf(cs classes, next uint32, known byList) *edit {
	return &edit{all: cs.edit(), known: known, fresh: map[string]uint32{}, own: map[uint32]bool{}, next: next}
}

// of returns the id of the class of the list and makes the class if it is new.
func (e *edit) of(l acl.List) uint32 {
	key := l.Key()
	if id, ok := e.fresh[key]; ok {
		return id
	}
	if id, ok := e.known[key]; ok {
		return id
	}
	c := newClass(e.next, l)
	e.next++
	e.fresh[key], e.own[c.id] = c.id, true
	e.all.set(c.id, c)
	e.created = append(e.created, c)
	return c.id
}

// adopt returns the class of the id, which is made if the edit is of a generation
// that had no document of it.
func (e *edit) adopt(id uint32, l acl.List) *class {
	if e.all.get(id) == nil {
		e.all.set(id, newClass(id, l))
		e.own[id] = true
	}
	return e.writable(id)
}

// add puts a document into the class that its head names.
func (e *edit) add(h documentHead, l acl.List) {
	e.adopt(h.class, l).add(h)
	e.moves = append(e.moves, move{documentHead: h})
}

// remove takes a document out of the class that its head names.
func (e *edit) remove(h documentHead) {
	e.writable(h.class).remove(h)
	e.moves = append(e.moves, move{documentHead: h, left: true})
}

// keep makes what the edit created and pruned known to later ones.
func (e *edit) keep() {
	for _, c := range e.created {
		e.known[c.key] = c.id
	}
	for _, c := range e.pruned {
		delete(e.known, c.key)
	}
}

// sealAs gives the classes that a generation adopted the seals of their records.
func (e *edit) sealAs(of *edit) {
	for id := range e.own {
		if c, known := e.all.get(id), of.all.get(id); c != nil && known != nil {
			c.seal = known.seal
		}
	}
}

func (e *edit) writable(id uint32) *class {
	if !e.own[id] {
		e.all.set(id, e.all.get(id).clone())
		e.own[id] = true
	}
	return e.all.get(id)
}

// prune removes the classes that lost their last document and returns them.
func (e *edit) prune() []*class {
	for id := range e.own {
		if c := e.all.get(id); c.documents == 0 {
			e.all.set(id, nil)
			e.pruned = append(e.pruned, c)
		}
	}
	return e.pruned
}
