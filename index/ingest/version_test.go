package ingest_test

import (
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index/ingest"
)

func TestVersion(t *testing.T) {
	d := corpora.Document{
		ID: "s/a", Source: "s", Path: "a", URL: "u", Title: "t", MediaType: "text/plain", Language: "en",
		Tags: []string{"x", "y"}, Class: "c", Status: corpora.Draft, SupersededBy: "s/b", Modified: noon,
	}
	base := ingest.Version(d, "text")
	if len(base) != 32 {
		t.Errorf("version %q: want 16 bytes in hex", base)
	}
	for _, test := range []struct {
		name   string
		same   bool
		change func(*corpora.Document)
	}{
		{"permissions", true, func(d *corpora.Document) { d.ACL = acl.Allow(acl.Everyone) }},
		{"stamp", true, func(d *corpora.Document) { d.Stamp = "2" }},
		{"version", true, func(d *corpora.Document) { d.Version = "2" }},
		{"time zone", true, func(d *corpora.Document) { d.Modified = noon.In(time.FixedZone("", 3600)) }},
		{"id", false, func(d *corpora.Document) { d.ID = "s/c" }},
		{"source", false, func(d *corpora.Document) { d.Source = "r" }},
		{"path", false, func(d *corpora.Document) { d.Path = "b" }},
		{"url", false, func(d *corpora.Document) { d.URL = "" }},
		{"title", false, func(d *corpora.Document) { d.Title = "" }},
		{"media type", false, func(d *corpora.Document) { d.MediaType = "" }},
		{"language", false, func(d *corpora.Document) { d.Language = "de" }},
		{"a tag less", false, func(d *corpora.Document) { d.Tags = d.Tags[:1] }},
		{"tags put together", false, func(d *corpora.Document) { d.Tags = []string{"xy"} }},
		{"class", false, func(d *corpora.Document) { d.Class = "" }},
		{"status", false, func(d *corpora.Document) { d.Status = "" }},
		{"successor", false, func(d *corpora.Document) { d.SupersededBy = "" }},
		{"modified", false, func(d *corpora.Document) { d.Modified = noon.Add(1) }},
		{"no date", false, func(d *corpora.Document) { d.Modified = time.Time{} }},
		{"a letter moved to the next field", false, func(d *corpora.Document) { d.URL, d.Title = "", "ut" }},
	} {
		changed := d
		changed.Tags = append([]string(nil), d.Tags...)
		test.change(&changed)
		if got := ingest.Version(changed, "text"); (got == base) != test.same {
			t.Errorf("%s: version %s, before %s", test.name, got, base)
		}
	}
	if ingest.Version(d, "text ") == base {
		t.Error("another text has the same version")
	}
}
