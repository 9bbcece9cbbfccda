package sql_test

import (
	"regexp"
	"testing"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/corpora/source/item"
	"ken/corpora/source/sql"
)

// schemaOf reads the schema document of a listing, which comes among the rows in
// the order of their paths.
func schemaOf(t *testing.T, s corpora.Source) (d corpora.Document, text string) {
	t.Helper()
	last := corpora.DocID("")
	for c, err := range s.Changes(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if c.Op == corpora.Put && c.ID < last {
			t.Errorf("%s comes after %s", c.ID, last)
		}
		if last = c.ID; c.ID != "db/schema.md" {
			continue
		}
		var data []byte
		if d, data, err = c.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		text = string(data)
	}
	return d, text
}

func TestSchema(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.exec("CREATE TABLE TABLE_ (path VARCHAR(200) PRIMARY KEY, body TEXT, readers TEXT, version INTEGER)")
		db.exec("INSERT INTO TABLE_ VALUES ('zz', 'a secret', 'user:ann', 1)")
		o := sql.Options{Schema: "schema.md", Columns: sql.Columns{Key: "path", Text: []string{"body"}, Updated: "version", Allow: "readers"}}
		d, text := schemaOf(t, db.source(o))
		want := regexp.MustCompile(`^\| column \| type \| use \|
\|---\|---\|---\|
\| path \| varchar(\(200\))? \| key \|
\| body \| text \| text \|
\| readers \| text \| who may read \|
\| version \| int(eger|4)? \| changed \|
$`)
		if !want.MatchString(text) || d.Title != "Schema of "+db.table || d.MediaType != "text/markdown" {
			t.Errorf("%q, %+v", text, d)
		}
		if d.ACL.Key() != (acl.List{}).Key() {
			t.Errorf("nobody said who may read the schema, and it is %s", d.ACL.Key())
		}
		db.exec("INSERT INTO TABLE_ VALUES ('aa', 'text', NULL, 1)")
		if again, _ := schemaOf(t, db.source(o)); again.Stamp != d.Stamp {
			t.Error("a row changes the schema's stamp")
		}
		db.exec("ALTER TABLE TABLE_ ADD COLUMN kind VARCHAR(20)")
		p, err := policy.Parse([]byte("version: 1\nrules: [{path: schema.md, allow: [group:developers]}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		o.Options = item.Options{Policy: p}
		if more, _ := schemaOf(t, db.source(o)); more.Stamp == d.Stamp || more.ACL.Key() != acl.Allow("group:developers").Key() {
			t.Errorf("with another column: stamp %q, before %q; %s", more.Stamp, d.Stamp, more.ACL.Key())
		}
		o = sql.Options{Schema: "schema.md", Query: "SELECT path, version + 1 AS next FROM " + db.table + " -- all", Columns: sql.Columns{Key: "path"}}
		if d, text := schemaOf(t, db.source(o)); d.Title != "Schema of a query" || !regexp.MustCompile(`\n\| next \| [a-z0-9]* \|  \|\n$`).MatchString(text) {
			t.Errorf("of a query: %q, %q", d.Title, text)
		}
	})
}
