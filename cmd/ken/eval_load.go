package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/wire"
	"ken/embed"
	"ken/eval"
	"ken/eval/latency"
	"ken/eval/load"
	"ken/eval/report"
	"ken/index/embedded"
	"ken/retrieval"
	"ken/tools"
	"ken/tools/auth"
)

type loadOptions struct {
	set, mode, json, html string
	rate                  float64
	duration              time.Duration
	bound                 float64
	embedder              config.Embedder
}

func (p *program) evalLoadCommand() *cobra.Command {
	var o loadOptions
	cmd := &cobra.Command{
		Use:   "load --set DIR",
		Short: "Measure latency under load, in process and through MCP",
		Long: `Build an index of the set's documents and ask its questions: cold, warm, by stage, and
at a fixed rate, in process and through MCP over HTTP with a real client.

At a rate, questions are due at fixed times whether or not those before them were
answered, and a question's time counts from when it was due: a pause of the server
makes all questions late that were due in it. With --bound the highest rate is looked
for at which 95 % of the answers come within so many milliseconds.`,
		Example: `  ken eval load --set corpora/sample --rate 20 --duration 10s --html load.html
  ken eval load --set corpora/sample --bound 50`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.evalLoad(cmd.Context(), o) },
	}
	jsonFlag(cmd, &o.json)
	embedderFlags(cmd, &o.embedder)
	modeFlag(cmd, &o.mode)
	f := cmd.Flags()
	f.StringVar(&o.set, "set", "", "`DIR` of the data set")
	f.Float64Var(&o.rate, "rate", 10, "questions that are due in a second")
	f.DurationVar(&o.duration, "duration", 10*time.Second, "how long questions are due, in each run")
	f.Float64Var(&o.bound, "bound", 0, "look for the highest rate with p95 within so many `MS` (default: do not)")
	f.StringVar(&o.html, "html", "", "write a report as one HTML `FILE`")
	cobra.CheckErr(cmd.MarkFlagRequired("set"))
	return cmd
}

func (p *program) evalLoad(ctx context.Context, o loadOptions) (err error) {
	if !(o.rate > 0) || o.duration <= 0 || o.bound < 0 {
		return usage("--rate and --duration must be above 0, and --bound not below")
	}
	embedderOptions := evalOptions{embedder: o.embedder}
	if err := embedderOptions.useEmbedder(); err != nil {
		return err
	}
	set, err := eval.Load(p.path(o.set))
	if err != nil {
		return err
	}
	embedder, err := wire.Embedder(ctx, embedderOptions.embedder, p.getenv(config.EmbedKeyVar))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ken-load-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	built, err := p.evalBuild(embedder, "")(ctx, dir, set.Source)
	if err != nil {
		return err
	}
	if err := built.Close(); err != nil {
		return err
	}
	m := &loading{loadOptions: o, program: p, dir: dir, embedder: embedder, asks: asksOf(set, retrieval.Mode(o.mode))}
	r, err := m.measure(ctx)
	if err != nil {
		return err
	}
	r.System, r.Set = "ken", set.Name
	if err := printLoad(p.humanOut(o.json), r); err != nil {
		return err
	}
	if o.html != "" {
		if err := p.writeLoadHTML(o.html, r); err != nil {
			return err
		}
	}
	if o.json == "" {
		return nil
	}
	return p.writeJSON(o.json, r)
}

// asking is a question as one person puts it.
type asking struct {
	persona eval.Persona
	request retrieval.Request
}

func asksOf(set eval.Set, mode retrieval.Mode) []asking {
	var out []asking
	for _, q := range set.Queries { // all persons in turn, so that any first part has all of them
		for _, who := range set.Personas {
			out = append(out, asking{who, retrieval.Request{Query: q.Text, Mode: mode, Literal: true}})
		}
	}
	return out
}

// loading measures one index.
type loading struct {
	loadOptions
	program  *program
	dir      string
	embedder embed.Embedder
	asks     []asking
}

// How many questions are asked at most: cold, each of a store opened for it, and warm.
const (
	coldAsks = 20
	warmAsks = 500
)

