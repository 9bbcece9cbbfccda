package main

import (
	"context"
	"fmt"
	"os"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/wire"
	"ken/retrieval"
)

// open opens the knowledge base in the data directory to search it.
func (p *program) open(ctx context.Context, params []string) (*wire.Base, error) {
	dir, err := p.existingDir()
	if err != nil {
		return nil, err
	}
	settings, err := config.Load(dir)
	if err != nil {
		return nil, err
	}
	o := p.options(dir, settings)
	if o.Params, err = parseParams(params); err != nil {
		return nil, err
	}
	kb, err := wire.Open(ctx, o)
	if err == nil && kb.EmbedderErr != nil {
		fmt.Fprintf(p.stderr, "ken: the embedder cannot be used, searching by words alone: %v\n", kb.EmbedderErr)
	}
	return kb, err
}

// existingDir returns the data directory, which must hold an index: asking must
// not create one.
func (p *program) existingDir() (string, error) {
	dir, err := p.dataDir()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(wire.IndexDir(dir)); err != nil {
		return "", fmt.Errorf("no index in %s: run `ken ingest FOLDER` first, or name another directory with --data", dir)
	}
	return dir, nil
}

func (p *program) options(dir string, s config.Settings) wire.Options {
	return wire.Options{Dir: dir, Settings: s, Getenv: p.getenv, Process: p.process}
}

// parseParams reads ranking parameters given as name=value.
func parseParams(assignments []string) (retrieval.Params, error) {
	params := retrieval.DefaultParams()
	for _, a := range assignments {
		if err := params.Set(a); err != nil {
			return params, usage("--param: %w", err)
		}
	}
	return params, nil
}
