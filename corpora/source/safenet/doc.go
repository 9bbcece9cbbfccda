// Package safenet lets a source fetch from the network without being led to
// places that only this machine can reach.
//
// What a source follows (links, redirects, sitemaps, next pages) is written by
// strangers. The address is checked when the connection is made, after the name
// was resolved, so neither a name that resolves differently the second time nor a
// spelling of an address that only a resolver understands gets past it. What is
// not a public address is refused: loopback, private, link-local, shared,
// documentation, multicast and reserved ranges, and the IPv6 ranges that carry
// IPv4 addresses within (mapped, compatible, NAT64, 6to4, Teredo, ISATAP).
//
// An operator opens an intranet by naming it ([Parse]). The addresses at which
// clouds hand out credentials stay refused even then, unless one of them is
// named by itself.
package safenet
