package sql

import (
	dbsql "database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Open opens a database by its URL, which has no password in it:
//
//	postgres://USER@HOST:PORT/DATABASE    (postgresql:// too; sslmode and the like as usual)
//	mysql://USER@HOST:PORT/DATABASE       (mariadb:// too; ?tls=true|false|preferred)
//	sqlite:///PATH                        (opened to read)
func Open(u *url.URL, password string) (*dbsql.DB, Dialect, error) {
	if _, has := u.User.Password(); has {
		return nil, "", fmt.Errorf("a database URL has no password in it")
	}
	var db *dbsql.DB
	var d Dialect
	var err error
	switch u.Scheme {
	case "postgres", "postgresql":
		d = Postgres
		db, err = openPostgres(u, password)
	case "mysql", "mariadb":
		d = MySQL
		db, err = openMySQL(u, password)
	case "sqlite":
		d = SQLite
		db, err = openSQLite(u)
	default:
		return nil, "", fmt.Errorf("no database has the scheme %q", u.Scheme)
	}
	if err != nil {
		return nil, "", err
	}
	db.SetMaxOpenConns(4)
	db.SetConnMaxIdleTime(time.Minute)
	return db, d, nil
}

func openPostgres(u *url.URL, password string) (*dbsql.DB, error) {
	c, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, fmt.Errorf("the database URL is not understood: %w", err)
	}
	if password != "" {
		c.Password = password
	}
	return stdlib.OpenDB(*c), nil
}

func openMySQL(u *url.URL, password string) (*dbsql.DB, error) {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
	if u.Port() == "" {
		c.Addr += ":3306"
	}
	c.User, c.Passwd, c.ParseTime, c.TLSConfig = u.User.Username(), password, true, "preferred"
	for k, v := range u.Query() {
		if k != "tls" {
			return nil, fmt.Errorf("the database URL has %q, which is not known: there is tls", k)
		}
		c.TLSConfig = v[0]
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fmt.Errorf("the database URL is not understood: %w", err)
	}
	return dbsql.OpenDB(connector), nil
}

func openSQLite(u *url.URL) (*dbsql.DB, error) {
	path := u.Path
	if path == "" {
		path = u.Opaque
	}
	full, err := filepath.Abs(filepath.FromSlash(path))
	if err != nil || path == "" {
		return nil, fmt.Errorf("want sqlite:///PATH")
	}
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(full), RawQuery: "mode=ro&_pragma=busy_timeout(5000)&_pragma=query_only(1)&_time_format=sqlite"}
	return dbsql.Open("sqlite", file.String())
}
