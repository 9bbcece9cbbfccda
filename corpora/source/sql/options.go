package sql

import (
	dbsql "database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ken/corpora/source/item"
	"ken/corpora/source/remote"
)

// Columns name what a row tells. Only Key is needed.
type Columns struct {
	Key      string   // unique; its value is the document's path
	Updated  string   // changes with every change of the row, its readers included
	Title    string   //
	Text     []string // one: as it is; several: under headings; none: all columns as lines
	URL      string
	Language string
	Class    string
	Allow    string // who may read; if it is named, NULL and "" mean nobody
	Deny     string // who may not
}

// Options of a database. DB, Dialect, a table or a query, and Columns.Key are needed.
type Options struct {
	item.Options
	DB      *dbsql.DB // the caller closes it
	Dialect Dialect
	Table   string // TABLE or SCHEMA.TABLE
	Query   string // instead of a table: a SELECT without ; at its end
	Columns Columns
	Prefix  string // stands before names of readers that say of no kind: "group:"
	Format  string // media type of the text; "" is Markdown
	Schema  string // path of a document that tells the columns and their types; "" is none
	Calls   remote.Options
}

func (o Options) validate() error {
	if err := o.Options.Validate(); err != nil {
		return err
	}
	switch {
	case o.DB == nil || !slices.Contains([]Dialect{Postgres, MySQL, SQLite}, o.Dialect):
		return errors.New("sql: no database")
	case (o.Table == "") == (o.Query == ""):
		return fmt.Errorf("sql %s: want a table or a query", o.Name)
	case o.Columns.Key == "":
		return fmt.Errorf("sql %s: name the column that is the key", o.Name)
	}
	for _, c := range append(o.named(), o.Table) {
		if strings.ContainsRune(c, 0) {
			return fmt.Errorf("sql %s: unusable name %q", o.Name, c)
		}
	}
	return nil
}

// named returns the columns that are named.
func (o Options) named() []string {
	c := o.Columns
	all := slices.Concat([]string{c.Key, c.Updated, c.Allow, c.Deny, c.Class, c.Title, c.URL, c.Language}, c.Text)
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// Dialect is how a database spells things.
type Dialect string

// The dialects.
const (
	Postgres Dialect = "postgres"
	MySQL    Dialect = "mysql"
	SQLite   Dialect = "sqlite"
)

// quote makes an identifier of a name.
func (d Dialect) quote(name string) string {
	mark := `"`
	if d == MySQL {
		mark = "`"
	}
	return mark + strings.ReplaceAll(name, mark, mark+mark) + mark
}

func (d Dialect) placeholder() string {
	if d == Postgres {
		return "$1"
	}
	return "?"
}

// from is what the rows are selected from.
func (o Options) from() string {
	if o.Query != "" {
		return "(" + o.Query + "\n) AS ken_rows" // the line ends a comment
	}
	parts := strings.Split(o.Table, ".")
	for i, p := range parts {
		parts[i] = o.Dialect.quote(p)
	}
	return strings.Join(parts, ".")
}

// listing selects what tells whether a row changed; one reads a whole row.
func (o Options) listing() string {
	c := o.Columns
	if c.Updated == "" {
		return "SELECT * FROM " + o.from()
	}
	var cols []string
	for _, name := range []string{c.Key, c.Updated, c.Allow, c.Deny, c.Class} {
		if name != "" {
			cols = append(cols, o.Dialect.quote(name))
		}
	}
	return "SELECT " + strings.Join(cols, ", ") + " FROM " + o.from()
}

func (o Options) one() string {
	return "SELECT * FROM " + o.from() + " WHERE " + o.Dialect.quote(o.Columns.Key) + " = " + o.Dialect.placeholder()
}
