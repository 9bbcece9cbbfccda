package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/wire"
	"ken/corpora/acl"
	"ken/corpora/sample"
	"ken/corpora/source/folder"
	"ken/tools"
	"ken/tools/auth"
)

// The demonstration: one question that two people get different answers to.
const demoQuestion = "How much parental leave do I get?"

var demoAskers = []acl.Subject{"user:ines", "user:dov"}

func (p *program) demoCommand() *cobra.Command {
	var address string
	var once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve the bundled handbook and answer one question as two people",
		Long: `Ingest the bundled handbook of a fictional company into memory, serve it on
loopback, ask one question over MCP as two people, and print how to connect.
Nothing is written to disk. It serves until Ctrl-C.`,
		Example: `  ken demo
  ken demo --once`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if once && !cmd.Flags().Changed("http") {
				address = "127.0.0.1:0" // nobody else connects: any free port will do
			}
			return p.runDemo(cmd.Context(), address, func(ctx context.Context, d *demo) error {
				if err := d.ask(ctx, p); err != nil {
					return err
				}
				d.printConnect(p)
				if once {
					fmt.Fprintln(p.stdout, "\nEnded, and these keys with it: ken demo serves until Ctrl-C.")
					return nil
				}
				<-ctx.Done()
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&address, "http", "127.0.0.1:7337", "serve at this loopback `ADDRESS`")
	cmd.Flags().BoolVar(&once, "once", false, "end after the answers")
	return cmd
}

// serveDemo is ken serve --demo: the demonstration without the questions.
func (p *program) serveDemo(ctx context.Context, address string) error {
	return p.runDemo(ctx, address, func(ctx context.Context, d *demo) error {
		d.printConnect(p)
		fmt.Fprintf(p.stderr, "listening on %s\n", d.url)
		<-ctx.Done()
		return nil
	})
}

// demo is a running demonstration.
type demo struct {
	url  string
	keys []demoKey
}

type demoKey struct {
	person sample.Person
	secret string
}

// runDemo serves the bundled handbook while use runs.
func (p *program) runDemo(ctx context.Context, address string, use func(context.Context, *demo) error) error {
	kb, err := p.demoBase(ctx)
	if err != nil {
		return err
	}
	defer kb.Close()
	keys, demoKeys, err := p.demoKeys()
	if err != nil {
		return err
	}
	listener, err := listen(ctx, address)
	if err != nil {
		return fmt.Errorf("%w; choose another address with --http 127.0.0.1:PORT", err)
	}
	ho := tools.HTTPOptions{Authenticator: keys, Demo: true}
	if err := ho.Validate(listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	server, err := p.tools(kb, serveOptions{})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return serveWhile(ctx, server, listener, ho, func(ctx context.Context) error {
		return use(ctx, &demo{url: endpoint(listener, false), keys: demoKeys})
	})
}

// serveWhile serves until use returns or the server fails.
func serveWhile(ctx context.Context, s *tools.Server, l net.Listener, o tools.HTTPOptions, use func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() {
		served <- s.ServeHTTP(ctx, l, o)
		cancel()
	}()
	err := use(ctx)
	cancel()
	if serr := <-served; serr != nil && !errors.Is(serr, http.ErrServerClosed) {
		return serr
	}
	return err
}

// demoBase ingests the bundled handbook into memory.
func (p *program) demoBase(ctx context.Context) (*wire.Base, error) {
	corpus, err := sample.Corpus()
	if err != nil {
		return nil, err
	}
	source, err := folder.New(corpus, folder.Options{Name: sample.Name})
	if err != nil {
		return nil, err
	}
	kb, err := wire.Open(ctx, wire.Options{
		Memory: true, Getenv: p.getenv, Settings: config.Settings{Embedder: config.Embedder{Kind: "hashed"}},
	})
	if err != nil {
		return nil, err
	}
	start := time.Now()
	summary, err := wire.Ingest(ctx, kb.Store, kb.Embedder, wire.IngestOptions{}, source)
	if err != nil {
		return nil, errors.Join(err, kb.Close())
	}
	fmt.Fprintf(p.stdout, "Ingested the handbook of a fictional company: %d documents, %d chunks in %d ms.\n",
		summary.Added, summary.Chunks, time.Since(start).Milliseconds())
	return kb, nil
}

// demoKeys makes a key for each person who asks. They end with the process.
func (p *program) demoKeys() (*auth.Keys, []demoKey, error) {
	people, err := sample.People()
	if err != nil {
		return nil, nil, err
	}
	keys := auth.NewMemory(auth.Options{Clock: p.now})
	var out []demoKey
	for _, id := range demoAskers {
		for _, person := range people {
			if person.ID != id {
				continue
			}
			_, secret, err := keys.Create(person.Subjects(), time.Time{}, "demo")
			if err != nil {
				return nil, nil, err
			}
			out = append(out, demoKey{person, secret})
		}
	}
	return keys, out, nil
}

// ask puts the question as each person, over HTTP, with a real MCP client.
func (d *demo) ask(ctx context.Context, p *program) error {
	for _, k := range d.keys {
		answer, err := callSearch(ctx, d.url, k.secret, demoQuestion)
		if err != nil {
			return fmt.Errorf("ask as %s: %w", k.person.ID, err)
		}
		if len(answer.Results) == 0 || len(answer.Results[0].Passages) == 0 {
			return fmt.Errorf("ask as %s: no answer", k.person.ID)
		}
		best := answer.Results[0]
		passage := best.Passages[0]
		fmt.Fprintf(p.stdout, "\n%s (%s, %s) asks: %s\n", k.person.Name, k.person.Role, joinSubjects(k.person.Subjects()), demoQuestion)
		fmt.Fprintf(p.stdout, "  %s\n", best.Title)
		printMarked(p.stdout, firstLines(passage.Text, 6), nil)
		fmt.Fprintf(p.stdout, "  cited: %s, version %s, bytes %d-%d, sha256 %s\n",
			passage.Citation.Document, passage.Citation.Version, passage.Citation.Start, passage.Citation.End, passage.Citation.SHA256)
	}
	return nil
}

// firstLines returns the first n lines of text that are not empty.
func firstLines(text string, n int) string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && len(out) < n {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// bearer adds the key to each request.
type bearer struct{ key string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.key)
	return http.DefaultTransport.RoundTrip(r)
}

// demoAnswer is the part of the search tool's answer that the demonstration shows.
type demoAnswer struct {
	Results []struct {
		ID       string `json:"id"`
		Title    string `json:"title"`
		Passages []struct {
			Text     string `json:"text"`
			Citation struct {
				Document string `json:"document"`
				Version  string `json:"version"`
				Start    int    `json:"start"`
				End      int    `json:"end"`
				SHA256   string `json:"sha256"`
			} `json:"citation"`
		} `json:"passages"`
	} `json:"results"`
}

func callSearch(ctx context.Context, url, key, query string) (demoAnswer, error) {
	var answer demoAnswer
	client := mcp.NewClient(&mcp.Implementation{Name: "ken demo", Version: version}, nil)
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{
		Endpoint: url, HTTPClient: &http.Client{Transport: bearer{key}, Timeout: time.Minute}, DisableStandaloneSSE: true,
	}, nil)
	if err != nil {
		return answer, err
	}
	defer session.Close()
	result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "search", Arguments: map[string]any{"query": query}})
	if err != nil {
		return answer, err
	}
	text, ok := result.Content[0].(*mcp.TextContent)
	if !ok || result.IsError {
		return answer, errors.New("the search tool answered with an error")
	}
	return answer, json.Unmarshal([]byte(text.Text), &answer)
}

// printConnect prints what to paste into clients.
func (d *demo) printConnect(p *program) {
	fmt.Fprintf(p.stdout, "\nServing at %s. Connect as either person:\n", d.url)
	for _, k := range d.keys {
		fmt.Fprintf(p.stdout, "\n  # %s, %s\n", k.person.Name, k.person.Role)
		fmt.Fprintf(p.stdout, "  claude mcp add --transport http ken-%s %s --header \"Authorization: Bearer %s\"\n",
			strings.TrimPrefix(string(k.person.ID), "user:"), d.url, k.secret)
	}
	fmt.Fprintf(p.stdout, `
  # VS Code (.vscode/mcp.json) and Cursor (.cursor/mcp.json, where "servers" is "mcpServers")
  {"servers": {"ken": {"type": "http", "url": %q, "headers": {"Authorization": "Bearer %s"}}}}

  # Codex (~/.codex/config.toml); the key goes into the environment variable KEN_KEY
  [mcp_servers.ken]
  url = %q
  bearer_token_env_var = "KEN_KEY"

Your own documents: ken ingest FOLDER, then ken search "…" or ken serve --stdio.
`, d.url, d.keys[0].secret, d.url)
}
