package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/wire"
	"ken/corpora/policy"
	"ken/retrieval"
	"ken/retrieval/rerank"
)

// open opens the knowledge base in the data directory to search it.
func (p *program) open(ctx context.Context, f searchFlags) (*wire.Base, error) {
	dir, err := p.existingDir()
	if err != nil {
		return nil, err
	}
	settings, err := config.Load(dir)
	if err != nil {
		return nil, err
	}
	o, err := p.searchOptions(dir, settings, f)
	if err != nil {
		return nil, err
	}
	kb, err := p.openBase(ctx, o)
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
	return wire.Options{Dir: dir, Settings: s, Getenv: p.getenv, Process: p.process, Logger: p.logger(), Remember: cacheMemory()}
}

// settings are the flags that decide the ranking, for a report.
func (s searchFlags) settings() map[string]any {
	out := map[string]any{"vectors": cmp.Or(s.vectors, "flat")}
	if s.reranker.URL != "" {
		out["rerank_model"], out["rerank_shape"] = s.reranker.Model, cmp.Or(s.reranker.Shape, string(rerank.Documents))
	}
	return out
}

// searchOptions are options with the flags of a search.
func (p *program) searchOptions(dir string, s config.Settings, f searchFlags) (o wire.Options, err error) {
	o = p.options(dir, s)
	o.Reranker, o.Vectors = f.reranker, f.vectors
	if f.file != "" {
		f.file = p.path(f.file)
	}
	o.Params, err = f.ranking()
	return o, err
}

// searchFlags change how a search is done, not what may be found.
type searchFlags struct {
	params   []string
	file     string // of params; the flag of one wins
	vectors  string
	reranker config.Reranker
}

// modeFlag adds the flag --mode, which is the same in every command that searches.
func modeFlag(cmd *cobra.Command, mode *string) {
	cmd.Flags().StringVar(mode, "mode", "hybrid", "hybrid, lexical or vector")
	complete(cmd, "mode", "hybrid", "lexical", "vector")
}

// complete offers the values of a flag to the shell.
func complete(cmd *cobra.Command, flag string, values ...string) {
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)))
}

func (s *searchFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	defer complete(cmd, "vectors", "flat", "chromem")
	defer complete(cmd, "rerank-shape", string(rerank.Documents), string(rerank.Texts))
	f.StringArrayVar(&s.params, "param", nil, "set a ranking parameter, `NAME=VALUE` (repeatable)")
	f.StringVar(&s.file, "params", "", "read ranking parameters from `FILE`, such as ken eval tune writes")
	f.StringVar(&s.vectors, "vectors", "", "vector leg: flat or chromem; both give the same results (default flat)")
	f.StringVar(&s.reranker.URL, "rerank-url", "", "`URL` of an endpoint that reorders the best passages; its key is $KEN_RERANK_KEY")
	f.StringVar(&s.reranker.Model, "rerank-model", "", "model name at the rerank endpoint")
	f.StringVar(&s.reranker.Shape, "rerank-shape", "", "its requests: documents (Cohere, Jina, vLLM) or texts (TEI) (default documents)")
}

// ranking returns the parameters of the file and of the flags, which win.
func (s searchFlags) ranking() (retrieval.Params, error) {
	params := retrieval.DefaultParams()
	if s.file != "" {
		assignments, err := config.LoadParams(s.file)
		if err != nil {
			return params, err
		}
		for _, a := range assignments {
			if err := params.Set(a); err != nil {
				return params, fmt.Errorf("parameters in %s: %w", s.file, err)
			}
		}
	}
	for _, a := range s.params {
		if err := params.Set(a); err != nil {
			return params, usage("--param: %w", err)
		}
	}
	return params, nil
}

// rulesFile reads a file of rules in the data directory; nil if there is none.
func (p *program) rulesFile(name string) ([]byte, error) {
	dir, err := p.dataDir()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, name)
	data, err := os.ReadFile(file)
	if policy.Missing(file, err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data, nil // not nil if it is empty: that is a mistake in it
}
