package wire

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	gocloud "gocloud.dev/blob"

	"ken/cmd/ken/internal/config"
	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/corpora/protect"
	"ken/corpora/source/api"
	"ken/corpora/source/blob"
	"ken/corpora/source/folder"
	"ken/corpora/source/git"
	"ken/corpora/source/item"
	"ken/corpora/source/mcp"
	"ken/corpora/source/remote"
	"ken/corpora/source/safenet"
	"ken/corpora/source/sql"
	"ken/corpora/source/web"
)

// Source is a source that is open.
type Source struct {
	corpora.Source
	// Place says in one spelling where it is, without options and secrets.
	Place string
	// Folder is the directory that it reads on this machine; "" if none.
	Folder string
	close  []func() error
	origin func(context.Context) (string, error)
	rules  protect.Rules // of the policy that the configuration names
}

// Close ends the use of the source, after the last Load.
func (s *Source) Close() error {
	var err error
	for _, c := range slices.Backward(s.close) {
		err = errors.Join(err, c())
	}
	return err
}

// Permissions tells a person where it is said who may read.
func (s *Source) Permissions(ctx context.Context) (string, error) { return s.origin(ctx) }

// Protection returns the rules for values in documents, of the policy that the
// source holds or the configuration names.
func (s *Source) Protection(ctx context.Context) (protect.Rules, error) {
	if own, ok := s.Source.(interface {
		Protection(context.Context) (protect.Rules, error)
	}); ok {
		return own.Protection(ctx)
	}
	return s.rules, nil
}

// SourceOptions are a configured source and what the process knows of it.
type SourceOptions struct {
	config.Source
	Subject acl.Subject // Owner, resolved
	Secret  string      // its value
	State   string      // directory of this source for what spares work next time; "" keeps nothing
	Spool   string      // directory of what was pushed to this source
	URL     *url.URL    // parsed; nil for a folder
	TLS     *tls.Config // of a broker; nil is in the clear
	getenv  config.Getenv
}

// Scheme is a kind of source.
type Scheme struct {
	Names []string // of URLs
	What  string
	open  func(context.Context, SourceOptions) (*Source, error)
}

// Schemes lists the kinds of sources that this binary reads. A new one is a new line.
func Schemes() []Scheme {
	return append([]Scheme{
		{nil, "a folder", openFolder},
		{[]string{"git+https", "git+ssh", "git+http", "git+file"}, "a Git repository", openGit},
		{[]string{"file", "mem"}, "a bucket in a directory or in memory", openBlob},
		{[]string{"postgres", "postgresql", "mysql", "mariadb", "sqlite"}, "rows of a database", openSQL},
		{[]string{"https", "http"}, "a web site, or with `api:` in the configuration an HTTP API", openHTTP},
		{[]string{"mcp+https", "mcp+http"}, "the resources of another MCP server", openMCP},
		{[]string{"webhook"}, "documents that are pushed to ken watch --webhook", openSpool},
		{[]string{ToolsScheme}, "documents that are written with the tools of ken serve; in the configuration", openWritten},
	}, fullSchemes()...)
}

