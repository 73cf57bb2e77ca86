package scenarios

import (
	"strings"

	"github.com/twiceless/twiceless/sim"
)

// Crash is a run that ended outside the rules: a panic, a goroutine that ended, a loop without awaits. If the code is
// ours it is a bug of ours, exit 3 of a command, and never the end of a sweep; if it is a team's own, it is a finding.
type Crash struct {
	How    string // one of those below
	Detail string
	Site   string // package/file.go:line of the code; "" = unknown
}

// How a run can crash.
const (
	Panic         = "panic"
	Goexit        = "goexit"         // code ended its goroutine
	KillSwallowed = "kill-swallowed" // code recovered from its kill, time and again
	WarmUp        = "warm-up"        // the group was not stable when the phase of events began
	Hang          = "hang"           // by the clock on the wall; the one that is not deterministic
)

func (c *Crash) Error() string { return c.How + ": " + c.Detail }

// Fingerprint identifies the crash across seeds: how and in which file. It has no line, which moves with every edit.
func (c *Crash) Fingerprint() string {
	file, _, _ := strings.Cut(c.Site, ":")
	return strings.TrimSuffix(c.How+"/"+file, "/")
}

// Crash is the one in which a run ended, nil if it ended by the rules.
func (r *Result) Crash() *Crash {
	if _, bad := r.Failed(); !bad {
		return nil
	}
	if r.Stop.Kind == sim.StopAsked {
		return &Crash{How: WarmUp, Detail: r.Stop.Detail}
	}
	return crashOf(r.Stop)
}

func crashOf(s sim.StopReason) *Crash {
	return &Crash{How: s.String(), Detail: s.Detail, Site: s.Site}
}
