package eval_test

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/eval"
)

// files makes a file system of names and contents.
func files(contents map[string]string) fstest.MapFS {
	out := make(fstest.MapFS)
	for name, text := range contents {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// small is a set of three documents and three questions, one of them unjudged.
func small() map[string]string {
	return map[string]string{
		"corpus.jsonl": `{"_id": "leave", "title": "Leave", "text": "Every parent gets 18 weeks of leave, and tells the people team in time."}
{"_id": "pay", "title": "Pay", "text": "The salary of level four ends at 91,000 euros a year, bonus not included."}
{"_id": "lunch", "title": "Lunch", "text": "Lunch is served at noon."}
`,
		"queries.jsonl": `{"_id": "q1", "text": "weeks of leave"}
{"_id": "q2", "text": "salary of level four"}

{"_id": "q3", "text": "is there lunch"}
`,
		"qrels.tsv": "query-id\tcorpus-id\tscore\nq1\tleave\t2\nq1\tlunch\t0\nq2\tpay\t1\n",
	}
}

func withACL() map[string]string {
	set := small()
	set["acl.jsonl"] = `{"_id": "leave", "users": [], "groups": ["everyone"]}
{"_id": "pay", "users": ["bob"], "groups": ["hr"]}
`
	set["users.jsonl"] = `{"_id": "ann", "groups": ["everyone"]}
{"_id": "bob", "groups": []}
{"_id": "user:cy", "groups": ["group:hr"]}
`
	set["answers.jsonl"] = `{"_id": "q1", "answers": ["18 weeks"], "by_user": {"ann": {"answers": ["19 weeks"]}}}
`
	return set
}

func lists(t *testing.T, set eval.Set) map[corpora.DocID]acl.List {
	t.Helper()
	out := make(map[corpora.DocID]acl.List)
	complete := false
	for change, err := range set.Source.Changes(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if complete = change.Op == corpora.Complete; complete {
			continue
		}
		doc, _, err := change.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out[change.ID] = doc.ACL
	}
	if !complete {
		t.Error("the listing does not end")
	}
	return out
}

func TestLoad(t *testing.T) {
	set, err := eval.LoadFS(files(small()), "small")
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Queries) != 3 || set.Queries[0].Relevant["leave"] != 2 || len(set.Queries[2].Relevant) != 0 || set.Notes != nil {
		t.Errorf("set %+v", set)
	}
	if len(set.Personas) != 1 || set.Personas[0].Name != "" {
		t.Errorf("personas %+v", set.Personas)
	}
	for id, list := range lists(t, set) {
		if !list.Admits(set.Personas[0].Principal, time.Now()) {
			t.Errorf("%s cannot be read", id)
		}
	}
}

func TestLoadPermissions(t *testing.T) {
	set, err := eval.LoadFS(files(withACL()), "small")
	if err != nil {
		t.Fatal(err)
	}
	readers := lists(t, set)
	for _, c := range []struct {
		persona int
		name    string
		want    string
	}{{0, "ann", "leave"}, {1, "bob", "leave pay"}, {2, "user:cy", "leave pay"}} {
		var can []string
		for _, id := range []corpora.DocID{"leave", "lunch", "pay"} { // lunch has no list
			if readers[id].Admits(set.Personas[c.persona].Principal, time.Now()) {
				can = append(can, string(id))
			}
		}
		if got := strings.Join(can, " "); got != c.want || set.Personas[c.persona].Name != c.name {
			t.Errorf("%s reads %q, want %s %q", set.Personas[c.persona].Name, got, c.name, c.want)
		}
	}
	if q := set.Queries[0]; q.Answers[0] != "18 weeks" || q.ByPersona["ann"].Answers[0] != "19 weeks" {
		t.Errorf("answers %+v", q)
	}
}

func TestLoadPackedAndSplit(t *testing.T) {
	set := small()
	for _, name := range []string{"corpus.jsonl", "queries.jsonl"} {
		set[name+".gz"] = packed(t, set[name])
		delete(set, name)
	}
	set["qrels/test.tsv"] = strings.ReplaceAll(set["qrels.tsv"], "\n", "\r\n")
	delete(set, "qrels.tsv")
	got, err := eval.LoadFS(files(set), "small")
	if err != nil || len(got.Queries) != 3 || got.Queries[1].Relevant["pay"] != 1 {
		t.Errorf("set %+v, error %v", got, err)
	}
}

func TestLoadFolder(t *testing.T) {
	set := small()
	delete(set, "corpus.jsonl")
	set["corpus/.ken/acl.yaml"] = "version: 1\ndefault: deny\nrules:\n  - path: \"open/**\"\n    allow: [everyone]\n"
	set["corpus/open/leave.md"] = "# Leave\n\n18 weeks.\n"
	set["corpus/closed/pay.md"] = "# Pay\n\n91,000 euros.\n"
	set["users.jsonl"] = `{"_id": "ann", "groups": []}`
	set["qrels.tsv"] = "query-id\tcorpus-id\tscore\nq1\topen/leave.md\t1\nq2\tclosed/pay.md\t1\nq2\tgone.md\t1\n"
	got, err := eval.LoadFS(files(set), "folder")
	if err != nil {
		t.Fatal(err)
	}
	readers := lists(t, got)
	ann := got.Personas[0].Principal
	if !readers["corpus/open/leave.md"].Admits(ann, time.Now()) || readers["corpus/closed/pay.md"].Admits(ann, time.Now()) || len(readers) != 2 {
		t.Errorf("lists %v", readers)
	}
	if got.Queries[0].Relevant["corpus/open/leave.md"] != 1 || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "1 judgements of documents") {
		t.Errorf("queries %+v, notes %q", got.Queries, got.Notes)
	}
}

