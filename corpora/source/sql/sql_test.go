package sql_test

import (
	dbsql "database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/source/item"
	"ken/corpora/source/remote"
	"ken/corpora/source/sql"
	"ken/corpora/sourcetest"
)

// database is one that a test writes to and a source reads.
type database struct {
	t       *testing.T
	write   *dbsql.DB
	read    *dbsql.DB
	dialect sql.Dialect
	table   string
}

// databases are those of this machine: SQLite always, servers where an
// environment variable names one (.ci/services starts them).
var databases = map[string]func(*testing.T) *database{
	"sqlite":   sqlite,
	"postgres": func(t *testing.T) *database { return server(t, "KEN_TEST_POSTGRES") },
	"mariadb":  func(t *testing.T) *database { return server(t, "KEN_TEST_MARIADB") },
}

func sqlite(t *testing.T) *database {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a ?#% b.db")
	w, err := dbsql.Open("sqlite", (&url.URL{Scheme: "file", Path: file}).String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Exec("CREATE TABLE begin (x INTEGER)"); err != nil { // makes the file
		t.Fatal(err)
	}
	return open(t, w, (&url.URL{Scheme: "sqlite", Path: file}).String())
}

func server(t *testing.T, variable string) *database {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s names no server: run .ci/services", variable)
		}
		t.Skipf("SKIPPED: %s names no server; eval \"$(.ci/services)\" starts one", variable)
	}
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	w, _, err := sql.Open(u, "")
	if err != nil {
		t.Fatal(err)
	}
	return open(t, w, text)
}

func open(t *testing.T, w *dbsql.DB, text string) *database {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	r, d, err := sql.Open(u, "")
	if err != nil {
		t.Fatal(err)
	}
	db := &database{t: t, write: w, read: r, dialect: d, table: fmt.Sprintf("docs_%d", time.Now().UnixNano())}
	t.Cleanup(func() {
		_, _ = w.Exec("DROP TABLE IF EXISTS " + db.table)
		if err := errors.Join(r.Close(), w.Close()); err != nil {
			t.Error(err)
		}
	})
	return db
}

func (db *database) exec(format string, args ...any) {
	db.t.Helper()
	q := strings.NewReplacer("TABLE_", db.table).Replace(format)
	if db.dialect == sql.Postgres {
		for i := 1; strings.Contains(q, "?"); i++ {
			q = strings.Replace(q, "?", fmt.Sprintf("$%d", i), 1)
		}
	}
	if _, err := db.write.ExecContext(db.t.Context(), q, args...); err != nil {
		db.t.Fatalf("%s: %v", q, err)
	}
}

func (db *database) source(o sql.Options) *sql.Source {
	db.t.Helper()
	o.Name, o.DB, o.Dialect = "db", db.read, db.dialect
	if o.Query == "" {
		o.Table = db.table
	}
	o.Calls = remote.Options{Backoff: time.Millisecond}
	s, err := sql.New(o)
	if err != nil {
		db.t.Fatal(err)
	}
	return s
}

func each(t *testing.T, run func(*testing.T, *database)) {
	for name, open := range databases {
		t.Run(name, func(t *testing.T) { run(t, open(t)) })
	}
}

func TestConformance(t *testing.T) {
	for name, updated := range map[string]string{"with an update column": "version", "without": ""} {
		for kind, open := range databases {
			t.Run(kind+" "+name, func(t *testing.T) {
				open(t)
				sourcetest.Run(t, func(t *testing.T) sourcetest.Fixture { return fixture(open(t), updated) })
			})
		}
	}
}

