package api

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ken/corpora/policy"
	"ken/corpora/source/item"
)

// Shape says where in an API's JSON things are. ID is needed.
type Shape struct {
	Items    string `yaml:"items"`    // of a page: the list; "" is the whole answer
	ID       string `yaml:"id"`       // of an item: what names it; its path
	Title    string `yaml:"title"`    //
	Text     string `yaml:"text"`     // in the detail if there is one; "" is the item as JSON
	Updated  string `yaml:"updated"`  // changes with every change of the item, its readers included
	URL      string `yaml:"url"`      //
	Language string `yaml:"language"` //
	Class    string `yaml:"class"`    //
	Allow    string `yaml:"allow"`    // who may read; if it is named and not there, nobody
	Deny     string `yaml:"deny"`     // who may not
	Prefix   string `yaml:"prefix"`   // stands before names of readers that say of no kind: "group:"
	Format   string `yaml:"format"`   // media type of the text; "" is Markdown

	Next   string `yaml:"next"`   // of a page: where the URL of the next one is
	Cursor string `yaml:"cursor"` // of a page: where the cursor for the next one is, sent as Param
	Param  string `yaml:"param"`  // query parameter for the cursor, or for the number of the page
	First  int    `yaml:"first"`  // number of the first page, where pages have numbers

	Detail string `yaml:"detail"` // URL of one item, with {id} in it; "" if the list has all
}

// at finds a value by its path.
func at(v any, path string) (any, bool) {
	if path == "" {
		return v, true
	}
	for name := range strings.SplitSeq(path, ".") {
		switch node := v.(type) {
		case map[string]any:
			child, ok := node[name]
			if !ok {
				return nil, false
			}
			v = child
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(node) {
				return nil, false
			}
			v = node[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// text is a value as people write it; what is not there and null are "".
func text(v any, path string) string {
	if path == "" {
		return ""
	}
	found, _ := at(v, path)
	switch t := found.(type) {
	case nil:
		return ""
	case string:
		return t
	case json.Number:
		return t.String()
	default:
		b, _ := json.Marshal(t) // it came from JSON
		return string(b)
	}
}

// says reads who may read. A value that is neither text nor a list of texts is an
// error.
func (s Shape) says(v any) (policy.Statement, error) {
	if s.Allow == "" && s.Deny == "" {
		return policy.Statement{}, nil
	}
	out, err := item.Says(text(v, s.Allow), text(v, s.Deny), s.Prefix)
	out.States = s.Allow != ""
	return out, err
}

// item makes what the JSON says of an item. Only the text comes from the detail,
// if there is one, and the rest too where the detail has it.
func (s Shape) item(id string, v any) (item.Item, error) {
	it := item.Item{
		Path: id, Title: text(v, s.Title), URL: text(v, s.URL), Language: text(v, s.Language), Class: text(v, s.Class),
		MediaType: s.Format, Modified: when(text(v, s.Updated)),
	}
	if s.Text == "" {
		b, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return item.Item{}, err
		}
		it.Data, it.MediaType = b, "text/plain"
	} else {
		if _, ok := at(v, s.Text); !ok {
			return item.Item{}, fmt.Errorf("the item has no %q", s.Text)
		}
		it.Data = []byte(text(v, s.Text))
	}
	var err error
	it.Says, err = s.says(v)
	return it, err
}

func when(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.000-0700", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 && n < 1<<36 {
		return time.Unix(n, 0).UTC()
	}
	return time.Time{}
}
