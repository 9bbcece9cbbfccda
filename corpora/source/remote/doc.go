// Package remote is how sources talk to services that are slow, busy or down.
//
// A [Caller] spaces calls out to a rate, gives each attempt its time, repeats
// what failed for a passing reason with growing pauses (or the pause that the
// service asks for), and after five failures in a row stops asking for a while.
// What it gives up on wraps [corpora.ErrUnavailable]: nothing is then known of the
// document, and what is indexed of it stays.
package remote
