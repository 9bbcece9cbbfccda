package spool_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"ken/corpora/acl"
	"ken/corpora/source/item"
	"ken/corpora/source/spool"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]spool.Message{
		`{"id": "a/b.md", "version": 3, "text": "T", "title": "Ä", "updated": "2026-01-02T03:04:05+01:00", "tags": ["x"]}`: {
			ID: "a/b.md", Version: 3, Data: []byte("T"), Meta: spool.Meta{Title: "Ä", Tags: []string{"x"}, Updated: time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC)},
		},
		`{"op":"put","id":"a","version":9223372036854775807,"content":"JVBERg==","media_type":"application/pdf","url":"https://x.example/a"}`: {
			ID: "a", Version: 1<<63 - 1, Data: []byte("%PDF"), Meta: spool.Meta{MediaType: "application/pdf", URL: "https://x.example/a"},
		},
		`{"id":"a","version":1,"text":"","acl":{"allow":["user:ann"],"deny":["group:x"]}}`: {
			ID: "a", Version: 1, Data: []byte{}, Meta: spool.Meta{States: true, Allow: []acl.Subject{"user:ann"}, Deny: []acl.Subject{"group:x"}},
		},
		`{"id":"a","version":1,"text":"","acl":{"allow":[]}}`: {ID: "a", Version: 1, Data: []byte{}, Meta: spool.Meta{States: true, Allow: []acl.Subject{}, Deny: []acl.Subject{}}},
		`{"id":"a","version":1,"text":"","acl":{}}`:           {ID: "a", Version: 1, Data: []byte{}, Meta: spool.Meta{Deny: []acl.Subject{}}},
		` {"op":"delete","id":"a","version":2} ` + "\n":       {ID: "a", Version: 2, Delete: true},
	} {
		if got, err := spool.Parse([]byte(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got  %+v, %v\n want %+v", text, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                                   "JSON object",
		`[]`:                                 "JSON object",
		`null`:                               "JSON object",
		`{"id":"a","version":1`:              "no JSON",
		`{"id":"a","version":1,"text":""}{}`: "after",
		`{"id":"a","version":1,"text":"","text":"b"}`:                              "twice",
		`{"id":"a","version":1,"text":"","acl":{"allow":[],"allow":["everyone"]}}`: "twice",
		`{"id":"a","version":1,"text":"","ACL":{"allow":[]}}`:                      "small letters",
		`{"id":"a","version":1,"text":"","acl":null}`:                              "null",
		`{"id":"a","version":1,"text":"","acl":{"allow":null}}`:                    "null",
		`{"id":"a","version":1,"text":"","acl":["everyone"]}`:                      "cannot unmarshal",
		`{"id":"a","version":1,"text":"","acl":{"alow":[]}}`:                       "unknown field",
		`{"id":"a","version":1,"text":"","acl":{"allow":["ann"]}}`:                 "acl.allow",
		`{"id":"a","version":1,"text":"","acl":{"deny":["ann"]}}`:                  "acl.deny",
		`{"id":"a","version":1,"text":"","acl":{"allow":[["x"]]}}`:                 "cannot unmarshal",
		`{"id":"a","version":1,"text":"","acl":{"allow":[[["x"]]]}}`:               "deep",
		`{"id":"a","version":1,"txt":""}`:                                          "unknown field",
		`{"id":"a","version":1}`:                                                   "want text",
		`{"id":"a","version":1,"text":"","content":""}`:                            "want text",
		`{"id":"a","version":1,"content":"?"}`:                                     "base64",
		`{"id":"a","text":""}`:                                                     "version",
		`{"id":"a","version":0,"text":""}`:                                         "version",
		`{"id":"a","version":-1,"text":""}`:                                        "version",
		`{"id":"a","version":1.5,"text":""}`:                                       "version",
		`{"id":"a","version":"1","text":""}`:                                       "version",
		`{"id":"a","version":9223372036854775808,"text":""}`:                       "version",
		`{"version":1,"text":""}`:                                                  "id",
		`{"id":"../a","version":1,"text":""}`:                                      "id",
		`{"id":"/a","version":1,"text":""}`:                                        "id",
		"{\"id\":\"a\xff\",\"version\":1,\"text\":\"\"}":                           "UTF-8",
		`{"id":"a","version":1,"text":"","url":"javascript:alert(1)"}`:             "url",
		`{"id":"a","version":1,"text":"","title":"a\u0000"}`:                       "control",
		`{"id":"a","version":1,"text":"","updated":"yesterday"}`:                   "pars",
		`{"op":"upsert","id":"a","version":1,"text":""}`:                           "op",
		`{"op":"delete","id":"a","version":1,"text":""}`:                           "nothing else",
		`{"op":"delete","id":"a","version":1,"acl":{"allow":[]}}`:                  "nothing else",
	} {
		m, err := spool.Parse([]byte(text))
		if !errors.Is(err, spool.ErrMessage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if m.Data != nil || m.Allow != nil {
			t.Errorf("%s: an error came with %+v", text, m)
		}
	}
}

// FuzzParse: whatever is accepted is what the standard library reads, is safe
// to keep, and is accepted again.
func FuzzParse(f *testing.F) {
	for _, m := range history()[:8] {
		f.Add([]byte(m))
	}
	f.Add([]byte(`{"id":"a","version":1,"content":"JVBERg==","media_type":"application/pdf","tags":["x"],"acl":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := spool.Parse(data)
		if err != nil {
			if !errors.Is(err, spool.ErrMessage) {
				t.Errorf("%v is not named", err)
			}
			return
		}
		var plain map[string]any
		if err := json.Unmarshal(data, &plain); err != nil || plain["id"] != m.ID {
			t.Errorf("%q is read as %q, %v", data, m.ID, err)
		}
		if item.CheckPath(m.ID) != nil || m.Version < 1 {
			t.Errorf("%q, version %d are accepted", m.ID, m.Version)
		}
		if says, ok := plain["acl"].(map[string]any); ok && (says["allow"] != nil) != m.States {
			t.Errorf("%q: who may read is taken for unsaid, or the other way round", data)
		}
	})
}
