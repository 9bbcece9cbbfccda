package safenet_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"ken/corpora/source/safenet"
)

// private are addresses that no source may reach, one or more of every range of
// the IANA special-purpose registries, and those at which clouds hand out credentials.
var private = []string{
	"0.0.0.0", "0.0.0.1", "0.255.255.255", "10.0.0.0", "10.0.0.1", "10.255.255.255", "100.64.0.0", "100.100.100.200", "100.127.255.255",
	"127.0.0.0", "127.0.0.1", "127.0.1.1", "127.255.255.254", "169.254.0.1", "169.254.169.253", "169.254.169.254", "169.254.170.2", "169.254.255.255",
	"172.16.0.1", "172.17.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.8", "192.0.0.192", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1",
	"192.168.0.1", "192.168.1.254", "192.168.255.255", "192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
	"239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
}

// private6 are such addresses of IPv6, without those that carry IPv4.
var private6 = []string{
	"::", "::1", "::2", "100::1", "100:0:0:1::1", "64:ff9b:1::1", "2001::1", "2001:1::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1",
	"2620:4f:8000::1", "3fff::1", "5f00::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fd20:ce::254", "fdff:ffff::1", "fe80::1", "fe80::a9fe:a9fe", "febf::1",
	"fec0::1", "feff::1", "ff01::1", "ff02::1", "ff05::2", "ffff::1", "4000::1", "8000::1", "1000::1", "200::1",
}

// carried are the ways in which IPv6 carries an IPv4 address.
var carried = []func(a [4]byte) string{
	func(a [4]byte) string { return fmt.Sprintf("::ffff:%d.%d.%d.%d", a[0], a[1], a[2], a[3]) },         // mapped
	func(a [4]byte) string { return fmt.Sprintf("::%d.%d.%d.%d", a[0], a[1], a[2], a[3]) },              // compatible
	func(a [4]byte) string { return fmt.Sprintf("::ffff:0:%02x%02x:%02x%02x", a[0], a[1], a[2], a[3]) }, // translated
	func(a [4]byte) string { return fmt.Sprintf("64:ff9b::%02x%02x:%02x%02x", a[0], a[1], a[2], a[3]) }, // NAT64
	func(a [4]byte) string { return fmt.Sprintf("2002:%02x%02x:%02x%02x::1", a[0], a[1], a[2], a[3]) },  // 6to4
	func(a [4]byte) string {
		return fmt.Sprintf("2001:0:4136:e378::%02x%02x:%02x%02x", ^a[0], ^a[1], ^a[2], ^a[3])
	}, // Teredo
	func(a [4]byte) string {
		return fmt.Sprintf("2606:4700::5efe:%02x%02x:%02x%02x", a[0], a[1], a[2], a[3])
	}, // ISATAP
	func(a [4]byte) string {
		return fmt.Sprintf("2606:4700::200:5efe:%02x%02x:%02x%02x", a[0], a[1], a[2], a[3])
	}, // ISATAP, global
}

