package metrics_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ken/tools"
	"ken/tools/metrics"
)

func read(t *testing.T, m *metrics.Metrics) (int, string) {
	t.Helper()
	server := httptest.NewServer(m.Handler())
	defer server.Close()
	resp, err := http.Get(server.URL + metrics.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestCallsAndSources(t *testing.T) {
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	m := metrics.New("1.2.3", func() ([]metrics.Source, error) {
		return []metrics.Source{{Name: "wiki", Synced: at, Quarantined: 2}, {Name: "mail", Failed: true, Closed: true, Unsynced: at.Add(time.Second)}}, nil
	}, slog.New(slog.DiscardHandler))
	m.Observe(t.Context(), tools.Call{Method: "tools/call", Tool: "search", Duration: 3 * time.Millisecond})
	m.Observe(t.Context(), tools.Call{Method: "tools/call", Tool: "fetch", Kind: "not_found"})
	for _, madeUp := range []string{"x\"} 1\n", strings.Repeat("y", 1000), "ken_calls_total"} {
		m.Observe(t.Context(), tools.Call{Method: madeUp})
		m.Observe(t.Context(), tools.Call{Method: "tools/call", Tool: madeUp})
	}
	status, body := read(t, m)
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}
	for _, want := range []string{
		`ken_build_info{version="1.2.3"} 1`,
		`ken_calls_total{kind="",method="tools/call",tool="search"} 1`,
		`ken_calls_total{kind="not_found",method="tools/call",tool="fetch"} 1`,
		`ken_calls_total{kind="",method="other",tool=""} 3`,
		`ken_calls_total{kind="",method="tools/call",tool="other"} 3`,
		`ken_call_duration_seconds_bucket{method="tools/call",tool="search",le="0.005"} 1`,
		`ken_call_duration_seconds_bucket{method="tools/call",tool="search",le="0.002"} 0`,
		`ken_source_last_sync_timestamp_seconds{source="wiki"} 1.7724456e+09`,
		`ken_source_last_sync_timestamp_seconds{source="mail"} 0`,
		`ken_source_quarantined_documents{source="wiki"} 2`,
		`ken_source_failed{source="mail"} 1`,
		`ken_source_closed{source="mail"} 1`,
		`ken_source_closed{source="wiki"} 0`,
		`ken_source_oldest_unsynced_timestamp_seconds{source="mail"} 1.772445601e+09`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
	if strings.Contains(body, `unsynced_timestamp_seconds{source="wiki"}`) {
		t.Error("a time for a source without changes that wait")
	}
	if got := strings.Count(body, "ken_calls_total{"); got != 4 {
		t.Errorf("%d series of calls, want 4", got)
	}
}

// Half of the truth would read as good news. Why it is not known is for the log.
func TestSourcesThatCannotBeRead(t *testing.T) {
	var log bytes.Buffer
	m := metrics.New("", func() ([]metrics.Source, error) { return nil, errors.New("open /srv/payroll: damaged") }, slog.New(slog.NewTextHandler(&log, nil)))
	status, body := read(t, m)
	if status != http.StatusInternalServerError || strings.Contains(body, "payroll") {
		t.Errorf("status %d, want 500 without a path: %s", status, body)
	}
	if !strings.Contains(log.String(), "payroll") {
		t.Errorf("the log does not tell why: %s", log.String())
	}
}
