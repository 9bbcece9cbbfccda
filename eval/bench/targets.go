package main

import "strconv"

// target is what a figure should reach.
type target struct {
	name    string
	chunks  int // of the run that it is about; 0 is every one
	value   float64
	atLeast bool // else at most
}

// targets are those of the engine on two cores. Ratios are between measurements of
// one run; the others are for orientation and depend on the machine.
var targets = []target{
	{"hybrid_p50_ms", 100_000, .5, false}, {"hybrid_p99_ms", 100_000, 2, false},
	{"hybrid_p50_ms", 1_000_000, 3, false}, {"hybrid_p99_ms", 1_000_000, 10, false},
	{"full_p50_ms", 100_000, 1.5, false}, {"full_p99_ms", 100_000, 5, false},
	{"full_p50_ms", 1_000_000, 9, false}, {"full_p99_ms", 1_000_000, 25, false},
	{"lexical_acl_vs_bleve_p50", 0, 10, true}, {"lexical_acl_vs_bleve_p99", 0, 10, true},
	{"vector_vs_chromem_p50", 100_000, 100, true}, {"vector_permille_vs_chromem_p50", 100_000, 1000, true},
	{"vector_recall_at_10", 0, .999, true},
	{"ingest_chunks_per_s", 0, 25_000, true}, {"ingest_vs_bleve", 0, 5, true},
	{"rss_anon_mib_after_searching", 1_000_000, 1024, false},
	{"text_and_lexical_vs_text", 1_000_000, 1.8, false}, {"vectors_vs_float32", 1_000_000, 1.35, false},
	{"cold_open_to_answer_ms", 1_000_000, 200, false},
	{"while_writing_vs_idle_p99", 0, 2, false},
	{"mcp_http_p50_ms", 100_000, 2, false}, {"mcp_http_per_s_16_clients", 100_000, 1000, true},
}

// row is a target beside what was measured.
type row struct {
	Name            string
	Target, Measure float64
	Limit           string // "at least" or "at most"
	Met             string // "yes" or "no"
}

// goals returns the targets of the sizes that were measured.
func (f *figures) goals() []row {
	var out []row
	for _, prefix := range f.prefixes {
		for _, t := range targets {
			got, ok := f.values[prefix+t.name]
			if !ok || t.chunks != 0 && float64(t.chunks) != f.values[prefix+"chunks"] {
				continue
			}
			r := row{Name: prefix + t.name, Target: t.value, Measure: got, Limit: "at most", Met: "no"}
			if t.atLeast {
				r.Limit = "at least"
			}
			if t.atLeast && got >= t.value || !t.atLeast && got <= t.value {
				r.Met = "yes"
			}
			out = append(out, r)
		}
	}
	return out
}

// join adds the figures of a run of another size under a prefix.
func (f *figures) join(chunks int, other figures) {
	prefix := ""
	if len(f.prefixes) > 0 {
		prefix = strconv.Itoa(chunks) + "_"
	}
	f.prefixes = append(f.prefixes, prefix)
	for _, x := range other.list() {
		f.set(prefix+x.Name, x.Value)
	}
}
