package main

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"os"
)

func (f *figures) text(w io.Writer) error {
	for _, g := range f.goals() {
		if _, err := fmt.Fprintf(w, "%-4s%-44s %12.4g  %s %g\n", g.Met, g.Name, g.Measure, g.Limit, g.Target); err != nil {
			return err
		}
	}
	for _, x := range f.list() {
		if _, err := fmt.Fprintf(w, "%-48s %12.4g\n", x.Name, x.Value); err != nil {
			return err
		}
	}
	return nil
}

var page = template.Must(template.New("page").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><title>ken: benchmark</title>
<style>body{font:16px/1.4 sans-serif;margin:2em auto;max-width:56em}th,td{padding:.1em 1em;text-align:right}th:first-child,td:first-child{text-align:left}.no{font-weight:bold}</style>
<h1>Benchmark</h1><p>Milliseconds unless the name says otherwise; "vs" is how many times as long the other took in the same run.
Names that begin with a number are of the run with that many chunks.</p>
<h2>Targets</h2><table><tr><th>figure<th>measured<th>target<th>met</tr>
{{range .Goals}}<tr class="{{.Met}}"><td>{{.Name}}<td>{{printf "%.4g" .Measure}}<td>{{.Limit}} {{.Target}}<td>{{.Met}}</tr>
{{end}}</table>
<h2>All figures</h2><table>{{range .All}}<tr><td>{{.Name}}<td>{{printf "%.4g" .Value}}</tr>
{{end}}</table></html>
`))

func (f *figures) html(w io.Writer) error {
	return page.Execute(w, struct {
		Goals []row
		All   []figure
	}{f.goals(), f.list()})
}

func (f *figures) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(f.values)
}

// write makes the file and fills it; "" is no file and "-" standard output.
func write(path string, fill func(io.Writer) error) error {
	switch path {
	case "":
		return nil
	case "-":
		return fill(os.Stdout)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := fill(f); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return f.Close()
}