func (m *loading) measure(ctx context.Context) (load.Report, error) {
	r := load.Report{Questions: len(m.asks)}
	cold, err := m.cold(ctx)
	if err != nil {
		return r, err
	}
	r.ColdMS = &cold
	store, s, err := m.open()
	if err != nil {
		return r, err
	}
	defer store.Close()
	if err := m.warm(ctx, s, &r); err != nil {
		return r, err
	}
	if r.InProcess, err = m.under(ctx, func(ctx context.Context, n int) error {
		a := m.asks[n%len(m.asks)]
		_, err := s.Search(ctx, a.persona.Principal, a.request)
		return err
	}); err != nil {
		return r, err
	}
	mcp, err := m.throughMCP(ctx, s)
	r.MCP = &mcp
	return r, err
}

func (m *loading) open() (*embedded.Store, *retrieval.Searcher, error) {
	store, err := embedded.Open(m.dir, embedded.Options{Process: m.program.process})
	if err != nil {
		return nil, nil, err
	}
	timed, e := eval.Timed(store, m.embedder)
	s, err := retrieval.New(timed, retrieval.Options{Embedder: e, Clock: m.program.now, Logger: m.program.logger()})
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return store, s, nil
}

func (m *loading) cold(ctx context.Context) (latency.Summary, error) {
	var took latency.Histogram
	for _, a := range m.asks[:min(coldAsks, len(m.asks))] {
		store, s, err := m.open()
		if err != nil {
			return latency.Summary{}, err
		}
		started := time.Now()
		_, err = s.Search(ctx, a.persona.Principal, a.request)
		took.Add(time.Since(started))
		if err := errors.Join(err, store.Close()); err != nil {
			return latency.Summary{}, err
		}
	}
	return took.Summary(), nil
}

func (m *loading) warm(ctx context.Context, s *retrieval.Searcher, r *load.Report) error {
	var whole latency.Histogram
	var mu sync.Mutex
	stages := map[string]*latency.Histogram{}
	asks := m.asks[:min(warmAsks, len(m.asks))]
	for _, a := range asks {
		if _, err := s.Search(ctx, a.persona.Principal, a.request); err != nil {
			return err
		}
	}
	for _, a := range asks {
		spent := map[string]time.Duration{}
		timed := retrieval.WithStages(ctx, func(stage string, took time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			spent[stage] += took
		})
		started := time.Now()
		_, err := s.Search(timed, a.persona.Principal, a.request)
		took := time.Since(started)
		if err != nil {
			return err
		}
		whole.Add(took)
		rest := took
		for _, d := range spent {
			rest -= d
		}
		spent[eval.StageRest] = max(rest, 0)
		for stage, d := range spent {
			if stages[stage] == nil {
				stages[stage] = &latency.Histogram{}
			}
			stages[stage].Add(d)
		}
	}
	r.WarmMS, r.WarmBars, r.StagesMS = whole.Summary(), whole.Bars(), map[string]latency.Summary{}
	for stage, h := range stages {
		r.StagesMS[stage] = h.Summary()
	}
	return nil
}

// under puts the load on a target.
func (m *loading) under(ctx context.Context, target load.Target) (l load.Loaded, err error) {
	o := load.Options{Rate: m.rate, Duration: m.duration}
	if l.At, err = load.Run(ctx, target, o); err != nil || m.bound == 0 {
		return l, err
	}
	bound := load.Bound{P95MS: m.bound}
	best, runs, ok, err := load.Sustained(ctx, target, o, bound)
	l.Sustained = &load.Sustaining{Bound: bound, Tried: len(runs)}
	if ok {
		l.Sustained.Best = &best
	}
	return l, err
}

