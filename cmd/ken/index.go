package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/wire"
	"ken/index/chunk"
	"ken/index/embedded"
)

func (p *program) indexCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "index",
		Short: "Build, try out, promote and roll back generations of the index",
		Long: `A generation is one way to cut and embed the documents. Another one is built beside
the one that answers, from the documents that the index holds, and takes its place
when it has passed its gates. Documents and permissions are there once: a revoke or
a delete holds in every generation at once. Ingest keeps every generation current;
one that it cannot keep current is behind, and cannot be promoted until it has caught
up.`,
		Example: `  ken index build --embedder hashed --embed-dim 512
  ken index promote --suite suite.yaml --percent 10 1
  ken index generations
  ken index promote --suite suite.yaml 1
  ken index rollback`,
	}
	cmd.AddCommand(p.indexBuildCommand(), p.indexListCommand(), p.indexPromoteCommand(), p.indexRollbackCommand(), p.indexDropCommand())
	return cmd
}

type buildOptions struct {
	embedder config.Embedder
	chunk    chunk.Options
	resume   string
	json     string
}

func (p *program) indexBuildCommand() *cobra.Command {
	var o buildOptions
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Build a generation beside the one that answers",
		Long: `Cut and embed every document of the index anew, beside the generation that answers,
which goes on answering. No source is read. What no flag says is as in the active
generation. A build that was interrupted goes on with --resume.`,
		Example: `  ken index build --embedder hashed --embed-dim 512
  ken index build --chunk-max 512 --chunk-target 400
  ken index build --resume 1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.indexBuild(cmd.Context(), o) },
	}
	jsonFlag(cmd, &o.json)
	embedderFlags(cmd, &o.embedder)
	f := cmd.Flags()
	f.IntVar(&o.chunk.Max, "chunk-max", 0, "tokens of the largest chunk (default 400)")
	f.IntVar(&o.chunk.Target, "chunk-target", 0, "tokens that a chunk is filled up to (default 256)")
	f.IntVar(&o.chunk.Min, "chunk-min", 0, "tokens below which a section joins its neighbour (default a quarter of the target)")
	f.StringVar(&o.resume, "resume", "", "go on with `GENERATION` until it lacks nothing")
	return cmd
}

func (p *program) indexBuild(ctx context.Context, o buildOptions) error {
	if o.chunk.Max < 0 || o.chunk.Target < 0 || o.chunk.Min < 0 {
		return usage("the sizes of chunks cannot be negative")
	}
	if o.embedder != (config.Embedder{}) {
		if err := checkEmbedder(o.embedder); err != nil {
			return err
		}
	}
	if o.resume != "" && (o.embedder != (config.Embedder{}) || o.chunk != (chunk.Options{})) {
		return usage("--resume goes on with how the generation was begun: leave out the other flags")
	}
	return p.onIndex(ctx, func(kb *wire.Base) error {
		bar := newBar(p.stderr, "docs")
		id, err := p.build(ctx, kb, o, bar.show)
		bar.finish()
		if err != nil {
			if id > 0 {
				err = fmt.Errorf("%w; go on with `ken index build --resume %d`", err, id)
			}
			return err
		}
		g, m, err := kb.Generation(id)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.humanOut(o.json), "generation %d is built: %d documents, %d chunks, %s. Try it with `ken index promote --suite FILE %d`.\n",
			id, g.Documents, g.Chunks, m.Describe(), id)
		if o.json == "" {
			return nil
		}
		return p.writeJSON(o.json, g)
	})
}

func (p *program) build(ctx context.Context, kb *wire.Base, o buildOptions, progress func(done, of int)) (uint32, error) {
	if o.resume != "" {
		id, err := generationID(o.resume)
		if err == nil {
			err = kb.Resume(ctx, id, p.getenv, progress)
		}
		return id, err
	}
	m := kb.Making
	if o.embedder != (config.Embedder{}) {
		m.Embedder = o.embedder
	}
	if o.chunk != (chunk.Options{}) {
		m.Chunk = o.chunk
	}
	return kb.Build(ctx, m, p.getenv, p.now(), progress)
}

// onIndex opens the knowledge base for a command that changes its generations.
func (p *program) onIndex(ctx context.Context, f func(*wire.Base) error) error {
	kb, err := p.open(ctx, searchFlags{})
	if err != nil {
		return err
	}
	return errors.Join(f(kb), kb.Close())
}

func generationID(text string) (uint32, error) {
	id, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, usage("%q is not the number of a generation: `ken index generations` lists them", text)
	}
	return uint32(id), nil
}

// generationReport is a generation as it is reported.
type generationReport struct {
	embedded.Generation
	State  string       `json:"state"`
	Served *wire.Served `json:"served,omitempty"` // by the running server, nil if nothing was
}

func (p *program) indexListCommand() *cobra.Command {
	var jsonFile string
	cmd := &cobra.Command{
		Use:   "generations",
		Short: "List the generations and what they served",
		Long: `List the generations: which one answers, to what share of the users, what it lacks,
how it fared on the suite that it was measured with, and, from a running server, what
it has answered since the server began.`,
		Example: `  ken index generations
  ken index generations --json -`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.onIndex(cmd.Context(), func(kb *wire.Base) error { return p.indexList(kb, jsonFile) })
		},
	}
	jsonFlag(cmd, &jsonFile)
	return cmd
}

func (p *program) indexList(kb *wire.Base, jsonFile string) error {
	all, err := kb.Store.Generations()
	if err != nil {
		return err
	}
	served := kb.Served()
	reports := make([]generationReport, len(all))
	for i, g := range all {
		reports[i] = generationReport{Generation: g, State: stateOf(g)}
		if s, ok := served[g.ID]; ok {
			reports[i].Served = &s
		}
	}
	if err := printGenerations(p.humanOut(jsonFile), kb, reports); err != nil || jsonFile == "" {
		return err
	}
	return p.writeJSON(jsonFile, reports)
}

func stateOf(g embedded.Generation) string {
	var words []string
	switch {
	case g.Active:
		words = append(words, "active")
	case g.Percent > 0:
		words = append(words, fmt.Sprintf("%d %% of users", g.Percent))
	case g.Missing > 0:
		words = append(words, fmt.Sprintf("behind by %d", g.Missing))
	default:
		words = append(words, "kept")
	}
	if g.Previous {
		words = append(words, "for rollback")
	}
	return strings.Join(words, ", ")
}

func printGenerations(out io.Writer, kb *wire.Base, reports []generationReport) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "generation\tstate\tmade with\tdocuments\tchunks\tmeasured\tsearches\terrors\tempty\tdegraded\tp50 ms\tp95 ms")
	for _, r := range reports {
		_, m, err := kb.Generation(r.ID)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%d\t%d\t%s", r.ID, r.State, m.Describe(), r.Documents, r.Chunks, describeNote(r.Note))
		if s := r.Served; s != nil {
			fmt.Fprintf(w, "\t%d\t%d\t%d\t%d\t%.2f\t%.2f\n", s.Searches, s.Errors, s.Empty, s.Degraded, s.LatencyMS.P50, s.LatencyMS.P95)
		} else {
			fmt.Fprintln(w, "\t-\t-\t-\t-\t-\t-")
		}
	}
	return w.Flush()
}

func (p *program) indexRollbackCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rollback",
		Short: "Take back the last promotion, at once",
		Long: `End the share that is served from another generation; if there is none, let the
generation answer again that answered before the last promotion.`,
		Example: `  ken index rollback`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.onIndex(cmd.Context(), func(kb *wire.Base) error {
				started := time.Now()
				id, err := kb.Store.Rollback(cmd.Context())
				if err != nil {
					return err
				}
				fmt.Fprintf(p.stdout, "generation %d answers everybody (in %.0f ms)\n", id, float64(time.Since(started).Microseconds())/1000)
				return nil
			})
		},
	}
}

func (p *program) indexDropCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "drop GENERATION",
		Short:   "Delete a generation that does not answer",
		Example: `  ken index drop 1`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := generationID(args[0])
			if err != nil {
				return err
			}
			return p.onIndex(cmd.Context(), func(kb *wire.Base) error {
				g, _, err := kb.Generation(id)
				if err != nil {
					return err
				}
				if g.Percent > 0 {
					return fmt.Errorf("%d %% of the users are served from generation %d: `ken index rollback` ends that", g.Percent, id)
				}
				return kb.Store.Drop(cmd.Context(), id)
			})
		},
	}
}
