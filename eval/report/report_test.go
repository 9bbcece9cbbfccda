package report_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"ken/eval"
	"ken/eval/latency"
	"ken/eval/load"
	"ken/eval/report"
	"ken/eval/suite"
)

func result() suite.Result {
	run := func(system, mode string, ndcg float64) suite.Run {
		return suite.Run{System: system, Mode: mode, Report: eval.Report{
			Set: "a|b", Queries: 1, Metrics: eval.Metrics{"ndcg@10": ndcg}, LatencyMS: eval.Latency{P50: 2, P95: 3, P99: 4},
			Outcomes: []eval.Outcome{{Query: "q1", Persona: "ann", Text: `<script>alert("x")</script>`, LatencyMS: 3, Answer: &eval.Answering{Answerable: true, Confidence: .1}}},
		}}
	}
	r := suite.Result{Suite: "s", Runs: []suite.Run{run(suite.Ken, "hybrid", .9), run(suite.Plain, "vector", .5)}}
	r.Answers = suite.Answers{All: eval.Abstention{Threshold: .3, Accuracy: .75}}
	r.Baseline = &suite.Answers{All: eval.Abstention{Accuracy: .8}}
	r.Fail(suite.Gate{Kind: "threshold", Name: "a|b: ndcg@10", Message: "0.9, at least 0.95", Worst: []string{"q1 as ann (0.900)"}}, suite.Gate{Kind: "leak", Name: "leaks", Passed: true})
	return r
}

func write(t *testing.T, f func(io.Writer, suite.Result) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b, result()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestJUnit(t *testing.T) {
	var got struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Cases    []struct {
			Name    string  `xml:"name,attr"`
			Failure *string `xml:"failure"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal([]byte(write(t, report.JUnit)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 2 || got.Failures != 1 || got.Cases[0].Failure == nil || !strings.Contains(*got.Cases[0].Failure, "q1 as ann") || got.Cases[1].Failure != nil {
		t.Errorf("cases %+v", got)
	}
}

func TestMarkdown(t *testing.T) {
	got := write(t, report.Markdown)
	for _, want := range []string{"**1 gates failed**", `a\|b: ndcg@10: 0.9, at least 0.95`, "worst: q1 as ann", "| accuracy | 0.750 | 0.800 | plain RAG |", `| a\|b: ndcg@10 | 0.900 | 0.500 | ken |`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// The page loads nothing, and what a set holds cannot become a part of it.
func TestHTML(t *testing.T) {
	got := write(t, report.HTML)
	for _, want := range []string{"&lt;script&gt;alert", "refused wrongly", `role="img"`, `<html lang="en">`, "prefers-color-scheme: dark", "@media print", `<label for="find">`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, bad := range []string{"<script>alert", "http:", "https:", "src=", "<link", "@import", "url("} {
		if strings.Contains(got, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

// The page of a load holds every row and loads nothing.
func TestLoadHTML(t *testing.T) {
	cold := latency.Summary{Count: 1, P50: 7.5}
	r := load.Report{
		Set: "<b>", ColdMS: &cold, StagesMS: map[string]latency.Summary{"rescore": {P50: 1.25}}, WarmBars: []latency.Bar{{From: .5, Count: 3}, {From: 1, Count: 6}},
		InProcess: load.Loaded{At: load.Result{Rate: 20}, Sustained: &load.Sustaining{Bound: load.Bound{P95MS: 50}, Best: &load.Result{Rate: 125}}},
		MCP:       &load.Loaded{At: load.Result{Rate: 20}},
	}
	var b bytes.Buffer
	if err := report.LoadHTML(&b, r); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, want := range []string{"&lt;b&gt;", "7.500", "warm, rescore", "1.250", "125 questions a second", "Through MCP, 20 a second", "From 0.5 ms: 3. From 1 ms: 6.", `role="img"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, bad := range []string{"<b>", "http:", "https:", "src=", "<link", "@import", "url("} {
		if strings.Contains(got, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}
