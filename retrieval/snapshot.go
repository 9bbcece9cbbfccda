package retrieval

import (
	"context"
	"errors"
	"fmt"

	"ken/corpora"
	"ken/index"
)

// snapshot is a view that remembers what one call already read of it.
type snapshot struct {
	index.View
	chunks map[index.ChunkID]index.Chunk
	docs   map[corpora.DocID]document

	outlined map[index.ChunkID]index.Outline
}

// document is a readable document and its chunks in order.
type document struct {
	corpora.Document
	chunks []index.ChunkID
}

func newSnapshot(v index.View) *snapshot {
	return &snapshot{
		View:   v,
		chunks: make(map[index.ChunkID]index.Chunk),
		docs:   make(map[corpora.DocID]document),
	}
}

// outlines returns the outlines of the hits, in their order.
func (s *snapshot) outlines(ctx context.Context, hits []index.Hit, grams bool) ([]index.Outline, error) {
	out := make([]index.Outline, len(hits))
	var absent []index.ChunkID
	var places []int
	for i, h := range hits {
		o, ok := s.outlined[h.ID]
		if out[i] = o; !ok || grams {
			absent, places = append(absent, h.ID), append(places, i)
		}
	}
	if len(absent) == 0 {
		return out, nil
	}
	read, err := s.Outlines(ctx, absent, grams)
	if err != nil {
		return nil, fmt.Errorf("read outlines: %w", err)
	}
	if s.outlined == nil {
		s.outlined = make(map[index.ChunkID]index.Outline, 2*len(absent))
	}
	for i, o := range read {
		out[places[i]], s.outlined[absent[i]] = o, o
	}
	return out, nil
}

// load returns the chunks of the ids, in their order.
func (s *snapshot) load(ctx context.Context, ids []index.ChunkID) ([]index.Chunk, error) {
	var absent []index.ChunkID
	for _, id := range ids {
		if _, ok := s.chunks[id]; !ok {
			absent = append(absent, id)
		}
	}
	if len(absent) > 0 {
		chunks, err := s.Chunks(ctx, absent)
		if err != nil {
			return nil, fmt.Errorf("read chunks: %w", err)
		}
		for i, c := range chunks {
			s.chunks[absent[i]] = c
		}
	}
	out := make([]index.Chunk, len(ids))
	for i, id := range ids {
		out[i] = s.chunks[id]
	}
	return out, nil
}

// document returns a readable document, or an error that wraps index.ErrNotFound.
func (s *snapshot) document(ctx context.Context, id corpora.DocID) (document, error) {
	if d, ok := s.docs[id]; ok {
		return d, nil
	}
	meta, chunks, err := s.Document(ctx, id)
	if err != nil {
		return document{}, fmt.Errorf("read document: %w", err)
	}
	if err := s.hideSuccessor(ctx, &meta); err != nil {
		return document{}, err
	}
	d := document{Document: meta, chunks: chunks}
	s.docs[id] = d
	return d, nil
}

// hideSuccessor drops the name of a successor that cannot be read: a document's
// metadata would else tell that it exists, and what it is called. One that does
// not exist is dropped as well, so the two look alike.
func (s *snapshot) hideSuccessor(ctx context.Context, d *corpora.Document) error {
	if d.SupersededBy == "" {
		return nil
	}
	_, _, err := s.Document(ctx, d.SupersededBy)
	if errors.Is(err, index.ErrNotFound) {
		d.SupersededBy = ""
		return nil
	}
	return err
}

// indexed returns a chunk's document and the chunk's text as it was indexed:
// title and body, free of markup.
func (s *snapshot) indexed(ctx context.Context, id index.ChunkID) (document, string, error) {
	chunks, err := s.load(ctx, []index.ChunkID{id})
	if err != nil {
		return document{}, "", err
	}
	d, err := s.document(ctx, chunks[0].Doc)
	if err != nil {
		return document{}, "", err
	}
	return d, index.TitleText(d.Document, chunks[0]) + "\n" + index.BodyText(chunks[0]), nil
}

// texts returns the indexed texts of the hits, in their order.
func (s *snapshot) texts(ctx context.Context, hits []index.Hit) ([]string, error) {
	if _, err := s.load(ctx, ids(hits)); err != nil { // all at once, not one by one below
		return nil, err
	}
	out := make([]string, len(hits))
	for i, h := range hits {
		var err error
		if _, out[i], err = s.indexed(ctx, h.ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func ids(hits []index.Hit) []index.ChunkID {
	out := make([]index.ChunkID, len(hits))
	for i, h := range hits {
		out[i] = h.ID
	}
	return out
}
