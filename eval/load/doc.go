// Package load measures how long requests take under load.
//
// The load is open: requests begin when they are due at a given rate, whether or
// not those before them have ended, as those of people do who know nothing of each
// other. A request's time counts from when it was due, so that a server which stops
// for a second makes every request of that second late and not one of them (Tene,
// "How NOT to Measure Latency": coordinated omission).
package load
