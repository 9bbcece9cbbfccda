// Command oauthclient signs in with the Go SDK's own handler, which is how a
// program in Go would use ken, and calls search and fetch:
//
//	oauthclient URL DOCUMENT
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

const callback = "http://127.0.0.1:9/callback" // never opened

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url, document string) error {
	signIns := 0
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		RedirectURL: callback,
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
			ClientName: "ken-testclients", RedirectURIs: []string{callback}, GrantTypes: []string{"authorization_code", "refresh_token"}, TokenEndpointAuthMethod: "none",
		}},
		AuthorizationCodeFetcher: func(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			signIns++
			return signIn(ctx, args.URL)
		},
	})
	if err != nil {
		return err
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "ken-testclients", Version: "1"}, nil)
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: url, OAuthHandler: handler}, nil)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer session.Close()
	for _, call := range []mcp.CallToolParams{
		{Name: "search", Arguments: map[string]any{"query": "parental leave"}},
		{Name: "fetch", Arguments: map[string]any{"id": document}},
	} {
		answer, err := session.CallTool(ctx, &call)
		if err != nil {
			return fmt.Errorf("%s: %w", call.Name, err)
		}
		text, _ := answer.Content[0].(*mcp.TextContent)
		if answer.IsError || text == nil || !strings.Contains(text.Text, document) {
			return fmt.Errorf("%s: %+v", call.Name, answer)
		}
		fmt.Printf("%s: found\n", call.Name)
	}
	fmt.Printf("sign-ins: %d\n", signIns)
	return nil
}

// signIn follows redirects, as a browser does, until one leads to the callback.
func signIn(ctx context.Context, url string) (*auth.AuthorizationResult, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	var result *auth.AuthorizationResult
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), callback) {
			return nil
		}
		q := r.URL.Query()
		result = &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}
		return http.ErrUseLastResponse
	}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := browser.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if result == nil || result.Code == "" {
		return nil, fmt.Errorf("sign in: the provider answered %s", res.Status)
	}
	return result, nil
}
