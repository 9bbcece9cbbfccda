package wire

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"ken/cmd/ken/internal/config"
	"ken/corpora/source/safenet"
)

// endpoints are the hosts that a bucket's URL or the environment of the clouds' own
// libraries names in place of the clouds': emulators, and servers of one's own.
func endpoints(u *url.URL, getenv config.Getenv) []string {
	var out []string
	add := func(all ...string) {
		for _, text := range all {
			if text != "" {
				out = append(out, host(text))
			}
		}
	}
	q := u.Query()
	switch u.Scheme {
	case "s3":
		add(q.Get("endpoint"), getenv("AWS_ENDPOINT_URL"), getenv("AWS_ENDPOINT_URL_S3"))
	case "gs":
		add(getenv("STORAGE_EMULATOR_HOST"))
	case "azblob":
		add(azure(u.Query(), getenv))
		for _, name := range []string{"AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGEBLOB_CONNECTIONSTRING"} {
			for part := range strings.SplitSeq(getenv(name), ";") {
				if text, ok := strings.CutPrefix(part, "BlobEndpoint="); ok {
					add(text)
				}
			}
		}
	}
	return out
}

// azure is the endpoint of an account in another domain than that of the public
// cloud; "" if it is in that.
func azure(q url.Values, getenv config.Getenv) string {
	domain := cmp.Or(q.Get("domain"), getenv("AZURE_STORAGE_DOMAIN"))
	emulator := cmp.Or(q.Get("localemu"), getenv("AZURE_STORAGE_IS_LOCAL_EMULATOR")) != ""
	if domain == "" || emulator || strings.HasPrefix(domain, "127.0.0.1") || strings.HasPrefix(domain, "localhost") {
		return domain
	}
	return cmp.Or(q.Get("storage_account"), getenv("AZURE_STORAGE_ACCOUNT")) + "." + domain
}

// host is the host name of a URL, or of HOST:PORT.
func host(text string) string {
	if _, rest, ok := strings.Cut(text, "://"); ok {
		text = rest
	}
	text, _, _ = strings.Cut(text, "/")
	if h, _, err := net.SplitHostPort(text); err == nil {
		return h
	}
	return strings.Trim(text, "[]")
}

// checkEndpoints refuses a bucket at an address that is not public, unless the
// source says that it is meant.
func (o SourceOptions) checkEndpoints(ctx context.Context) error {
	rules, err := safenet.Parse(o.AllowPrivate)
	if err != nil {
		return err
	}
	for _, h := range endpoints(o.URL, o.getenv) {
		addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", h)
		if a, aerr := netip.ParseAddr(h); aerr == nil {
			addresses, err = []netip.Addr{a}, nil
		}
		if err != nil {
			return fmt.Errorf("the bucket's endpoint: %w", err)
		}
		for _, a := range addresses {
			if err := rules.Check(h, a); err != nil {
				return err
			}
		}
	}
	return nil
}