// throughMCP serves the searcher over HTTP on loopback, as ken serve does, and asks
// with a session of a real client for each person.
func (m *loading) throughMCP(ctx context.Context, s tools.Searcher) (l load.Loaded, err error) {
	keys := auth.NewMemory(auth.Options{Clock: m.program.now})
	secrets := map[string]string{}
	for _, a := range m.asks {
		if _, ok := secrets[a.persona.Name]; !ok {
			if _, secrets[a.persona.Name], err = keys.Create(a.persona.Principal.Subjects(), time.Time{}, "load"); err != nil {
				return l, fmt.Errorf("make a key for %q: %w", a.persona.Name, err)
			}
		}
	}
	listener, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return l, err
	}
	server, err := tools.New(s, tools.Options{Version: version, Clock: m.program.now, Log: m.program.logger()})
	if err != nil {
		return l, errors.Join(err, listener.Close())
	}
	return l, serveWhile(ctx, server, listener, tools.HTTPOptions{Authenticator: keys}, func(ctx context.Context) error {
		sessions, err := connectAll(ctx, endpoint(listener, false), secrets)
		defer func() {
			for _, session := range sessions {
				session.Close()
			}
		}()
		if err != nil {
			return err
		}
		l, err = m.under(ctx, func(ctx context.Context, n int) error {
			a := m.asks[n%len(m.asks)]
			return callOver(ctx, sessions[a.persona.Name], a.request.Query)
		})
		return err
	})
}

func connectAll(ctx context.Context, url string, secrets map[string]string) (map[string]*mcp.ClientSession, error) {
	out := map[string]*mcp.ClientSession{}
	for name, secret := range secrets {
		client := mcp.NewClient(&mcp.Implementation{Name: "ken eval load", Version: version}, nil)
		session, err := client.Connect(ctx, &mcp.StreamableClientTransport{
			Endpoint: url, HTTPClient: &http.Client{Transport: bearer{secret}, Timeout: time.Minute}, DisableStandaloneSSE: true,
		}, nil)
		if err != nil {
			return out, err
		}
		out[name] = session
	}
	return out, nil
}

func callOver(ctx context.Context, session *mcp.ClientSession, query string) error {
	result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "search", Arguments: map[string]any{"query": query}})
	if err == nil && result.IsError {
		err = errors.New("the search tool answered with an error")
	}
	return err
}

func printLoad(out io.Writer, r load.Report) error {
	fmt.Fprintf(out, "%s: %d questions\n\n", r.Set, r.Questions)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "milliseconds\tcount\tp50\tp90\tp95\tp99\tp99.9\tmax\t")
	row := func(name string, s latency.Summary) {
		fmt.Fprintf(w, "%s\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t\n", name, s.Count, s.P50, s.P90, s.P95, s.P99, s.P999, s.Max)
	}
	if r.ColdMS != nil {
		row("cold", *r.ColdMS)
	}
	row("warm", r.WarmMS)
	for _, stage := range slices.SortedFunc(maps.Keys(r.StagesMS), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.StagesMS[b].P50, r.StagesMS[a].P50), cmp.Compare(a, b))
	}) {
		row("warm, "+stage, r.StagesMS[stage])
	}
	row(fmt.Sprintf("in process, %g/s", r.InProcess.At.Rate), r.InProcess.At.LatencyMS)
	if r.MCP != nil {
		row(fmt.Sprintf("through MCP, %g/s", r.MCP.At.Rate), r.MCP.At.LatencyMS)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	printSustained(out, "in process", r.InProcess)
	if r.MCP != nil {
		printSustained(out, "through MCP", *r.MCP)
	}
	return nil
}

func printSustained(out io.Writer, where string, l load.Loaded) {
	if l.At.Errors > 0 {
		fmt.Fprintf(out, "%s: %d of %d failed, first: %s\n", where, l.At.Errors, l.At.Requests, l.At.FirstError)
	}
	switch s := l.Sustained; {
	case s == nil:
	case s.Best == nil:
		fmt.Fprintf(out, "%s: no rate kept p95 within %g ms (%d tried)\n", where, s.Bound.P95MS, s.Tried)
	default:
		fmt.Fprintf(out, "%s: %.4g questions a second with p95 within %g ms (p95 %.2f ms; %d rates tried)\n", where, s.Best.Rate, s.Bound.P95MS, s.Best.LatencyMS.P95, s.Tried)
	}
}

func (p *program) writeLoadHTML(name string, r load.Report) (err error) {
	f, err := os.Create(filepath.Clean(p.path(name)))
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return report.LoadHTML(f, r)
}
