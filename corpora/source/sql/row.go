package sql

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"ken/corpora/source/item"
)

// row is one row of a result.
type row struct {
	names  []string
	values map[string]any
}

func scan(names []string, rows *sql.Rows) (row, error) {
	cells := make([]any, len(names))
	to := make([]any, len(names))
	for i := range cells {
		to[i] = &cells[i]
	}
	if err := rows.Scan(to...); err != nil {
		return row{}, err
	}
	r := row{names: names, values: make(map[string]any, len(names))}
	for i, n := range names {
		if b, ok := cells[i].([]byte); ok {
			cells[i] = string(b)
		}
		r.values[n] = cells[i]
	}
	return r, nil
}

func (r row) has(name string) bool { return slices.Contains(r.names, name) }

// text is a value as people write it; NULL is "".
func (r row) text(name string) string {
	switch v := r.values[name].(type) {
	case nil:
		return ""
	case string:
		return v
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case map[string]any, []any:
		b, _ := json.Marshal(v) // it came from JSON
		return string(b)
	default:
		return fmt.Sprint(v)
	}
}

// digest changes when any value does; NULL is not the empty text.
func (r row) digest() string {
	h := sha256.New()
	for _, n := range r.names {
		fmt.Fprintf(h, "%q %v %q\n", n, r.values[n] == nil, r.text(n))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// item makes what the columns say of a row.
func (s *Source) item(path string, r row) (item.Item, error) {
	c := s.options.Columns
	for _, n := range s.options.named() {
		if !r.has(n) {
			return item.Item{}, fmt.Errorf("there is no column %q", n)
		}
	}
	it := item.Item{
		Path: path, Title: r.text(c.Title), URL: r.text(c.URL), Language: r.text(c.Language), Class: r.text(c.Class),
		MediaType: s.options.Format, Modified: r.time(c.Updated), Data: []byte(s.body(r)),
	}
	if c.Allow == "" && c.Deny == "" {
		return it, nil
	}
	var err error
	it.Says, err = item.Says(r.text(c.Allow), r.text(c.Deny), s.options.Prefix)
	it.Says.States = c.Allow != ""
	return it, err
}

// body is the document's text.
func (s *Source) body(r row) string {
	c := s.options.Columns
	if len(c.Text) == 1 {
		return r.text(c.Text[0])
	}
	var b strings.Builder
	for _, n := range c.Text {
		if v := r.text(n); v != "" {
			fmt.Fprintf(&b, "## %s\n\n%s\n\n", n, v)
		}
	}
	if len(c.Text) == 0 {
		for _, n := range r.names {
			if n != c.Allow && n != c.Deny && r.values[n] != nil {
				fmt.Fprintf(&b, "%s: %s\n\n", n, r.text(n))
			}
		}
	}
	return b.String()
}

// time reads an update column: a time, its usual spellings, or seconds since 1970.
func (r row) time(name string) time.Time {
	switch v := r.values[name].(type) {
	case time.Time:
		return v.UTC()
	case int64:
		if v > 0 && v < 1<<36 {
			return time.Unix(v, 0).UTC()
		}
	case string:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", time.DateTime, time.DateOnly} {
			if t, err := time.Parse(layout, v); err == nil {
				return t.UTC()
			}
		}
	}
	return time.Time{}
}
