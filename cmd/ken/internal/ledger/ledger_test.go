package ledger_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ken/cmd/ken/internal/ledger"
	"ken/corpora"
	"ken/index/ingest"
)

var day = time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC)

func refused(ids ...corpora.DocID) (out []ingest.Refused) {
	for _, id := range ids {
		out = append(out, ingest.Refused{ID: id, Stage: ingest.StageExtract, Reason: "bad " + string(id)})
	}
	return out
}

func TestRecord(t *testing.T) {
	dir := t.TempDir()
	runs := []struct {
		sum  ingest.Summary
		err  error
		want map[corpora.DocID]int // attempts of what is in quarantine
		good time.Time
	}{
		{sum: ingest.Summary{Complete: true, Quarantined: refused("kb/b", "kb/a")}, want: map[corpora.DocID]int{"kb/a": 1, "kb/b": 1}, good: day},
		{sum: ingest.Summary{Complete: true, Quarantined: refused("kb/b")}, want: map[corpora.DocID]int{"kb/b": 2}, good: day.AddDate(0, 0, 1)},
		// A run that broke off says nothing of what it did not come to.
		{sum: ingest.Summary{Quarantined: refused("kb/c")}, err: errors.New("broke off"), want: map[corpora.DocID]int{"kb/b": 2, "kb/c": 1}, good: day.AddDate(0, 0, 1)},
		{sum: ingest.Summary{Complete: true}, want: map[corpora.DocID]int{}, good: day.AddDate(0, 0, 3)},
	}
	for i, run := range runs {
		run.sum.Source = "kb"
		if err := ledger.Record(dir, day.AddDate(0, 0, i), []string{"kb"}, run.sum, run.err); err != nil {
			t.Fatal(err)
		}
		l, err := ledger.Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		got := l["kb"]
		if !got.LastGood.Equal(run.good) {
			t.Errorf("run %d: last good %v, want %v", i, got.LastGood, run.good)
		}
		if (got.Last.Error != "") != (run.err != nil) {
			t.Errorf("run %d: error %q", i, got.Last.Error)
		}
		if len(got.Quarantine) != len(run.want) {
			t.Errorf("run %d: quarantine %v", i, got.Quarantine)
		}
		for _, r := range got.Quarantine {
			if r.Attempts != run.want[r.ID] {
				t.Errorf("run %d: %s has %d attempts, want %d", i, r.ID, r.Attempts, run.want[r.ID])
			}
		}
	}
}

func TestForget(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		sum := ingest.Summary{Source: name, Complete: true, Quarantined: refused(corpora.DocID(name+"/x"), corpora.DocID(name+"/y"))}
		if err := ledger.Record(dir, day, []string{name}, sum, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := ledger.Forget(dir, "a", "b/x"); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := l["a"]; ok || len(l["b"].Quarantine) != 1 || l["b"].Quarantine[0].ID != "b/y" {
		t.Errorf("left is %+v", l)
	}
}

func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sources.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Read(dir); err == nil {
		t.Error("a damaged file was read")
	}
}

// Documents that wait for the embedder wait since the first run that left them.
func TestPostponed(t *testing.T) {
	dir, start := t.TempDir(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, c := range []struct {
		sum  ingest.Summary
		err  error
		want time.Time
	}{
		{ingest.Summary{Complete: true}, nil, time.Time{}},
		{ingest.Summary{Complete: true, Postponed: 2}, nil, start.Add(time.Hour)},
		{ingest.Summary{Complete: true, Postponed: 1}, nil, start.Add(time.Hour)},
		{ingest.Summary{}, nil, start.Add(time.Hour)}, // it did not come to its end
		{ingest.Summary{Complete: true}, errors.New("no"), start.Add(time.Hour)},
		{ingest.Summary{Complete: true}, nil, time.Time{}},
	} {
		c.sum.Source = "docs"
		if err := ledger.Record(dir, start.Add(time.Duration(i)*time.Hour), nil, c.sum, c.err); err != nil {
			t.Fatal(err)
		}
		l, err := ledger.Read(dir)
		if err != nil || !l["docs"].Postponed.Equal(c.want) {
			t.Errorf("run %d: %s, %v; want %s", i, l["docs"].Postponed, err, c.want)
		}
	}
}