// Published sets judge documents and queries that they do not hold.
func TestLoadNotes(t *testing.T) {
	set := small()
	set["qrels.tsv"] += "q1\tnowhere\t1\nq9\tleave\t1\nq8\tleave\t1\n"
	got, err := eval.LoadFS(files(set), "small")
	if err != nil || len(got.Notes) != 2 || !strings.HasPrefix(got.Notes[0], "2 judgements of queries") || !strings.HasPrefix(got.Notes[1], "1 judgements of documents") {
		t.Errorf("notes %q, error %v", got.Notes, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string // "" removes the file
		want       string
	}{
		"no corpus":                {"corpus.jsonl", "", "corpus.jsonl and corpus.jsonl.gz: file does not exist"},
		"no queries":               {"queries.jsonl", "", "queries.jsonl and queries.jsonl.gz: file does not exist"},
		"no judgements":            {"qrels.tsv", "", "qrels.tsv and qrels/test.tsv: file does not exist"},
		"no users":                 {"users.jsonl", "", "users.jsonl and users.jsonl.gz: file does not exist"},
		"nobody":                   {"users.jsonl", "\n", "users.jsonl: no users"},
		"a document twice":         {"corpus.jsonl", "{\"_id\":\"a\"}\n\n{\"_id\":\"a\"}\n", `corpus.jsonl:3: _id "a" stands there twice`},
		"no id":                    {"corpus.jsonl", `{"title":"a"}`, "corpus.jsonl:1: no _id"},
		"no object":                {"corpus.jsonl", `["a"]`, "corpus.jsonl:1: not a JSON object as expected"},
		"no JSON":                  {"queries.jsonl", "{\"_id\":\"q1\",\"text\":\"a\"}\nq2\n", "queries.jsonl:2: not a JSON object as expected"},
		"no text":                  {"queries.jsonl", `{"_id":"q1","text":" "}`, `queries.jsonl:1: query "q1" has no text`},
		"not UTF-8":                {"queries.jsonl", "{\"_id\":\"q1\",\"text\":\"\xff\"}", "queries.jsonl:1: not valid UTF-8"},
		"spaces for tabs":          {"qrels.tsv", "query-id corpus-id score\n", "qrels.tsv:1: 1 fields, want 3 with tabs"},
		"no number":                {"qrels.tsv", "query-id\tcorpus-id\tscore\nq1\tleave\tyes\n", `qrels.tsv:2: score "yes" is not a whole number`},
		"judged twice":             {"qrels.tsv", "q1\tleave\t1\nq1\tleave\t2\n", `qrels.tsv:2: query "q1" and document "leave" are judged twice, 1 and 2`},
		"an answer to nothing":     {"answers.jsonl", `{"_id":"q9","answers":[]}`, `answers.jsonl:1: answer to query "q9"`},
		"a list of nothing":        {"acl.jsonl", `{"_id":"other"}`, `acl.jsonl:1: ACL of document "other"`},
		"a group with a space":     {"acl.jsonl", `{"_id":"leave","groups":["hr "]}`, `acl.jsonl:1: malformed subject`},
		"a user with a line break": {"users.jsonl", `{"_id":"a\nb"}`, `users.jsonl:1: malformed subject`},
		"not gzip":                 {"corpus.jsonl.gz", "plain text, longer than a header", "corpus.jsonl.gz: gzip: invalid header"},
	} {
		t.Run(name, func(t *testing.T) {
			set := withACL()
			set[c.file] = c.text
			if c.text == "" {
				delete(set, c.file)
			}
			if c.file == "corpus.jsonl.gz" {
				delete(set, "corpus.jsonl")
			}
			_, err := eval.LoadFS(files(set), "broken")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestLoadNamesTheFolder(t *testing.T) {
	for _, dir := range []string{filepath.Join(t.TempDir(), "missing"), "load_test.go"} {
		if _, err := eval.Load(dir); err == nil || !strings.Contains(err.Error(), filepath.Base(dir)) {
			t.Errorf("%s: error %v", dir, err)
		}
	}
}

// FuzzLoad: no content of the files makes loading panic.
func FuzzLoad(f *testing.F) {
	s := withACL()
	f.Add(s["corpus.jsonl"], s["queries.jsonl"], s["qrels.tsv"], s["acl.jsonl"], s["users.jsonl"])
	f.Add("{}", "{}", "\t\t\n", "null", "[]")
	f.Fuzz(func(t *testing.T, corpus, queries, qrels, acls, users string) {
		fsys := files(map[string]string{"corpus.jsonl": corpus, "queries.jsonl": queries, "qrels.tsv": qrels, "acl.jsonl": acls, "users.jsonl": users})
		set, err := eval.LoadFS(fs.FS(fsys), "fuzz")
		if err == nil && set.Source == nil {
			t.Error("loaded, and no documents")
		}
	})
}
