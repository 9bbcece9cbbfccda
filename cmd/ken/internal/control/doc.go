// Package control lets a command run inside the process that holds the data
// directory. An index is open in one process at a time; while a server holds it,
// a second ken hands its command line over a Unix socket in that directory and
// prints what comes back. The socket is for the directory's owner alone.
//
// The client sends one [Request] as a line of JSON, and then what it reads from its
// standard input. The server answers with lines of JSON, pieces of the two outputs as
// they are written and at last the exit code. A client that goes away ends its command.
package control
