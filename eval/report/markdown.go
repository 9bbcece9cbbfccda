package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"ken/eval/suite"
)

// columns are the metrics that the tables show.
var columns = [...]string{"ndcg@10", "recall@100", "hit@3", "answer@500", "answer@1000", "answer@2000", "answer@4000", "citation_precision", "superseded_error"}

// Markdown writes a summary for a pull request.
func Markdown(w io.Writer, r suite.Result) error {
	var b bytes.Buffer
	verdict := "all gates hold"
	if r.GatesFailed > 0 {
		verdict = fmt.Sprintf("**%d gates failed**", r.GatesFailed)
	}
	fmt.Fprintf(&b, "## ken eval: %s\n\n%s. Accuracy %.3f, abstention F1 %.3f, leaks %d.\n\n", cell(r.Suite), verdict, r.Accuracy, r.AbstentionF1, r.Leaks)
	for _, g := range r.Gates {
		if !g.Passed {
			fmt.Fprintf(&b, "- **%s** %s: %s\n", g.Kind, cell(g.Name), cell(g.Message))
			if len(g.Worst) > 0 {
				fmt.Fprintf(&b, "  worst: %s\n", cell(strings.Join(g.Worst, ", ")))
			}
		}
	}
	b.WriteString("\n| run | questions | leaks | p50 ms | p95 ms |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c)
	}
	b.WriteString("\n|---|--:|--:|--:|--:|" + strings.Repeat("--:|", len(columns)) + "\n")
	for _, run := range r.Runs {
		fmt.Fprintf(&b, "| %s | %d | %d | %.2f | %.2f |", cell(run.Name()), run.Queries, run.Leaks, run.LatencyMS.P50, run.LatencyMS.P95)
		for _, c := range columns {
			fmt.Fprintf(&b, " %s |", figure(run.Metrics, c))
		}
		b.WriteString("\n")
	}
	if r.Baseline != nil {
		writeComparison(&b, Compare(r))
	}
	_, err := w.Write(b.Bytes())
	return err
}

func writeComparison(b *bytes.Buffer, rows []Row) {
	b.WriteString("\n| | ken | plain RAG | better |\n|---|--:|--:|---|\n")
	for _, row := range rows {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", cell(row.Name), row.Ken, row.Plain, row.Better)
	}
}

func figure(metrics map[string]float64, name string) string {
	x, ok := metrics[name]
	if !ok {
		return "–"
	}
	return fmt.Sprintf("%.3f", x)
}

// cell makes text safe inside a table: it holds what people named their files.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "`", "'").Replace(s)
}
