package sql

import (
	"cmp"
	"context"
	"crypto/sha256"
	dbsql "database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"ken/corpora"
	"ken/corpora/source/item"
	"ken/corpora/source/remote"
)

// Source is the rows of a table or query. It is safe for concurrent use.
type Source struct {
	options Options
	calls   *remote.Caller
}

var _ corpora.Source = (*Source)(nil)

// New returns the source of a table's or query's rows. Nothing is read before it
// is listed.
func New(o Options) (*Source, error) {
	o.Options = o.Options.WithDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	o.Format = cmp.Or(o.Format, "text/markdown")
	return &Source{options: o, calls: remote.New(o.Calls)}, nil
}

// Name returns the source's name.
func (s *Source) Name() string { return s.options.Name }

// Changes lists all rows in the byte order of their keys; the cursor is not
// looked at.
func (s *Source) Changes(ctx context.Context, _ corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		rows, err := s.list(ctx)
		if err != nil {
			yield(corpora.Change{}, fmt.Errorf("database %s: the listing is not complete: %w", s.Name(), err))
			return
		}
		for _, r := range rows {
			if err := ctx.Err(); err != nil {
				yield(corpora.Change{}, err)
				return
			}
			load := func(ctx context.Context) (item.Item, error) { return s.load(ctx, r) }
			if r.schema {
				load = s.schema
			}
			if !yield(s.options.Put(r.path, s.options.Stamp(r.path, r.mark), load)) {
				return
			}
		}
		yield(corpora.Change{Op: corpora.Complete}, nil)
	}
}

// listed is a row of a listing.
type listed struct {
	path   string
	key    any // as the database gave it
	mark   string
	schema bool // it is no row, but the document that tells the columns
}

func (s *Source) list(ctx context.Context) (out []listed, err error) {
	err = s.calls.Do(ctx, func(ctx context.Context) error {
		out = nil
		return verdict(s.query(ctx, s.options.listing(), nil, func(r row) error {
			if !r.has(s.options.Columns.Key) {
				return fmt.Errorf("there is no column %q", s.options.Columns.Key)
			}
			out = append(out, listed{path: r.text(s.options.Columns.Key), key: r.values[s.options.Columns.Key], mark: r.digest()})
			return nil
		}))
	})
	if s.options.Schema != "" && err == nil {
		var it item.Item
		it, err = s.schema(ctx)
		out = append(out, listed{path: it.Path, mark: fmt.Sprintf("schema %x", sha256.Sum256(it.Data)), schema: true})
	}
	slices.SortStableFunc(out, func(a, b listed) int { return strings.Compare(a.path, b.path) })
	return out, err
}

// load reads a row as it is now.
func (s *Source) load(ctx context.Context, l listed) (item.Item, error) {
	var rows []row
	err := s.calls.Do(ctx, func(ctx context.Context) error {
		rows = nil
		return verdict(s.query(ctx, s.options.one(), []any{l.key}, func(r row) error {
			rows = append(rows, r)
			return nil
		}))
	})
	switch {
	case err != nil:
		return item.Item{}, err
	case len(rows) == 0:
		return item.Item{}, fmt.Errorf("%w: no row has the key %q", corpora.ErrGone, l.path)
	case len(rows) > 1:
		return item.Item{}, fmt.Errorf("%d rows have the key %q: the key column must be unique", len(rows), l.path)
	}
	return s.item(l.path, rows[0])
}

// begin begins a transaction that only reads.
func (s *Source) begin(ctx context.Context) (*dbsql.Tx, error) {
	return s.options.DB.BeginTx(ctx, &dbsql.TxOptions{ReadOnly: s.options.Dialect != SQLite}) // a file is opened to read
}

// query runs a statement that only reads.
func (s *Source) query(ctx context.Context, q string, args []any, each func(row) error) (err error) {
	tx, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // it has written nothing
	rows, err := tx.QueryContext(ctx, q, args...)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		r, err := scan(names, rows)
		if err == nil {
			err = each(r)
		}
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

// verdict tells what another attempt may mend, besides what the network does.
func verdict(err error) error {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) {
		return remote.Passing(err, 0)
	}
	if p, ok := errors.AsType[*pgconn.PgError](err); ok {
		if p.Code == "0A000" && strings.Contains(p.Message, "cached plan") { // the table has other columns now; the driver forgets its plan
			return remote.Passing(err, 0)
		}
		switch p.Code[:min(2, len(p.Code))] {
		case "08", "40", "53", "57", "58": // connection, rollback, resources, operator, system
			return remote.Passing(err, 0)
		case "28":
			return fmt.Errorf("%w: %w", remote.ErrDenied, err)
		}
	}
	if m, ok := errors.AsType[*mysql.MySQLError](err); ok && slices.Contains([]uint16{1040, 1053, 1205, 1213}, m.Number) {
		return remote.Passing(err, 0)
	}
	return err
}
