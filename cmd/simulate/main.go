// Command simulate compares reliability strategies under faults and replays the smallest story that breaks one.
package main

import (
	"os"
	"runtime/debug"

	"github.com/twiceless/twiceless/cmd/simulate/command"
)

// collectAt is the growth of the heap, in percent, at which garbage is collected. A run allocates much and keeps little,
// so a sweep spends a third of its time in a collector at Go's 100; at 300 that is a tenth, for up to half a GB. GOGC in
// the environment wins.
const collectAt = 300

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	os.Exit(command.Main(os.Args, os.Stdin, os.Stdout, os.Stderr))
}
