// Package metrics tells operators how calls go and how fresh sources are, in the
// text format of Prometheus.
//
// It is for operators alone: counts over all people's calls, and the names of
// sources, are what no answer to a person may hold. Names that clients make up
// become no label.
package metrics

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"ken/tools"
	"ken/tools/middleware"
)

// Path is where they are served.
const Path = "/metrics"

// Source is what is told of a source.
type Source struct {
	Name        string
	Synced      time.Time // when the newest run began that read it to its end; zero: none did
	Unsynced    time.Time // when the oldest change was made that is known and not in the index; zero: there is none
	Failed      bool      // the newest run failed
	Closed      bool      // its permissions could not be read, so nobody may read its documents
	Quarantined int       // documents that could not be taken in
}

// Metrics count calls. Make them with [New].
type Metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	log      *slog.Logger
}

// New returns metrics that ask for the sources whenever they are read.
func New(version string, sources func() ([]Source, error), log *slog.Logger) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(), log: log,
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ken_calls_total", Help: "Requests of the protocol that have ended. The kind is that of the error, \"\" without one.",
		}, []string{"method", "tool", "kind"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ken_call_duration_seconds", Help: "How long they took.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "tool"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "ken_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(m.calls, m.seconds, build, &freshness{sources, log},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Observe counts a call that has ended; it is an [tools.Options] Observe.
func (m *Metrics) Observe(_ context.Context, c tools.Call) {
	method, tool := known(methods, c.Method), ""
	if method == callTool {
		tool = known(toolNames, c.Tool)
	}
	m.calls.WithLabelValues(method, tool, c.Kind).Inc()
	m.seconds.WithLabelValues(method, tool).Observe(c.Duration.Seconds())
}

const callTool = "tools/call"

// methods and toolNames are the labels that there can be.
var (
	methods = set(callTool, "tools/list", "resources/list", "resources/read", "resources/templates/list", "prompts/get", "prompts/list",
		"completion/complete", "initialize", "server/discover", "ping")
	toolNames = set(tools.ToolNames()...)
)

func set(names ...string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out
}

// known keeps what strangers send out of labels, which live as long as the process.
func known(names map[string]bool, name string) string {
	if names[name] {
		return name
	}
	return "other"
}

// Handler serves the metrics to programs on this machine.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+Path, promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError, ErrorLog: logger{m.log}}))
	return middleware.Headers(middleware.Host(nil, middleware.Origin(middleware.Origins{}, mux)))
}

type logger struct{ log *slog.Logger }

func (l logger) Println(v ...any) { l.log.Error("metrics", "error", v) }

// freshness tells of sources as they are when it is asked.
type freshness struct {
	sources func() ([]Source, error)
	log     *slog.Logger
}

var errUnknown = errors.New("the state of the sources is not known: see the log")

var (
	synced      = prometheus.NewDesc("ken_source_last_sync_timestamp_seconds", "When the newest run began that read the source to its end; 0 if none did.", []string{"source"}, nil)
	unsynced    = prometheus.NewDesc("ken_source_oldest_unsynced_timestamp_seconds", "When the oldest change was made that is known and not in the index; absent if there is none.", []string{"source"}, nil)
	closed      = prometheus.NewDesc("ken_source_closed", "1 if its permissions could not be read, so that nobody may read its documents until ken acl confirm.", []string{"source"}, nil)
	failed      = prometheus.NewDesc("ken_source_failed", "1 if the newest run failed.", []string{"source"}, nil)
	quarantined = prometheus.NewDesc("ken_source_quarantined_documents", "Documents that could not be taken in.", []string{"source"}, nil)
)

// Describe implements [prometheus.Collector].
func (f *freshness) Describe(out chan<- *prometheus.Desc) {
	out <- synced
	out <- unsynced
	out <- closed
	out <- failed
	out <- quarantined
}

// Collect implements [prometheus.Collector].
func (f *freshness) Collect(out chan<- prometheus.Metric) {
	all, err := f.sources()
	if err != nil { // it names places on this machine; whoever may read its log may know them
		f.log.Error("metrics", "error", err)
		out <- prometheus.NewInvalidMetric(synced, errUnknown)
		return
	}
	for _, s := range all {
		tell := func(what *prometheus.Desc, value float64) {
			out <- prometheus.MustNewConstMetric(what, prometheus.GaugeValue, value, s.Name)
		}
		tell(synced, seconds(s.Synced))
		if !s.Unsynced.IsZero() {
			tell(unsynced, seconds(s.Unsynced))
		}
		tell(closed, number(s.Closed))
		tell(failed, number(s.Failed))
		tell(quarantined, float64(s.Quarantined))
	}
}

func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
