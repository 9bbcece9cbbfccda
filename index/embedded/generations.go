package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
)

// A generation is one way to cut and embed the documents: chunks, postings and
// vectors. Documents, their metadata and their ACLs are there once and hold in
// every generation; every write of them changes all generations in one batch. One
// generation is active. Others are built and kept beside it, and a share of the
// users may be served from one of them. A view is of one generation.

// Generation says what there is of a generation. It is for operators.
type Generation struct {
	ID        uint32          `json:"generation"`
	Active    bool            `json:"active,omitempty"`
	Previous  bool            `json:"previous,omitempty"` // what a rollback goes back to
	Percent   int             `json:"percent,omitempty"`  // of the users who are served from it beside the active one
	Model     embed.Model     `json:"model"`
	Documents int             `json:"documents"`
	Missing   int             `json:"missing,omitempty"` // documents that it does not have in their stored version
	Chunks    int             `json:"chunks"`
	Created   time.Time       `json:"created,omitzero"`
	Settings  json.RawMessage `json:"settings,omitempty"` // as they were given to AddGeneration
	Note      json.RawMessage `json:"note,omitempty"`     // as it was given to Annotate
}

// Errors about generations.
var (
	// ErrGeneration says that there is no such generation, or none to go back to.
	ErrGeneration = errors.New("no such generation")
	// ErrBehind says that a generation lacks documents and cannot be served.
	ErrBehind = errors.New("the generation is behind")
)

// maxGenerations bounds what is kept: each costs every write its share.
const maxGenerations = 8

// Generations returns all generations, the active one first.
func (s *Store) Generations() ([]Generation, error) {
	st, err := s.current()
	if err != nil {
		return nil, err
	}
	defer st.release()
	out := []Generation{}
	for i, g := range st.generations() {
		r := g.meta.generationRecord
		one := Generation{
			ID: r.ID, Active: i == 0, Percent: r.Percent, Model: r.Model, Created: r.Created, Settings: r.Settings, Note: r.Note,
			Previous:  st.meta.Previous != nil && *st.meta.Previous == r.ID,
			Documents: g.documents(), Missing: st.documents() - g.documents(),
		}
		for _, c := range g.classes.all() {
			one.Chunks += int(c.live.GetCardinality())
		}
		out = append(out, one)
	}
	return out, nil
}

// NewGeneration says what a generation begins with.
type NewGeneration struct {
	Model    embed.Model
	Settings json.RawMessage // for whoever opens the store: how chunks and vectors are made
	Created  time.Time

	// ActiveSettings are those of the active generation, which are kept if it has
	// none yet.
	ActiveSettings json.RawMessage
}

// AddGeneration adds an empty generation, which nobody is served from, and returns
// its number. [Store.CatchUp] fills it.
func (s *Store) AddGeneration(ctx context.Context, g NewGeneration) (id uint32, err error) {
	err = s.write(&request{ctx: ctx, alone: true, apply: func(c *change) error {
		switch {
		case g.Model.Dim < 1:
			return fmt.Errorf("%w: model %q has dimension %d", index.ErrModel, g.Model.Name, g.Model.Dim)
		case len(c.parts) >= maxGenerations:
			return fmt.Errorf("there are %d generations already: drop one first", len(c.parts))
		}
		if len(c.meta.Settings) == 0 {
			c.meta.Settings = g.ActiveSettings
		}
		id = max(c.meta.NextGeneration, 1)
		c.meta.NextGeneration, c.settled = id+1, true
		c.parts = append(c.parts, c.part(metaRecord{
			generationRecord: generationRecord{ID: id, Model: g.Model, Settings: g.Settings, Created: g.Created},
		}, nil))
		return nil
	}}, "add generation")
	return id, err
}