// TestAddresses is the table of addresses: those above, and each IPv4 address in
// each disguise.
func TestAddresses(t *testing.T) {
	var rules safenet.Rules
	cases, escapes := 0, 0
	refuse := func(text string) {
		t.Helper()
		cases++
		if err := rules.Check("x.example", netip.MustParseAddr(text)); !errors.Is(err, safenet.ErrRefused) {
			escapes++
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range private {
		refuse(text)
		for _, in := range carried {
			refuse(in(netip.MustParseAddr(text).As4()))
		}
	}
	for _, text := range private6 {
		refuse(text)
	}
	refuse("fe80::1%eth0")
	refuse("2606:4700::1%lo")
	t.Logf("%d addresses, %d escapes", cases, escapes)
	for _, text := range []string{"1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1", "198.17.255.255", "198.20.0.1", "2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888", "::ffff:8.8.8.8"} {
		if err := rules.Check("x.example", netip.MustParseAddr(text)); err != nil {
			t.Errorf("%s is public: %v", text, err)
		}
	}
}

// What an operator names is opened and nothing beside it; the addresses of
// credentials only by themselves.
func TestAllowed(t *testing.T) {
	for _, c := range []struct {
		allow    []string
		host, to string
		ok       bool
	}{
		{[]string{"10.0.0.0/8"}, "x", "10.1.2.3", true},
		{[]string{"10.0.0.0/8"}, "x", "11.1.2.3", true}, // public
		{[]string{"10.0.0.0/8"}, "x", "192.168.0.1", false},
		{[]string{"10.1.2.3"}, "x", "10.1.2.3", true},
		{[]string{"10.1.2.3"}, "x", "::ffff:10.1.2.3", true},
		{[]string{"10.1.2.3"}, "x", "10.1.2.4", false},
		{[]string{"::1"}, "x", "::1", true},
		{[]string{"wiki.intern"}, "wiki.intern", "10.1.2.3", true},
		{[]string{"wiki.intern"}, "WIKI.intern.", "10.1.2.3", true},
		{[]string{"wiki.intern"}, "evil.wiki.intern", "10.1.2.3", false},
		{[]string{"wiki.intern"}, "intern", "10.1.2.3", false},
		{[]string{"wiki.intern"}, "wiki.intern.evil.example", "10.1.2.3", false},
		{[]string{"wiki.intern"}, "wiki.intern", "169.254.169.254", false},
		{[]string{"wiki.intern"}, "wiki.intern", "fd00:ec2::254", false},
		{[]string{"wiki.intern"}, "wiki.intern", "168.63.129.16", false},
		{[]string{"0.0.0.0/0"}, "x", "169.254.169.254", false},
		{[]string{"0.0.0.0/0"}, "x", "100.100.100.200", false},
		{[]string{"169.254.0.0/16"}, "x", "169.254.169.254", false},
		{[]string{"169.254.169.254"}, "x", "169.254.169.254", true},
		{[]string{"0.0.0.0/0"}, "x", "127.0.0.1", true},
		{[]string{"0.0.0.0/0"}, "x", "::1", false},
	} {
		rules, err := safenet.Parse(c.allow)
		if err != nil {
			t.Fatal(err)
		}
		if err := rules.Check(c.host, netip.MustParseAddr(c.to)); (err == nil) != c.ok {
			t.Errorf("allow %v: %s at %s: %v", c.allow, c.host, c.to, err)
		}
	}
	for _, bad := range []string{"", "10.0.0.0/33", "http://x", "x:80", "*.intern", "a b", "::ffff:10.0.0.0/104", "x/y"} {
		if _, err := safenet.Parse([]string{bad}); err == nil {
			t.Errorf("allow %q is understood", bad)
		}
	}
}

// inner is a server on loopback that must never be asked. It listens on IPv4.
func inner(t *testing.T) (port string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprint(w, "secret")
	}))
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port(), asked
}

// spellings are URLs that lead to 127.0.0.1 or somewhere worse for some parser or
// resolver, and schemes that are not ours.
func spellings(port string) []string {
	hosts := []string{
		"127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0x0.0x0.0x1", "0x7f.1", "017700000001", "0177.0.0.1", "0177.0000.0000.0001", "127.0.0.01",
		"127.000.000.001", "127.0.0.1.", "0", "0.0.0.0", "0x0", "localhost", "LOCALHOST", "localhost.", "LocalHost.localdomain", "ip6-localhost",
		"[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[::1%25lo]", "[fe80::1%25lo]",
		"127.0.0.1%00.example.com", "①②⑦.⓪.⓪.①", "１２７.０.０.１", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "loc\u00adalhost", "loca\u200blhost",
		"127.0.0.1%2f.example.com", "127.0.0.1\\@example.com", "127.1.1.1", "127.255.255.255", "%31%32%37.0.0.1", "0x7f000001.", "127.0.0.1%20",
	}
	var out []string
	for _, h := range hosts {
		for _, shape := range []string{"http://%s:%s/", "https://%s:%s/", "HTTP://%s:%s/x?y=http://example.com/", "http://example.com@%s:%s/", "http://%s:%s#@example.com/"} {
			out = append(out, fmt.Sprintf(shape, h, port))
		}
	}
	for _, scheme := range []string{"file", "ftp", "gopher", "dict", "ldap", "tftp", "jar", "data", "javascript", "unix", "ws", "netdoc", "php", "sftp", "smb", "git", "ssh", "telnet", "about", ""} {
		out = append(out, scheme+"://127.0.0.1:"+port+"/etc/passwd", scheme+":/etc/passwd", scheme+":///etc/passwd")
	}
	return append(out, "//127.0.0.1:"+port, "http:127.0.0.1:"+port, "http:/127.0.0.1:"+port, "http:///127.0.0.1", "http://:"+port+"/", "http://", "http://?x", "http://\x00127.0.0.1:"+port+"/", "http://127.0.0.1:"+port+"\r\nHost: x/")
}

