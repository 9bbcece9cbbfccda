package report

import (
	"fmt"
	"strings"

	"ken/eval/suite"
)

// trend is the picture of how the headlines went over the stored runs.
type trend struct {
	Lines []trendLine
	Width int
	Label string // what the picture shows, for who does not see it
}

type trendLine struct {
	Name   string
	Dash   string // tells the lines apart without colour
	Points string // of an SVG polyline
	LastX  int
	LastY  int
	Last   string
}

// The sizes of the picture in its own units. The plot is 0 to 1 from bottom to top.
const (
	trendStep   = 40
	trendLeft   = 36
	trendTop    = 10
	trendHeight = 200
	trendMost   = 600 // wide; more points stand closer
)

func newTrend(points []suite.Point) trend {
	t := trend{Width: trendLeft + min(trendStep*max(len(points)-1, 1), trendMost)}
	for _, line := range []struct {
		name, dash string
		value      func(suite.Point) float64
	}{
		{"accuracy", "", func(p suite.Point) float64 { return p.Accuracy }},
		{"accuracy, wrong refusals count", "8 4", func(p suite.Point) float64 { return p.Strict }},
		{"abstention F1", "2 4", func(p suite.Point) float64 { return p.AbstentionF1 }},
	} {
		l := trendLine{Name: line.name, Dash: line.dash}
		var at []string
		for i, p := range points {
			l.LastX = trendLeft + (t.Width-trendLeft)*i/max(len(points)-1, 1)
			l.LastY = trendTop + int(trendHeight*(1-line.value(p)))
			at = append(at, fmt.Sprintf("%d,%d", l.LastX, l.LastY))
			l.Last = fmt.Sprintf("%.3f", line.value(p))
		}
		l.Points = strings.Join(at, " ")
		t.Lines = append(t.Lines, l)
		t.Label += fmt.Sprintf("%s: %.3f, last %s. ", line.name, line.value(points[0]), l.Last)
	}
	return t
}

// Full is the width of the picture with the figures at its right.
func (t trend) Full() int { return t.Width + 60 }
