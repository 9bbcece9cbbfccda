package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	var o options
	var sizes string
	flag.StringVar(&sizes, "chunks", "100000", "chunks in the index; several sizes are separated by commas")
	flag.IntVar(&o.queries, "queries", 300, "queries of each kind")
	flag.StringVar(&o.json, "json", "", "file for the figures as JSON; - is standard output")
	flag.StringVar(&o.text, "text", "-", "file for the figures as text")
	flag.StringVar(&o.html, "html", "", "file for the figures as a page")
	flag.StringVar(&o.profile, "profile", "", "file for a CPU profile of the searches over HTTP")
	flag.BoolVar(&o.rivals, "rivals", true, "measure bleve, chromem-go and scans too; without them only ingest, searches, sizes and opening")
	flag.StringVar(&o.dir, "dir", "", "folder for the stores, which stay there; a store of an earlier run with -rivals=false is measured again")
	flag.StringVar(&o.alone, "alone", "", "used by the program itself")
	flag.BoolVar(&o.first, "first", false, "used by the program itself")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, sizes); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	chunks, queries  int
	json, text, html string
	profile, alone   string
	dir              string
	rivals           bool
	first            bool // no more than the first answer
}

func run(ctx context.Context, o options, sizes string) error {
	var all figures
	for _, size := range strings.Split(sizes, ",") {
		var err error
		if o.chunks, err = strconv.Atoi(size); err != nil || o.chunks < 10*perDoc {
			return fmt.Errorf("-chunks %s: want numbers from %d", size, 10*perDoc)
		}
		if o.alone != "" {
			return alone(ctx, o)
		}
		f, err := measure(ctx, o)
		if err != nil {
			return err
		}
		all.join(o.chunks, f)
	}
	return errors.Join(write(o.json, all.json), write(o.text, all.text), write(o.html, all.html))
}

// measure takes all figures of one size.
func measure(ctx context.Context, o options) (f figures, err error) {
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "ken-bench-"); err != nil {
			return f, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	}
	b := &bench{options: o, readers: readers(), source: newCorpus(1, .5)}
	for _, step := range []struct {
		name  string
		rival bool // it is about others too
		run   func(context.Context) error
	}{
		{"ingest", false, b.ingest}, {"recipe", false, b.recipe}, {"words", true, b.words}, {"vectors", true, b.vectors},
		{"recall", true, b.recall}, {"apart", false, b.apart}, {"text", true, b.texts},
	} {
		if step.rival && !o.rivals {
			continue
		}
		begin := time.Now()
		if err := step.run(ctx); err != nil {
			return f, errors.Join(fmt.Errorf("%s: %w", step.name, err), b.close())
		}
		fmt.Fprintf(os.Stderr, "%9d %-8s %6.1f s\n", o.chunks, step.name, time.Since(begin).Seconds())
	}
	if len(b.recalled) > 0 {
		b.figures.set("vector_recall_at_10", slices.Min(b.recalled))
	}
	return b.figures, b.close()
}