// SchemeOf is the scheme of a URL, "" for what is a folder.
func SchemeOf(text string) string {
	if scheme, _, ok := strings.Cut(text, "://"); ok && !strings.ContainsAny(scheme, `/\`) {
		return strings.ToLower(scheme)
	}
	return ""
}

// Directories are where sources keep things, each in a folder of its own.
type Directories struct {
	State string // for what spares work next time; "" for none
	Spool string // for what was pushed to them
}

// OpenSource opens a source by its URL. Getenv gives secrets.
func OpenSource(ctx context.Context, c config.Source, owner acl.Subject, getenv config.Getenv, dirs Directories) (*Source, error) {
	o := SourceOptions{Source: c, Subject: owner}
	scheme := SchemeOf(c.URL)
	if len(c.MCP) > 0 {
		scheme = "mcp+https"
	}
	if scheme != "" {
		if err := config.CheckNoPassword(c.URL); err != nil {
			return nil, err
		}
		var err error
		if o.URL, err = url.Parse(c.URL); err != nil {
			return nil, errors.New("the URL is malformed")
		}
	}
	if o.CA != "" && !strings.HasSuffix(scheme, "+tls") {
		return nil, fmt.Errorf("source %s: ca is for brokers whose URL has +tls: for all else the authorities of the system count", o.Name)
	}
	switch {
	case o.ACL == "" || o.ACL == "posix" && scheme == "":
	case o.ACL == "posix":
		return nil, fmt.Errorf("source %s: acl: posix is for folders: this is %s://", o.Name, scheme)
	default:
		return nil, fmt.Errorf("source %s: acl %q is not known: there is posix", o.Name, o.ACL)
	}
	for _, s := range Schemes() {
		if scheme == "" && s.Names == nil || slices.Contains(s.Names, scheme) {
			o.Name = defaultName(o)
			if err := o.prepare(getenv, dirs); err != nil {
				return nil, fmt.Errorf("source %s: %w", o.Name, err)
			}
			return s.open(ctx, o)
		}
	}
	return nil, fmt.Errorf("no source has the scheme %q: there are %s", scheme, schemeNames())
}

func schemeNames() string {
	var all []string
	for _, s := range Schemes() {
		all = append(all, s.Names...)
	}
	return strings.Join(all, ", ")
}

func (o *SourceOptions) prepare(getenv config.Getenv, dirs Directories) (err error) {
	o.getenv = getenv
	if o.Secret, err = o.Source.Secret.Value(getenv, o.Name); err != nil {
		return err
	}
	if dirs.State != "" {
		o.State = filepath.Join(dirs.State, url.QueryEscape(o.Name))
	}
	o.Spool = SpoolOf(dirs.Spool, o.Name)
	return nil
}

// defaultName is the name of a source that has none.
func defaultName(o SourceOptions) string {
	if o.Name != "" || o.URL == nil {
		return o.Name
	}
	u, scheme := o.URL, SchemeOf(o.Source.URL)
	switch {
	case strings.HasPrefix(scheme, "git+"):
		base := strings.TrimSuffix(path.Base(strings.TrimSuffix(u.Path, "/.git")), ".git")
		return base
	case scheme == "http", scheme == "https", strings.HasPrefix(scheme, "mcp+"):
		return u.Hostname()
	case o.SQL.Table != "" || u.Query().Get("table") != "":
		return path.Base(o.SQL.Table + u.Query().Get("table"))
	}
	if base := path.Base(u.Path); base != "/" && base != "." {
		return base
	}
	return u.Host
}

// place is a URL without options.
func (o SourceOptions) place() string {
	u := *o.URL
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}

// query takes the options of ours out of the URL's query.
func (o *SourceOptions) query(names map[string]*string) {
	q := o.URL.Query()
	for name, to := range names {
		if q.Has(name) {
			*to = q.Get(name)
			q.Del(name)
		}
	}
	u := *o.URL
	u.RawQuery = q.Encode()
	o.URL = &u
}

func (o SourceOptions) calls() remote.Options { return remote.Options{Rate: o.Rate} }

// client is how an HTTP source talks: with its secret, to where it may.
func (o SourceOptions) client(home string) (*http.Client, error) {
	rules, err := safenet.Parse(o.AllowPrivate)
	if err != nil {
		return nil, err
	}
	so := safenet.Options{Rules: rules, Timeout: 0, Home: home}
	switch {
	case o.Secret == "":
	case o.Header != "":
		so.Header, so.Credential = o.Header, o.Secret
	case o.User != "":
		so.Header, so.Credential = "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(o.User+":"+o.Secret))
	default:
		so.Header, so.Credential = "Authorization", "Bearer "+o.Secret
	}
	return safenet.NewClient(so)
}

// items are the options of sources that hold no policy themselves.
func (o SourceOptions) items() (item.Options, func(context.Context) (string, error), error) {
	out := item.Options{Name: o.Name, Owner: o.Subject, MaxBytes: o.MaxBytes}
	origin := folder.Origin{Owner: o.Subject}
	if o.Policy != "" {
		data, err := os.ReadFile(o.Policy)
		if err != nil {
			return out, nil, fmt.Errorf("%w: read the policy: %w", corpora.ErrPermissions, err)
		}
		if out.Policy, err = policy.Parse(data); err != nil {
			return out, nil, fmt.Errorf("%w: %s: %w", corpora.ErrPermissions, o.Policy, err)
		}
		origin = folder.Origin{File: o.Policy, Rules: out.Policy.Rules()}
	}
	says := origin.String()
	if o.Policy == "" {
		says = fmt.Sprintf("where the source says nothing else, only %s may read; to share, name a policy in %s", o.Subject, config.ConfigFile)
	}
	return out, func(context.Context) (string, error) { return says, nil }, nil
}

// policied tells of sources that hold a policy themselves.
func policied(read func(context.Context) (folder.Origin, error)) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		o, err := read(ctx)
		return o.String(), err
	}
}

// noPolicy refuses a policy that would not be looked at.
func (o SourceOptions) noPolicy() error {
	if o.Policy == "" {
		return nil
	}
	return fmt.Errorf("source %s: it holds its policy itself, in %s: remove policy from the configuration", o.Name, policy.File)
}

func openFolder(_ context.Context, o SourceOptions) (*Source, error) {
	if err := o.noPolicy(); err != nil {
		return nil, err
	}
	s, err := folder.Open(o.Source.URL, folder.Options{Name: o.Name, Owner: o.Subject, MaxBytes: o.MaxBytes, Modes: o.ACL == "posix"})
	if err != nil {
		return nil, err
	}
	full, err := filepath.Abs(o.Source.URL)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &Source{Source: s, Place: full, Folder: full, close: []func() error{s.Close}, origin: policied(s.Policy)}, nil
}

func openGit(_ context.Context, o SourceOptions) (*Source, error) {
	if err := o.noPolicy(); err != nil {
		return nil, err
	}
	owners := ""
	o.query(map[string]*string{"ref": &o.Git.Ref, "path": &o.Git.Path, "codeowners": &owners})
	g := git.Options{
		Name: o.Name, Ref: o.Git.Ref, Path: o.Git.Path, Codeowners: o.Git.Codeowners || owners == "true" || owners == "1",
		Owner: o.Subject, MaxBytes: o.MaxBytes, Calls: o.calls(),
	}
	out := &Source{Place: o.place() + "?path=" + url.QueryEscape(o.Git.Path)}
	switch scheme := strings.ToLower(o.URL.Scheme); {
	case scheme == "git+file":
		g.Dir = filepath.FromSlash(o.URL.Host + o.URL.Path)
	case scheme == "git+ssh":
		u := *o.URL
		u.Scheme = "ssh"
		g.URL = u.String()
		var err error
		if g.SSH, err = o.ssh(); err != nil {
			return nil, fmt.Errorf("source %s: %w", o.Name, err)
		}
	default:
		u := *o.URL
		u.Scheme = strings.TrimPrefix(strings.ToLower(u.Scheme), "git+")
		if o.User == "" && u.User != nil {
			o.User = u.User.Username()
		}
		u.User = nil
		if o.User == "" && o.Header == "" {
			o.User = "x-access-token" // what forges take beside a token
		}
		g.URL = u.String()
		var err error
		if g.Client, err = o.client(g.URL); err != nil {
			return nil, err
		}
		g.Client.Timeout = 0 // a fetch takes as long as the attempt may
		out.close = append(out.close, func() error { g.Client.CloseIdleConnections(); return nil })
	}
	if g.URL != "" {
		var err error
		if g.Keep = o.State; g.Keep == "" || !o.Git.Keep {
			if g.Keep, err = os.MkdirTemp("", "ken-git-"); err != nil {
				return nil, err
			}
			out.close = append(out.close, func() error { return os.RemoveAll(g.Keep) })
		}
	}
	s, err := git.New(g)
	if err != nil {
		return nil, errors.Join(err, out.Close())
	}
	out.Source, out.origin = s, policied(s.Policy)
	return out, nil
}

// ssh is how a repository is reached over SSH. The server's key is always compared.
func (o SourceOptions) ssh() (*git.SSH, error) {
	rules, err := safenet.Parse(o.AllowPrivate)
	if err != nil {
		return nil, err
	}
	known := o.Git.KnownHosts
	if known == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("find the known hosts: %w", err)
		}
		known = filepath.Join(home, ".ssh", "known_hosts")
	}
	return &git.SSH{KnownHosts: []string{known}, Key: []byte(o.Secret), Agent: o.Git.Agent, Dial: safenet.Dialer(rules)}, nil
}

func openBlob(ctx context.Context, o SourceOptions) (*Source, error) {
	if err := o.noPolicy(); err != nil {
		return nil, err
	}
	if err := o.checkEndpoints(ctx); err != nil {
		return nil, fmt.Errorf("source %s: %w", o.Name, err)
	}
	prefix, u := "", *o.URL
	if u.Scheme != "file" {
		prefix, u.Path = u.Path, ""
	}
	b, err := gocloud.OpenBucket(ctx, u.String())
	if err != nil {
		return nil, fmt.Errorf("open the bucket of %s: %w", o.Name, err)
	}
	s, err := blob.New(blob.Options{Name: o.Name, Bucket: b, Prefix: prefix, Owner: o.Subject, MaxBytes: o.MaxBytes, Calls: o.calls(), Mark: markOf})
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	out := &Source{Source: s, Place: o.place(), close: []func() error{b.Close}, origin: policied(s.Policy)}
	if u.Scheme == "file" {
		out.Folder = filepath.FromSlash(u.Path)
	}
	return out, nil
}

func openSQL(_ context.Context, o SourceOptions) (*Source, error) {
	items, origin, err := o.items()
	if err != nil {
		return nil, err
	}
	c, text := &o.SQL, strings.Join(o.SQL.Text, ",")
	o.query(map[string]*string{
		"table": &c.Table, "query": &c.Query, "key": &c.Key, "updated": &c.Updated, "title": &c.Title, "text": &text, "url": &c.URL,
		"language": &c.Language, "class": &c.Class, "allow": &c.Allow, "deny": &c.Deny, "prefix": &c.Prefix, "format": &c.Format,
		"schema": &c.Schema,
	})
	if text != "" && text != strings.Join(c.Text, ",") {
		c.Text = strings.Split(text, ",")
	}
	db, dialect, err := sql.Open(o.URL, o.Secret)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", o.Name, err)
	}
	if c.Key == "" {
		c.Key = "id"
	}
	s, err := sql.New(sql.Options{
		Options: items, DB: db, Dialect: dialect, Table: c.Table, Query: c.Query, Prefix: c.Prefix, Format: c.Format, Schema: c.Schema, Calls: o.calls(),
		Columns: sql.Columns{
			Key: c.Key, Updated: c.Updated, Title: c.Title, Text: c.Text, URL: c.URL, Language: c.Language, Class: c.Class, Allow: c.Allow, Deny: c.Deny,
		},
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Source{Source: s, Place: o.place() + "?table=" + url.QueryEscape(c.Table+c.Query), close: []func() error{db.Close}, origin: origin, rules: items.Policy.Protect()}, nil
}

func openHTTP(_ context.Context, o SourceOptions) (*Source, error) {
	items, origin, err := o.items()
	if err != nil {
		return nil, err
	}
	client, err := o.client(o.Source.URL)
	if err != nil {
		return nil, err
	}
	out := &Source{Place: o.place(), origin: origin, rules: items.Policy.Protect(), close: []func() error{func() error { client.CloseIdleConnections(); return nil }}}
	if o.API != nil {
		out.Source, err = api.New(api.Options{Options: items, URL: o.Source.URL, Client: client, Shape: *o.API, MaxPages: o.Web.MaxPages, Calls: o.calls()})
	} else {
		out.Source, err = web.New(web.Options{
			Options: items, Start: append([]string{o.Source.URL}, o.Web.Start...), Client: client, Agent: o.Web.Agent, Depth: o.Web.Depth,
			MaxPages: o.Web.MaxPages, Exclude: o.Web.Exclude, Keep: o.State, Calls: o.calls(),
		})
	}
	if err != nil {
		return nil, errors.Join(err, out.Close())
	}
	return out, nil
}

// openMCP reads a server over HTTP, or a command of the configuration. A URL on a
// command line never runs anything.
func openMCP(_ context.Context, o SourceOptions) (*Source, error) {
	items, origin, err := o.items()
	if err != nil {
		return nil, err
	}
	out := &Source{origin: origin, rules: items.Policy.Protect()}
	mo := mcp.Options{Options: items, Calls: o.calls()}
	if len(o.MCP) > 0 {
		out.Place = strings.Join(o.MCP, " ")
		mo.Transport = func() sdk.Transport { return &sdk.CommandTransport{Command: exec.Command(o.MCP[0], o.MCP[1:]...)} }
	} else {
		u := *o.URL
		u.Scheme = strings.TrimPrefix(strings.ToLower(u.Scheme), "mcp+")
		client, err := o.client(u.String())
		if err != nil {
			return nil, err
		}
		out.Place = o.place()
		out.close = append(out.close, func() error { client.CloseIdleConnections(); return nil })
		mo.Transport = func() sdk.Transport {
			return &sdk.StreamableClientTransport{Endpoint: u.String(), HTTPClient: client, DisableStandaloneSSE: true}
		}
	}
	s, err := mcp.New(mo)
	if err != nil {
		return nil, errors.Join(err, out.Close())
	}
	out.Source, out.close = s, append(out.close, s.Close)
	return out, nil
}
