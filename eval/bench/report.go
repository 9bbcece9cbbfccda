package main

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"os"
)

func (f *figures) text(w io.Writer) error {
	for _, name := range f.names {
		if _, err := fmt.Fprintf(w, "%-36s %14.4g\n", name, f.values[name]); err != nil {
			return err
		}
	}
	return nil
}

var page = template.Must(template.New("page").Parse(`<!doctype html><meta charset="utf-8"><title>ken: benchmark</title>
<style>body{font:16px/1.4 sans-serif;margin:2em auto;max-width:44em}td{padding:.1em 1em}td+td{text-align:right}</style>
<h1>Benchmark</h1><p>Milliseconds unless the name says otherwise; "vs" is how many times as long the other took in the same run.</p>
<table>{{range .}}<tr><td>{{.Name}}</td><td>{{printf "%.4g" .Value}}</td></tr>{{end}}</table>
`))

func (f *figures) html(w io.Writer) error {
	type row struct {
		Name  string
		Value float64
	}
	var rows []row
	for _, name := range f.names {
		rows = append(rows, row{name, f.values[name]})
	}
	return page.Execute(w, rows)
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
