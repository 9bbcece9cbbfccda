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
	live      *roaring.Bitmap // ordinals of its chunks
	documents int
	title     uint64         // terms in the titles of all chunks
	body      uint64         //
	languages map[string]int // chunks per language
	seal      uint32         // of its record
}

func newClass(id uint32, l acl.List) *class {
	return &class{id: id, list: l, live: roaring.New(), languages: map[string]int{}}
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

// classes is the classes of a state, by id. It is copied on write: an edit
// replaces the classes that it touches and shares the others.
type classes map[uint32]*class

// edit is a change to classes that was not published yet.
type edit struct {
	all     classes
	byList  map[string]uint32 // by acl.List.Key
	own     map[uint32]bool   // classes that are this edit's own copies
	created []*class
	next    uint32 // id of the next new class
}

func (cs classes) edit(next uint32) *edit {
	e := &edit{all: maps.Clone(cs), byList: make(map[string]uint32, len(cs)), own: map[uint32]bool{}, next: next}
	if e.all == nil {
		e.all = classes{}
	}
	for id, c := range cs {
		e.byList[c.list.Key()] = id
	}
	return e
}

// of returns the id of the class of the list and makes the class if it is new.
func (e *edit) of(l acl.List) uint32 {
	key := l.Key()
	if id, ok := e.byList[key]; ok {
		return id
	}
	c := newClass(e.next, l)
	e.next++
	e.byList[key], e.all[c.id], e.own[c.id] = c.id, c, true
	e.created = append(e.created, c)
	return c.id
}

// adopt returns the class of the id, which is made if the edit is of a generation
// that had no document of it.
func (e *edit) adopt(id uint32, l acl.List) *class {
	if e.all[id] == nil {
		e.all[id], e.own[id] = newClass(id, l), true
	}
	return e.writable(id)
}

func (e *edit) writable(id uint32) *class {
	if !e.own[id] {
		e.all[id], e.own[id] = e.all[id].clone(), true
	}
	return e.all[id]
}

// prune removes the classes that lost their last document and returns them.
func (e *edit) prune() []*class {
	var gone []*class
	for id := range e.own {
		if c := e.all[id]; c.documents == 0 {
			delete(e.all, id)
			gone = append(gone, c)
		}
	}
	return gone
}
