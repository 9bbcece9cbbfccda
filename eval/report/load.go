package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"

	"ken/eval/latency"
	"ken/eval/load"
)

//go:embed load.html
var loadPage string

// LoadHTML writes the report of a load as one file that holds everything it needs.
func LoadHTML(w io.Writer, r load.Report) error {
	t, err := template.New("load").Funcs(template.FuncMap{
		"three": func(x float64) string { return fmt.Sprintf("%.3f", x) },
	}).Parse(loadPage)
	if err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	return t.Execute(w, newLoadView(r))
}

// loadView is a report as the page shows it.
type loadView struct {
	load.Report
	Rows       []loadRow
	Histograms []histogram
	Sustained  []sustainedRow
}

type loadRow struct {
	Name string
	latency.Summary
}

type sustainedRow struct {
	Name string
	load.Sustaining
}

func newLoadView(r load.Report) loadView {
	v := loadView{Report: r}
	add := func(name string, s latency.Summary) { v.Rows = append(v.Rows, loadRow{name, s}) }
	if r.ColdMS != nil {
		add("cold", *r.ColdMS)
	}
	add("warm", r.WarmMS)
	for _, stage := range slices.Sorted(maps.Keys(r.StagesMS)) {
		add("warm, "+stage, r.StagesMS[stage])
	}
	v.Histograms = append(v.Histograms, barsOf("Warm, one question at a time", r.WarmBars))
	under := func(name string, l load.Loaded) {
		title := fmt.Sprintf("%s, %g a second", name, l.At.Rate)
		add(title, l.At.LatencyMS)
		v.Histograms = append(v.Histograms, barsOf(title, l.At.Bars))
		if l.Sustained != nil {
			v.Sustained = append(v.Sustained, sustainedRow{name, *l.Sustained})
		}
	}
	under("In process", r.InProcess)
	if r.MCP != nil {
		under("Through MCP", *r.MCP)
	}
	return v
}

func barsOf(title string, bars []latency.Bar) histogram {
	h := histogram{Title: title}
	most := int64(1)
	for _, b := range bars {
		most = max(most, b.Count)
	}
	for _, from := range bars {
		b := bar{Count: int(from.Count), X: len(h.Bars) * (barWidth + barGap), Height: int(plotHeight * from.Count / most)}
		b.Label = fmt.Sprintf("%.2g", from.From)
		if from.From >= 1 {
			b.Label = fmt.Sprintf("%.0f", from.From)
		}
		b.Y, b.TextX = plotTop+plotHeight-b.Height, b.X+barWidth/2
		h.Bars = append(h.Bars, b)
	}
	return h
}