// TestURLs asks for each spelling with the default rules. Where a name needs a
// resolver, it asks one that answers every name with 127.0.0.1.
func TestURLs(t *testing.T) {
	port, asked := inner(t)
	client := newClient(t, safenet.Options{Resolver: resolver(t, "127.0.0.1")})
	all := spellings(port)
	for _, text := range all {
		if body, err := get(t, client, text); err == nil {
			t.Errorf("%q gave %q", text, body)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
	t.Logf("%d URLs, %d escapes", len(all), asked.Load())
}

func newClient(t *testing.T, o safenet.Options) *http.Client {
	t.Helper()
	c, err := safenet.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func get(t *testing.T, c *http.Client, text string) (string, error) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, text, nil)
	if err != nil {
		return "", err
	}
	resp, err := c.Do(q)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := safenet.ReadBody(resp.Body, 1<<20)
	return string(body), err
}

// TestRedirects has a server that may be asked send the client on to every
// spelling, in every way that a server can.
func TestRedirects(t *testing.T) {
	port, asked := inner(t)
	var to atomic.Value
	var status atomic.Int64
	outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to.Load().(string))
		w.WriteHeader(int(status.Load()))
	}))
	defer outer.Close()
	// The outer server is open by an address that the inner one does not have.
	outerURL, err := url.Parse(outer.URL)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := safenet.Parse([]string{"outer.example"})
	if err != nil {
		t.Fatal(err)
	}
	client := newClient(t, safenet.Options{Rules: rules, Resolver: resolver(t, "127.0.0.1")})
	start := "http://outer.example:" + outerURL.Port() + "/"
	cases := 0
	for i, text := range spellings(port) {
		if strings.ContainsAny(text, "\x00\r\n") {
			continue // no server can send it
		}
		to.Store(text)
		status.Store([]int64{301, 302, 303, 307, 308}[i%5])
		cases++
		if body, err := get(t, client, start); err == nil && strings.Contains(body, "secret") {
			t.Errorf("a redirect to %q gave %q", text, body)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
	t.Logf("%d redirects, %d escapes", cases, asked.Load())
	to.Store(start)
	if _, err := get(t, client, start); !errors.Is(err, safenet.ErrRefused) {
		t.Errorf("a redirect without end: %v", err)
	}
}

// TestRebinding has a name that is what it may be when it is looked at and another
// when it is used, in either order and within one answer.
func TestRebinding(t *testing.T) {
	port, asked := inner(t)
	friend, err := net.Listen("tcp", "127.0.0.2:"+port)
	if err != nil {
		t.Skipf("SKIPPED: this machine has one loopback address only: %v", err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "friend") })}
	go func() { _ = server.Serve(friend) }()
	defer server.Close()
	rules, err := safenet.Parse([]string{"127.0.0.2"})
	if err != nil {
		t.Fatal(err)
	}
	const good, bad = "127.0.0.2", "127.0.0.1"
	for _, answers := range []string{good + " " + bad, bad + " " + good, bad, good + "," + bad, bad + "," + good, "::1 " + bad, bad + " " + bad + " " + good} {
		names, friends := resolver(t, strings.Fields(answers)...), 0
		for range 8 {
			client := newClient(t, safenet.Options{Rules: rules, Resolver: names}) // a new one, so that the name is asked for
			if body, err := get(t, client, "http://rebind.example:"+port+"/"); err == nil && body == "friend" {
				friends++
			}
		}
		if strings.Contains(answers, good) && friends == 0 {
			t.Errorf("%s: the allowed address was never reached, so this shows nothing", answers)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests arrived at the other address", n)
	}
}

// resolver is a name server that answers each question with the next addresses.
func resolver(t *testing.T, answers ...string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for n := 0; ; {
			size, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:size]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			for text := range strings.SplitSeq(answers[n%len(answers)], ",") {
				m.Answers = append(m.Answers, record(m.Questions[0], netip.MustParseAddr(text))...)
			}
			if len(m.Answers) > 0 {
				n++
			}
			if out, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// record answers a question with an address, if it asks for one of that kind.
func record(q dnsmessage.Question, a netip.Addr) []dnsmessage.Resource {
	h := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET}
	switch {
	case a.Is4() && q.Type == dnsmessage.TypeA:
		return []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AResource{A: a.As4()}}}
	case a.Is6() && q.Type == dnsmessage.TypeAAAA:
		return []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}}}
	}
	return nil
}

// A credential goes to its origin and nowhere that a redirect or link leads.
func TestCredentialStaysHome(t *testing.T) {
	var got []string
	handler := func(name string, to *string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = append(got, name+"="+r.Header.Get("X-Key"))
			if *to != "" {
				http.Redirect(w, r, *to, http.StatusTemporaryRedirect)
			}
		})
	}
	var there, nowhere string
	home, away := httptest.NewServer(handler("home", &there)), httptest.NewServer(handler("away", &nowhere))
	defer home.Close()
	defer away.Close()
	there = away.URL + "/"
	rules, err := safenet.Parse([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, safenet.Options{Rules: rules, Home: home.URL, Header: "X-Key", Credential: "s3cret"})
	if _, err := get(t, c, home.URL); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, c, away.URL); err != nil {
		t.Fatal(err)
	}
	if want := []string{"home=s3cret", "away=", "away="}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLimitHoldsAfterDecompression(t *testing.T) {
	if _, err := safenet.ReadBody(strings.NewReader("12345"), 4); !errors.Is(err, safenet.ErrTooLarge) {
		t.Errorf("five bytes of four: %v", err)
	}
	if b, err := safenet.ReadBody(strings.NewReader("1234"), 4); err != nil || string(b) != "1234" {
		t.Errorf("four bytes of four: %q, %v", b, err)
	}
}
