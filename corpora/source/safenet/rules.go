package safenet

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// ErrRefused says that an address, a URL or a redirect is one that no source
// may go to.
var ErrRefused = errors.New("refused by the network rules")

// Rules say which addresses may be reached. The zero Rules: public ones only.
type Rules struct {
	hosts    []string       // lower case, without the final dot
	prefixes []netip.Prefix // masked
}

// Parse reads what else may be reached: networks (10.0.0.0/8), addresses and
// host names, which stand for whatever they resolve to, but for the metadata
// addresses of clouds.
func Parse(allow []string) (Rules, error) {
	var r Rules
	for _, text := range allow {
		p, err := netip.ParsePrefix(text)
		if a, aerr := netip.ParseAddr(text); aerr == nil && a.Zone() == "" {
			a = a.Unmap()
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		switch {
		case err == nil && p.Addr().Is4In6():
			return Rules{}, fmt.Errorf("allow %q: write the network as IPv4", text)
		case err == nil:
			r.prefixes = append(r.prefixes, p.Masked())
		case strings.ContainsAny(text, "/:*@ \t") || text == "":
			return Rules{}, fmt.Errorf("allow %q: want a network such as 10.0.0.0/8, an address, or a host name without port", text)
		default:
			r.hosts = append(r.hosts, hostKey(text))
		}
	}
	return r, nil
}

func hostKey(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// Check returns an error that wraps [ErrRefused] unless the address, which host
// was resolved to, may be connected to.
func (r Rules) Check(host string, a netip.Addr) error {
	if a.Zone() != "" || !a.IsValid() {
		return fmt.Errorf("%w: %s has a zone", ErrRefused, host)
	}
	a = a.Unmap()
	within := func(p netip.Prefix) bool { return p.Contains(a) }
	if slices.ContainsFunc(metadata, within) {
		if slices.Contains(r.prefixes, netip.PrefixFrom(a, a.BitLen())) {
			return nil
		}
		return fmt.Errorf("%w: %s leads to an address at which clouds hand out credentials", ErrRefused, host)
	}
	if public(a) || slices.Contains(r.hosts, hostKey(host)) || slices.ContainsFunc(r.prefixes, within) {
		return nil
	}
	return fmt.Errorf("%w: %s leads to an address that is not public; if it is meant, name it in allow_private", ErrRefused, host)
}

// metadata are the addresses at which clouds tell a machine who it is.
var metadata = prefixes("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd20:ce::254/128")

// special are the ranges of the IANA special-purpose registries that lie within
// what would otherwise be global unicast, and deprecated ranges that carry IPv4.
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24",
	"192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
)

// globalV6 is all that is given out as global unicast.
var globalV6 = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		out[i] = netip.MustParsePrefix(t)
	}
	return out
}

// public reports whether an address is reached over the internet.
func public(a netip.Addr) bool {
	if !a.Is4() && (!globalV6.Contains(a) || isatap(a)) {
		return false
	}
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) })
}

// isatap reports whether the last half of an address carries an IPv4 address
// (RFC 5214), whatever the prefix.
func isatap(a netip.Addr) bool {
	b := a.As16()
	return b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}
