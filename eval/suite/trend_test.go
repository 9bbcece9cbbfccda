package suite

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"ken/eval"
)

func TestRemember(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history.jsonl")
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	r := Result{Suite: "a", Accuracy: .8, Runs: []Run{
		{Ken, "hybrid", eval.Report{Set: "s", Metrics: eval.Metrics{"ndcg@10": .7}, LatencyMS: eval.Latency{P50: 3}}},
		{Plain, "vector", eval.Report{Set: "s", Metrics: eval.Metrics{"ndcg@10": .2}}},
	}}
	first, err := Remember(file, r.Point(at, "v1"))
	if err != nil || len(first) != 1 || len(first[0].Sets) != 1 || first[0].Sets["s, hybrid"] != (SetPoint{NDCG: .7, P50: 3}) {
		t.Fatalf("%+v, %v", first, err)
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"suite":"a","accu`); err != nil { // a crash
		t.Fatal(err)
	}
	f.Close()
	if other, err := Remember(file, Point{Suite: "b"}); err != nil || len(other) != 1 {
		t.Errorf("of another suite: %+v, %v", other, err)
	}
	r.Accuracy = .9
	again, err := Remember(file, r.Point(at.Add(time.Hour), "v2"))
	if err != nil || len(again) != 2 || again[0].Accuracy != .8 || again[1].Accuracy != .9 || again[1].Version != "v2" {
		t.Errorf("%+v, %v", again, err)
	}
}
