package sql

import (
	"context"
	dbsql "database/sql"
	"fmt"
	"slices"
	"strings"

	"ken/corpora/source/item"
)

// schema is the document that tells which columns the rows have, of which types,
// as the database names them: a Markdown table. It holds nothing of any row.
func (s *Source) schema(ctx context.Context) (item.Item, error) {
	var text string
	err := s.calls.Do(ctx, func(ctx context.Context) error {
		columns, err := s.columns(ctx)
		text = s.table(columns)
		return verdict(err)
	})
	name := s.options.Table
	if name == "" {
		name = "a query"
	}
	return item.Item{Path: s.options.Schema, Title: "Schema of " + name, MediaType: "text/markdown", Data: []byte(text)}, err
}

func (s *Source) columns(ctx context.Context) ([]*dbsql.ColumnType, error) {
	tx, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // it has written nothing
	rows, err := tx.QueryContext(ctx, "SELECT * FROM "+s.options.from()+" WHERE 1 = 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close() // there are none
	columns, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	return columns, rows.Err()
}

func (s *Source) table(columns []*dbsql.ColumnType) string {
	var b strings.Builder
	b.WriteString("| column | type | use |\n|---|---|---|\n")
	for _, c := range columns {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(c.Name()), cell(strings.ToLower(c.DatabaseTypeName())), s.use(c.Name()))
	}
	return b.String()
}

// use is what a column is to its row's document.
func (s *Source) use(name string) string {
	c := s.options.Columns
	var out []string
	for use, columns := range map[string][]string{
		"key": {c.Key}, "changed": {c.Updated}, "title": {c.Title}, "text": c.Text, "address": {c.URL}, "language": {c.Language}, "class": {c.Class},
		"who may read": {c.Allow}, "who may not": {c.Deny},
	} {
		for _, column := range columns {
			if column == name {
				out = append(out, use)
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ").Replace(text)
}
