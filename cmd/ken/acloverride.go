package main

import (
	"context"
	"iter"

	"ken/corpora"
	"ken/corpora/policy"
)

// overridden is a source whose documents come with what an administrator said
// of them in place of, or beside, what the source says.
type overridden struct {
	corpora.Source
	by policy.Overrides
}

// overridden reads the overrides of the data directory.
func (p *program) overridden(s corpora.Source) (corpora.Source, error) {
	path, err := p.overridesFile()
	if err != nil {
		return nil, err
	}
	by, err := policy.ReadOverrides(path)
	return overridden{s, by}, err
}

func (o overridden) Changes(ctx context.Context, after corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		for c, err := range o.Source.Changes(ctx, after) {
			if override, ok := o.by[c.ID]; ok && err == nil && c.Load != nil {
				load := c.Load
				c.Load = func(ctx context.Context) (corpora.Document, []byte, error) {
					d, data, err := load(ctx)
					if err == nil {
						d.ACL = override.Apply(d.ACL)
					}
					return d, data, err
				}
			}
			if !yield(c, err) {
				return
			}
		}
	}
}
