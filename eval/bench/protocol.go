package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/pprof"
	"sync"
	"time"

	"ken/tools"
	"ken/tools/auth"
)

// clients is how many callers put load on the server.
const clients = 16

// protocol measures searches through MCP over HTTP, by clients that read answers
// and do nothing else, on the same machine.
func (a *aside) protocol(ctx context.Context) (err error) {
	qs := queries(901, a.queries, .5, a.stored)
	full, _, err := searchers(a.store, qs)
	if err != nil {
		return err
	}
	server, err := tools.New(full, tools.Options{})
	if err != nil {
		return err
	}
	keys := auth.NewMemory(auth.Options{})
	_, key, err := keys.Create(readers()["tenth"].Subjects(), time.Time{}, benchName)
	if err != nil {
		return err
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- server.ServeHTTP(serving, l, tools.HTTPOptions{Authenticator: keys}) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	c := client{url: "http://" + l.Addr().String() + tools.PathMCP, key: key}
	c.http.Transport = &http.Transport{MaxIdleConnsPerHost: clients}
	defer c.http.CloseIdleConnections()
	var one times
	for i, q := range append(qs[:min(50, len(qs))], qs...) {
		var t times
		if err := t.measure(func() error { return c.search(ctx, q.text) }); err != nil {
			return err
		}
		if i >= 50 {
			one = append(one, t...)
		}
	}
	a.figures.latencies("mcp_http", one)
	if a.profile != "" {
		f, err := os.Create(a.profile)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	rate, err := c.load(ctx, qs, 4*time.Second)
	a.figures.set(fmt.Sprintf("mcp_http_per_s_%d_clients", clients), rate)
	return err
}

// client calls the tool search.
type client struct {
	http     http.Client
	url, key string
}

func (c *client) search(ctx context.Context, text string) error {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": map[string]any{
		"name": "search", "arguments": map[string]any{"query": text},
		"_meta": map[string]any{
			"io.modelcontextprotocol/protocolVersion":    "2026-07-28",
			"io.modelcontextprotocol/clientCapabilities": map[string]any{},
			"io.modelcontextprotocol/clientInfo":         map[string]any{"name": benchName, "version": "1"},
		},
	}})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer " + c.key, "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "search",
	} {
		r.Header.Set(name, value)
	}
	res, err := c.http.Do(r)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK || !bytes.Contains(answer, []byte(`"structuredContent"`)) {
		return fmt.Errorf("search over HTTP: %s: %.200s", res.Status, answer)
	}
	return nil
}

// load returns the searches per second of all clients at once.
func (c *client) load(ctx context.Context, qs []query, d time.Duration) (float64, error) {
	var callers sync.WaitGroup
	counts, errs := make([]int, clients), make([]error, clients)
	begin := time.Now()
	for n := range clients {
		callers.Go(func() {
			for i := n; time.Since(begin) < d && errs[n] == nil; i += clients {
				errs[n] = c.search(ctx, qs[i%len(qs)].text)
				counts[n]++
			}
		})
	}
	callers.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / time.Since(begin).Seconds(), errors.Join(errs...)
}
