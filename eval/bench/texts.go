package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ken/corpora/acl"
	"ken/embed"
	"ken/embed/hashed"
)

func embedAll(e *hashed.Embedder, texts []string) ([]embed.Vector, error) {
	return e.Embed(context.Background(), embed.Passage, texts)
}

// texts measures with real text, hashed vectors of it, and 10,000 ACLs.
func (b *bench) texts(ctx context.Context) (err error) {
	source, err := newRealText(1)
	if errors.Is(err, errNoText) {
		fmt.Fprintln(os.Stderr, err)
		return nil
	}
	if err != nil {
		return err
	}
	ken, err := newKen(ctx, filepath.Join(b.dir, "text"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ken.Close()) }()
	rival, err := newBleve(filepath.Join(b.dir, "text-bleve"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rival.Close()) }()
	p := pair{ken: ken, bleve: rival}
	var stored []embed.Vector
	for source.made*perDoc < b.chunks {
		entries, err := source.embedded(min(batch, b.chunks/perDoc-source.made))
		if err != nil {
			return err
		}
		for _, e := range entries {
			stored = append(stored, e.Vectors...)
		}
		if err := p.add(ctx, entries); err != nil {
			return err
		}
	}
	p.report(&b.figures, "text_")
	warm, err := source.queries(801, b.queries/3)
	if err != nil {
		return err
	}
	qs, err := source.queries(802, b.queries)
	if err != nil {
		return err
	}
	begin := time.Now()
	v, err := ken.View(ctx, textReaders()["acls"], noon)
	if err != nil {
		return err
	}
	b.figures.set("text_acls_first_view_ms", ms(time.Since(begin)))
	if err := v.Close(); err != nil {
		return err
	}
	for _, name := range []string{"acls", "all"} {
		who := textReaders()[name]
		if err := b.searches(ctx, ken, who, "text_"+name, warm, qs); err != nil {
			return err
		}
		if err := b.beside(ctx, p, who, "text_"+name, warm, qs); err != nil {
			return err
		}
	}
	got, err := recall(ctx, ken, acl.NewPrincipal("group:all"), qs[:min(50, len(qs))], stored)
	b.figures.set("vector_recall_at_10_text", got)
	b.recalled = append(b.recalled, got)
	return err
}