// partOf returns the part of a generation.
func (c *change) partOf(id uint32) (*change, error) {
	i := slices.IndexFunc(c.parts, func(p *change) bool { return p.meta.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("%w: %d", ErrGeneration, id)
	}
	return c.parts[i], nil
}

// ready returns an error that wraps [ErrBehind] if the generation lacks documents.
func (c *change) ready() error {
	if n := c.whole.base.documents() - c.base.documents(); n > 0 {
		return fmt.Errorf("%w: generation %d lacks %d documents; `ken index build --resume %d` makes them", ErrBehind, c.meta.ID, n, c.meta.ID)
	}
	return nil
}

// Promote makes the generation the active one, or with a percentage below 100
// serves that share of the users from it, and all others from the active one. It
// is one commit: a search sees the store before or after it.
func (s *Store) Promote(ctx context.Context, id uint32, percent int) error {
	if percent < 1 || percent > 100 {
		return fmt.Errorf("promote: %d percent: want 1 to 100", percent)
	}
	return s.write(&request{ctx: ctx, alone: true, apply: func(c *change) error {
		part, err := c.partOf(id)
		if err == nil {
			err = part.ready()
		}
		if err != nil {
			return err
		}
		c.settled = true
		for _, other := range c.parts {
			other.meta.Percent = 0
		}
		if part == c {
			return nil
		}
		if percent < 100 {
			part.meta.Percent = percent
			return nil
		}
		c.activate(part)
		last := c.meta.ID
		c.meta.Previous = &last
		return nil
	}}, "promote")
}

// activate puts the part in front.
func (c *change) activate(part *change) {
	i := slices.Index(c.parts, part)
	c.parts = slices.Insert(slices.Delete(c.parts, i, i+1), 0, part)
}

// Rollback ends a share that is served from another generation or, if there is
// none, makes the generation active again that was active before. It returns the
// number of the active one.
func (s *Store) Rollback(ctx context.Context) (active uint32, err error) {
	err = s.write(&request{ctx: ctx, alone: true, apply: func(c *change) error {
		c.settled = true
		active = c.meta.ID
		for _, part := range c.parts {
			if part.meta.Percent > 0 {
				part.meta.Percent = 0
				return nil
			}
		}
		if c.meta.Previous == nil {
			return fmt.Errorf("%w: nothing was promoted", ErrGeneration)
		}
		part, err := c.partOf(*c.meta.Previous)
		if err == nil {
			err = part.ready()
		}
		if err != nil {
			return err
		}
		c.activate(part)
		c.meta.Previous, active = nil, part.meta.ID
		return nil
	}}, "roll back")
	return active, err
}

// Drop forgets a generation that is not active and deletes what it holds.
func (s *Store) Drop(ctx context.Context, id uint32) error {
	return s.write(&request{ctx: ctx, alone: true, apply: func(c *change) error {
		part, err := c.partOf(id)
		if err != nil {
			return err
		}
		if part == c {
			return errors.New("it is the active one")
		}
		c.settled = true
		c.parts = slices.DeleteFunc(c.parts, func(p *change) bool { return p == part })
		if c.meta.Previous != nil && *c.meta.Previous == id {
			c.meta.Previous = nil
		}
		for _, class := range part.base.classes.all() {
			for it := class.live.Iterator(); it.HasNext(); {
				if err := c.batch.Delete(chunkKey(it.Next()), nil); err != nil {
					return err
				}
			}
		}
		return c.batch.DeleteRange(headsKey(id), after(headsKey(id)), nil)
	}}, "drop generation")
}

// Annotate keeps a note with a generation, in place of the one before.
func (s *Store) Annotate(ctx context.Context, id uint32, note json.RawMessage) error {
	return s.write(&request{ctx: ctx, alone: true, apply: func(c *change) error {
		part, err := c.partOf(id)
		if err == nil {
			part.meta.Note, c.settled = note, true
		}
		return err
	}}, "annotate generation")
}

// ModelFor returns the model of the generation that the principal is served from.
func (s *Store) ModelFor(p acl.Principal) embed.Model {
	st, err := s.current()
	if err != nil {
		return embed.Model{}
	}
	st = st.serving(p)
	defer st.release()
	return st.meta.Model
}

// GenerationFor returns the number of the generation that the principal is served from.
func (s *Store) GenerationFor(p acl.Principal) uint32 {
	st, err := s.current()
	if err != nil {
		return 0
	}
	st = st.serving(p)
	defer st.release()
	return st.meta.ID
}

// InGeneration gives views of one generation, whoever is served from it, to
// measure it. Documents that it lacks are not there.
type InGeneration struct {
	Store *Store
	ID    uint32
}

// View is [Store.View] in the generation.
func (g InGeneration) View(ctx context.Context, p acl.Principal, at time.Time) (index.View, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	whole, err := g.Store.current()
	if err != nil {
		return nil, err
	}
	defer whole.release()
	for _, st := range whole.generations() {
		if st.meta.ID == g.ID {
			st.users.Add(1)
			return &view{state: st, readable: st.readableFor(p, at), principal: p, at: at}, nil
		}
	}
	return nil, fmt.Errorf("%w: %d", ErrGeneration, g.ID)
}

// Close does nothing: the store is its owner's.
func (InGeneration) Close() error { return nil }
