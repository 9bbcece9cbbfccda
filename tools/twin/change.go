package twin

import (
	"context"
	"slices"
	"time"

	"ken/corpora"
)

// change makes one thing happen, drawn from those that the person must not
// notice (on the server with all documents alone) and those that it may.
func (p *pair) change(ctx context.Context) error {
	changes := []struct {
		name string
		do   func(context.Context) error
	}{
		{"another's document was added", p.add},
		{"another's document was edited", p.edit},
		{"another's document was deleted", p.delete},
		{"another's document was given to others", p.reclass},
		{"another's document was embedded anew", p.reembed},
		{"the index was rewritten", p.all.rewrite},
		{"the store was opened again", func(context.Context) error { return p.all.restart() }},
		{"others asked", p.othersAsk},
		{"a document was granted", p.grant},
		{"a document was revoked", p.revoke},
		{"a readable document was edited", p.editOwn},
		{"an hour passed", p.pass},
	}
	c := pick(p.world, changes)
	p.after = c.name
	return c.do(ctx)
}

// hidden draws a document that the person may not read.
func (p *pair) hidden() (int, bool) {
	_, hidden := p.world.split(p.person)
	if len(hidden) == 0 {
		return 0, false
	}
	return pick(p.world, hidden), true
}

func (p *pair) readable() (int, bool) {
	readable, _ := p.world.split(p.person)
	if len(readable) == 0 {
		return 0, false
	}
	return pick(p.world, readable), true
}

func (p *pair) add(ctx context.Context) error {
	for range 1 + p.world.rng.IntN(4) {
		d := p.world.newDocument(p.world.closedTo(p.person))
		p.world.docs = append(p.world.docs, d)
		if err := p.all.put(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

func (p *pair) edit(ctx context.Context) error {
	i, ok := p.hidden()
	if !ok {
		return nil
	}
	d := &p.world.docs[i]
	p.world.remember(*d)
	d.Title, d.Language = p.world.phrase("en", 4), "en"
	p.world.write(d)
	return p.all.put(ctx, *d)
}

func (p *pair) delete(ctx context.Context) error {
	i, ok := p.hidden()
	if !ok {
		return nil
	}
	id := p.world.docs[i].ID
	p.world.docs = slices.Delete(p.world.docs, i, i+1)
	p.world.gone = append(p.world.gone, id)
	delete(p.world.past, id)
	return p.all.remove(ctx, id)
}

func (p *pair) reclass(ctx context.Context) error {
	i, ok := p.hidden()
	if !ok {
		return nil
	}
	p.world.docs[i].ACL = p.world.closedTo(p.person)
	return p.all.setACL(ctx, p.world.docs[i])
}

func (p *pair) reembed(ctx context.Context) error {
	i, ok := p.hidden()
	if !ok {
		return nil
	}
	p.world.docs[i].noise = p.world.rng.Uint64() | 1
	return p.all.put(ctx, p.world.docs[i])
}

func (p *pair) othersAsk(ctx context.Context) error {
	p.world.asking = true
	defer func() { p.world.asking = false }()
	for range 3 {
		other := p.world.person()
		for _, r := range p.world.requests(other, 6) {
			if _, err := p.all.ask(ctx, other, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// grant opens a document, and asks for what stood in it while it was closed.
func (p *pair) grant(ctx context.Context) error {
	i, ok := p.hidden()
	if !ok {
		return nil
	}
	d := &p.world.docs[i]
	if p.world.chance(2) {
		p.world.remember(*d)
		p.world.write(d)
		if err := p.all.put(ctx, *d); err != nil {
			return err
		}
	}
	d.ACL = p.world.openTo(p.person)
	d.noise = 0
	if err := p.all.put(ctx, *d); err != nil {
		return err
	}
	if err := p.bring(ctx, *d); err != nil {
		return err
	}
	method, params := call("list_versions", map[string]any{"id": string(d.ID)})
	if err := p.same(ctx, newRequest(1, false, method, params)); err != nil {
		return err
	}
	for _, old := range p.world.past[d.ID] {
		method, params := call("fetch", map[string]any{"id": string(d.ID), "version": old.Version})
		if err := p.same(ctx, newRequest(1, false, method, params)); err != nil {
			return err
		}
	}
	return nil
}

// bring gives the server of the person's own documents one of them, with the
// earlier versions that the person may read now and no others.
func (p *pair) bring(ctx context.Context, d document) error {
	if err := p.own.remove(ctx, d.ID); err != nil {
		return err
	}
	for _, old := range p.world.past[d.ID] {
		if !old.ACL.Admits(p.person, p.world.now) {
			continue
		}
		if err := p.own.put(ctx, old); err != nil {
			return err
		}
	}
	return p.own.put(ctx, d)
}

// revoke asks for the document before and after, so that a stale copy would show.
func (p *pair) revoke(ctx context.Context) error {
	i, ok := p.readable()
	if !ok {
		return nil
	}
	d := &p.world.docs[i]
	method, params := call("fetch", map[string]any{"id": string(d.ID)})
	fetch := newRequest(1, false, method, params)
	if err := p.same(ctx, fetch); err != nil {
		return err
	}
	d.ACL = p.world.closedTo(p.person)
	if err := p.all.setACL(ctx, *d); err != nil {
		return err
	}
	if err := p.own.remove(ctx, d.ID); err != nil {
		return err
	}
	return p.same(ctx, fetch)
}

func (p *pair) editOwn(ctx context.Context) error {
	i, ok := p.readable()
	if !ok {
		return nil
	}
	d := &p.world.docs[i]
	p.world.remember(*d)
	p.world.write(d)
	if err := p.all.put(ctx, *d); err != nil {
		return err
	}
	return p.bring(ctx, *d)
}

// pass moves the clock; grants begin and end. What the person may read now is
// brought to the second server.
func (p *pair) pass(ctx context.Context) error {
	before := map[corpora.DocID]bool{}
	readable, _ := p.world.split(p.person)
	for _, i := range readable {
		before[p.world.docs[i].ID] = true
	}
	p.world.now = p.world.now.Add(time.Hour)
	for _, d := range p.world.docs {
		now := d.ACL.Admits(p.person, p.world.now)
		var err error
		switch {
		case now && (!before[d.ID] || len(p.world.past[d.ID]) > 0): // the list of a version can begin and end, too
			err = p.bring(ctx, d)
		case !now && before[d.ID]:
			err = p.own.remove(ctx, d.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
