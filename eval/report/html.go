package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"

	"ken/eval"
	"ken/eval/suite"
)

//go:embed report.html
var page string

// HTML writes one file that holds everything it needs: no script, style or
// picture is loaded. Everything that comes from a set is escaped.
func HTML(w io.Writer, r suite.Result) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"figure":     func(m eval.Metrics, name string) string { return figure(m, name) },
		"columns":    func() []string { return columns[:] },
		"words":      func(name string) string { return strings.ReplaceAll(name, "_", " ") },
		"compare":    Compare,
		"histogram":  newHistogram,
		"trend":      newTrend,
		"percent":    func(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) },
		"three":      func(x float64) string { return fmt.Sprintf("%.3f", x) },
		"two":        func(x float64) string { return fmt.Sprintf("%.2f", x) },
		"silent":     func(a *eval.Answering) string { return verdict(a, r.Answers.All.Threshold) },
		"firstPlace": firstPlace,
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	return t.Execute(w, r)
}

func firstPlace(o eval.Outcome) string {
	if len(o.Top) == 0 {
		return "nothing found"
	}
	return string(o.Top[0].Document)
}

// verdict says what became of a question's answer.
func verdict(a *eval.Answering, threshold float64) string {
	switch silent := a != nil && a.Confidence < threshold; {
	case a == nil:
		return "–"
	case silent && a.Answerable:
		return "refused wrongly"
	case silent:
		return "refused rightly"
	case !a.Answerable:
		return "should refuse"
	case a.InContext:
		return "answered"
	}
	return "answer not packed"
}

// histogram is the latencies of a run in buckets that double.
type histogram struct {
	Title string
	Bars  []bar
	Most  int
}

type bar struct {
	Label  string
	Count  int
	X, Y   int
	Height int
	TextX  int
}

// The sizes of the picture in its own units.
const (
	barWidth   = 48
	barGap     = 8
	plotHeight = 120
	plotTop    = 20
)

func newHistogram(run suite.Run) histogram {
	counts := make(map[int]int)
	low, high := math.MaxInt, math.MinInt
	for _, o := range run.Outcomes {
		i := int(math.Floor(math.Log2(max(o.LatencyMS, 1./64))))
		counts[i]++
		low, high = min(low, i), max(high, i)
	}
	h := histogram{Title: fmt.Sprintf("%s: latency of %d searches", run.Name(), len(run.Outcomes))}
	if len(run.Outcomes) == 0 {
		return h
	}
	for i := low; i <= high; i++ {
		h.Most = max(h.Most, counts[i])
	}
	for i := low; i <= high; i++ {
		b := bar{Label: edge(i), Count: counts[i], X: len(h.Bars) * (barWidth + barGap)}
		b.Height = plotHeight * b.Count / h.Most
		b.Y, b.TextX = plotTop+plotHeight-b.Height, b.X+barWidth/2
		h.Bars = append(h.Bars, b)
	}
	return h
}

// Width is that of the picture.
func (h histogram) Width() int { return max(len(h.Bars), 1) * (barWidth + barGap) }

// edge is 2 to the power of i in milliseconds, in up to two digits below 1.
func edge(i int) string {
	if i < 0 {
		return fmt.Sprintf("%.2g", math.Exp2(float64(i)))
	}
	return fmt.Sprintf("%.0f", math.Exp2(float64(i)))
}