func fixture(db *database, updated string) sourcetest.Fixture {
	db.exec("CREATE TABLE TABLE_ (path VARCHAR(200) PRIMARY KEY, body TEXT, readers TEXT, version INTEGER)")
	version := 0
	update := func(set, name string, value any) {
		version++
		db.exec("UPDATE TABLE_ SET "+set+" = ?, version = ? WHERE path = ?", value, version, name)
	}
	return sourcetest.Fixture{
		Source: db.source(sql.Options{Columns: sql.Columns{Key: "path", Updated: updated, Text: []string{"body"}, Allow: "readers"}}),
		Put: func(name, text string) {
			version++
			db.exec("DELETE FROM TABLE_ WHERE path = ?", name)
			db.exec("INSERT INTO TABLE_ (path, body, version) VALUES (?, ?, ?)", name, text, version)
		},
		Remove: func(name string) { db.exec("DELETE FROM TABLE_ WHERE path = ?", name) },
		SetACL: func(name string, who ...acl.Subject) {
			names := make([]string, len(who))
			for i, s := range who {
				names[i] = string(s)
			}
			update("readers", name, strings.Join(names, ","))
		},
		Spoil: func(name string) { update("readers", name, "ann") },
		Break: func() { db.exec("DROP TABLE TABLE_") },
	}
}

// only reads the document of a listing of one row.
func only(t *testing.T, s corpora.Source) (corpora.Document, string, error) {
	t.Helper()
	for c, err := range s.Changes(t.Context(), "") {
		if err != nil {
			return corpora.Document{}, "", err
		}
		d, data, err := c.Load(t.Context())
		return d, string(data), err
	}
	t.Fatal("nothing is listed")
	return corpora.Document{}, "", nil
}

func TestRowsBecomeDocuments(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.exec("CREATE TABLE TABLE_ (id INTEGER PRIMARY KEY, title TEXT, body TEXT, steps TEXT, link TEXT, kind TEXT, at TIMESTAMP NULL)")
		db.exec("INSERT INTO TABLE_ (id, title, body, steps, link, kind, at) VALUES (42, 'Leave', 'Twelve weeks.', 'Ask.', 'https://example.com/42', 'Internal', '2026-03-01 10:00:00')")
		c := sql.Columns{Key: "id", Title: "title", Text: []string{"body", "steps"}, URL: "link", Class: "kind", Updated: "at"}
		d, data, err := only(t, db.source(sql.Options{Columns: c, Options: item.Options{Owner: "user:me"}}))
		if err != nil {
			t.Fatal(err)
		}
		if want := "## body\n\nTwelve weeks.\n\n## steps\n\nAsk.\n\n"; data != want {
			t.Errorf("text %q, want %q", data, want)
		}
		if d.ID != "db/42" || d.Title != "Leave" || d.URL != "https://example.com/42" || d.Class != "internal" || !d.Modified.Equal(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)) || d.ACL.Key() != acl.Allow("user:me").Key() {
			t.Errorf("document %+v", d)
		}
		c.Text = nil
		if _, data, err = only(t, db.source(sql.Options{Columns: c})); err != nil || !strings.Contains(data, "steps: Ask.\n") {
			t.Errorf("a row without text columns: %q, %v", data, err)
		}
		query := "SELECT id, title FROM " + db.table + " WHERE id > 1 -- all"
		if d, _, err := only(t, db.source(sql.Options{Query: query, Columns: sql.Columns{Key: "id", Title: "title"}})); err != nil || d.Title != "Leave" {
			t.Errorf("a query: %+v, %v", d, err)
		}
	})
}

// Readers are written in one of three ways; nothing is nobody, what is not
// understood closes the row.
func TestReaders(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.exec("CREATE TABLE TABLE_ (id INTEGER PRIMARY KEY, readers TEXT, others TEXT)")
		db.exec("INSERT INTO TABLE_ (id) VALUES (1)")
		s := db.source(sql.Options{Columns: sql.Columns{Key: "id", Allow: "readers", Deny: "others"}, Prefix: "group:", Options: item.Options{Owner: "user:me"}})
		for _, c := range []struct {
			readers, others any
			want            acl.List
			refused         bool
		}{
			{nil, nil, acl.List{}, false},
			{"", nil, acl.List{}, false},
			{"hr, user:ann", nil, acl.Allow("group:hr", "user:ann"), false},
			{`["hr","user:ann"]`, nil, acl.Allow("group:hr", "user:ann"), false},
			{`{hr,"a \"b\", c"}`, nil, acl.Allow("group:hr", `group:a "b", c`), false},
			{"everyone", "mallory", acl.NewList(acl.Grants("everyone"), acl.Grants("group:mallory")), false},
			{"{hr", nil, acl.List{}, true},
			{"{{hr}}", nil, acl.List{}, true},
			{"{NULL}", nil, acl.List{}, true},
			{`["hr"`, nil, acl.List{}, true},
			{"hr,,it", nil, acl.List{}, true},
			{"clearance:secret", nil, acl.List{}, true},
		} {
			db.exec("UPDATE TABLE_ SET readers = ?, others = ?", c.readers, c.others)
			d, _, err := only(t, s)
			if (err != nil) != c.refused || d.ACL.Key() != c.want.Key() {
				t.Errorf("%v, %v: %s, %v; want %s", c.readers, c.others, d.ACL.Key(), err, c.want.Key())
			}
		}
	})
}

