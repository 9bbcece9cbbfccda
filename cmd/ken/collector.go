package main

import (
	"runtime/debug"

	"ken/cmd/ken/internal/config"
)

// heapGrowth is by how many percent the heap grows over what is live before it is
// collected. What is live is small, since indexes are mapped files, and a search
// leaves half a megabyte behind: with Go's 100 the collector runs every few dozen
// searches.
const heapGrowth = 400

// tuneCollector sets it, unless GOGC, which the runtime reads itself, says otherwise.
func tuneCollector(getenv config.Getenv) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
