package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"ken/tools"
)

type serveOptions struct {
	stdio, demo, trustProxy bool
	http, keys, as          string
	tlsCert, tlsKey         string
	publicURL, documentURL  string
	audit, metrics          string
	origins                 []string
	flags                   searchFlags
	identity                identityOptions
	feedback, keepQueries   bool
}

func (p *program) serveCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the Model Context Protocol over stdio or HTTP",
		Long: `Serve the tools search, fetch and list_versions, documents as resources, and a prompt.

Over stdio there is one person: whoever runs the process, or --as. Over HTTP each
request shows a key (ken keys create) and gets what the key's subjects may read, or
an access token of the identity provider that --issuer names. Groups that
groups.yaml in the data directory declares count at the next question, and so do
roles in roles.yaml, which say who may use which tool. Without that file everybody
may search, fetch and list_versions, and nobody delete_document, set_acl,
create_document or update_document. The last two write to sources of ken.yaml with the
URL tools://, which ken ingest has read once.

While it runs, other ken commands on the same data directory (ingest, acl, search,
a second serve --stdio, …) are carried out by this process.

Plain HTTP is served on loopback only. Elsewhere give a certificate, or say with
--trust-proxy that a proxy in front ends TLS and that nobody else reaches ken.
Without keys, --demo serves the bundled handbook alone, on loopback, and prints a
key for each of two people.`,
		Example: `  ken serve --stdio
  ken serve --http 127.0.0.1:7337
  ken serve --http 0.0.0.0:443 --tls-cert kb.pem --tls-key kb-key.pem --public-url https://kb.example.com/mcp
  ken serve --http 127.0.0.1:7337 --issuer https://login.example.com --public-url https://kb.example.com/mcp --claim-groups groups
  ken serve --http 127.0.0.1:7337 --demo`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serve(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.BoolVar(&o.stdio, "stdio", false, "serve one person over standard input and output")
	f.StringVar(&o.http, "http", "", "serve over HTTP at `ADDRESS`, such as 127.0.0.1:7337")
	f.StringVar(&o.keys, "keys", "", "key `FILE` (default: keys.yaml in the data directory)")
	f.BoolVar(&o.demo, "demo", false, "serve the bundled handbook to two printed keys, on loopback")
	f.StringVar(&o.tlsCert, "tls-cert", "", "certificate `FILE` (PEM)")
	f.StringVar(&o.tlsKey, "tls-key", "", "the certificate's key `FILE` (PEM)")
	f.BoolVar(&o.trustProxy, "trust-proxy", false, "a proxy in front ends TLS, and nobody else can reach the address")
	f.StringVar(&o.publicURL, "public-url", "", "`URL` that clients use, if it is not the address")
	f.StringVar(&o.documentURL, "document-url", "", "`URL` that, followed by a document's id, opens the document")
	f.StringSliceVar(&o.origins, "origin", nil, "web `ORIGIN` whose pages may call, such as https://chat.example.com")
	f.StringVar(&o.audit, "audit", "", "`FILE` that every call is written to: who, which tool, which documents left; see ken audit verify")
	f.StringVar(&o.metrics, "metrics", "", "serve counts of calls and the freshness of sources to Prometheus at a loopback `ADDRESS`, such as 127.0.0.1:9464")
	f.BoolVar(&o.feedback, "feedback", false, "offer a tool that records whether a passage was useful, in feedback.jsonl in the data directory")
	f.BoolVar(&o.keepQueries, "feedback-queries", false, "keep the questions with it, and not their hashes alone")
	asFlag(cmd, &o.as)
	o.flags.add(cmd)
	o.identity.add(cmd)
	return cmd
}

func (p *program) serve(ctx context.Context, o serveOptions) error {
	switch {
	case o.stdio == (o.http != ""):
		return usage("say how to serve: --stdio or --http ADDRESS")
	case o.demo && o.stdio:
		return usage("--demo is served over HTTP: add --http 127.0.0.1:7337")
	case o.demo && o.keys != "":
		return usage("--demo makes keys of its own: leave out --keys, or leave out --demo to serve your own documents")
	case o.identity.issuer.Issuer != "" && (o.stdio || o.demo):
		return usage("--issuer is for --http: over stdio and with --demo it is known who asks")
	case o.identity.clientCA != "" && (o.stdio || o.demo):
		return usage("--tls-client-ca is for --http: over stdio and with --demo it is known who asks")
	case o.http != "" && o.as != "":
		return usage("--as is for --stdio: over HTTP the key says who asks")
	case (o.tlsCert == "") != (o.tlsKey == ""):
		return usage("--tls-cert and --tls-key belong together")
	case o.demo:
		return p.serveDemo(ctx, o.http)
	case o.stdio:
		return p.serveStdio(ctx, o)
	}
	return p.serveHTTP(ctx, o)
}

func (p *program) serveStdio(ctx context.Context, o serveOptions) error {
	who, err := principal(o.as)
	if err != nil {
		return err
	}
	kb, err := p.open(ctx, o.flags)
	if err != nil {
		return err
	}
	defer kb.Close()
	server, log, err := p.surface(ctx, kb, o)
	if err != nil {
		return err
	}
	defer log.Close()
	if p.host != nil {
		return server.Run(ctx, who, p.host.transport(p))
	}
	defer p.takeCommands(ctx, kb)()
	return server.RunStdio(ctx, who)
}

func (p *program) serveHTTP(ctx context.Context, o serveOptions) error {
	who, err := p.authenticator(o)
	if err != nil {
		return err
	}
	ho := tools.HTTPOptions{Authenticator: who, TrustProxy: o.trustProxy, PublicURL: o.publicURL, Origins: o.origins}
	if ho.TLS, err = tlsConfig(o); err != nil {
		return err
	}
	listener, err := listen(ctx, o.http)
	if err != nil {
		return err
	}
	if err := ho.Validate(listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	kb, err := p.open(ctx, o.flags)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer kb.Close()
	server, log, err := p.surface(ctx, kb, o)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer log.Close()
	defer p.takeCommands(ctx, kb)()
	fmt.Fprintf(p.stderr, "listening on %s\n", endpoint(listener, ho.TLS != nil))
	return server.ServeHTTP(ctx, listener, ho)
}

// tools puts the MCP surface over a knowledge base of the program's own.
func (p *program) tools(s tools.Searcher, o serveOptions) (*tools.Server, error) {
	return tools.New(s, p.toolOptions(o))
}

// toolOptions are those of the MCP surface over any knowledge base.
func (p *program) toolOptions(o serveOptions) tools.Options {
	return tools.Options{Version: version, Clock: p.now, DocumentURL: o.documentURL, ToolScopes: o.identity.scopes(), Log: p.logger()}
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return l, nil
}

// endpoint is the URL that clients are given.
func endpoint(l net.Listener, encrypted bool) string {
	scheme := "http"
	if encrypted {
		scheme = "https"
	}
	return scheme + "://" + l.Addr().String() + tools.PathMCP
}