// A row's text may be written by whoever; it can take readers away and add none.
func TestFrontMatterOnlyNarrows(t *testing.T) {
	db := sqlite(t)
	db.exec("CREATE TABLE TABLE_ (id INTEGER PRIMARY KEY, body TEXT)")
	db.exec("INSERT INTO TABLE_ (id) VALUES (1)")
	s := db.source(sql.Options{Columns: sql.Columns{Key: "id", Text: []string{"body"}}, Options: item.Options{Owner: "user:me"}})
	for front, want := range map[string]acl.List{
		"acl: [everyone]":          acl.Allow("user:me"),
		"acl: [group:hr]":          {},
		"acl: [user:me, user:ann]": acl.Allow("user:me"),
		"acl: {deny: [user:me]}":   acl.NewList(acl.Grants("user:me"), acl.Grants("user:me")),
	} {
		db.exec("UPDATE TABLE_ SET body = ?", "---\n"+front+"\n---\ntext\n")
		if d, _, err := only(t, s); err != nil || d.ACL.Key() != want.Key() {
			t.Errorf("%s: %s, %v; want %s", front, d.ACL.Key(), err, want.Key())
		}
	}
}

func TestKeysThatAreNoPaths(t *testing.T) {
	db := sqlite(t)
	db.exec("CREATE TABLE TABLE_ (k TEXT, body TEXT)")
	keys := []string{"", "/etc/passwd", "../up", "a//b", "a/./b", "a/../../b", "a\x00b", "a\nb", `a\b`, "a/", strings.Repeat("x", 2000), "bad\xffutf8"}
	for _, k := range keys {
		db.exec("INSERT INTO TABLE_ VALUES (?, 'text')", k)
	}
	refused := map[corpora.DocID]bool{}
	for c, err := range db.source(sql.Options{Columns: sql.Columns{Key: "k", Text: []string{"body"}}}).Changes(t.Context(), "") {
		switch {
		case err != nil && c.ID == "":
			t.Fatal(err)
		case err != nil:
			refused[c.ID] = true
		case c.Op == corpora.Put:
			t.Errorf("listed %q", c.ID)
		}
	}
	if len(refused) != len(keys) {
		t.Errorf("%d keys refused, want %d: %v", len(refused), len(keys), refused)
	}
}

// Nothing that a source is told to read can write.
func TestSourcesOnlyRead(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.exec("CREATE TABLE TABLE_ (id INTEGER PRIMARY KEY)")
		db.exec("INSERT INTO TABLE_ (id) VALUES (1)")
		for _, q := range []string{"SELECT id FROM TABLE_) AS x; DELETE FROM TABLE_; SELECT * FROM (SELECT 1", "DELETE FROM TABLE_ RETURNING id"} {
			for range db.source(sql.Options{Query: strings.ReplaceAll(q, "TABLE_", db.table), Columns: sql.Columns{Key: "id"}}).Changes(t.Context(), "") {
			}
		}
		if _, _, err := only(t, db.source(sql.Options{Columns: sql.Columns{Key: "id"}})); err != nil {
			t.Errorf("the row is gone: %v", err)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	for _, text := range []string{"postgres://me:secret@127.0.0.1/db", "oracle://127.0.0.1/db", "sqlite:", "mysql://me@127.0.0.1/db?allowAllFiles=true"} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if db, _, err := sql.Open(u, ""); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, %v", text, db, err)
		}
	}
	u, err := url.Parse("sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "none.db")))
	if err != nil {
		t.Fatal(err)
	}
	db, _, err := sql.Open(u, "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Ping(); err == nil {
		t.Error("a database that is not there was made")
	}
}
