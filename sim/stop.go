package sim

// Limits of a run. Zero means the default.
type Limits struct {
	Events    int64 // kernel events; default 20,000,000
	Queue     int   // pending events; default 1,000,000
	Processes int   // alive at once; default 100,000
	Facts     int   // recorded facts; default history.DefaultLimit
}

func (l Limits) filled() Limits {
	if l.Events == 0 {
		l.Events = 20_000_000
	}
	if l.Queue == 0 {
		l.Queue = 1_000_000
	}
	if l.Processes == 0 {
		l.Processes = 100_000
	}
	return l
}

// StopReason says why a run ended. Limit names the limit hit; Detail is for people.
type StopReason struct {
	Kind   StopKind
	Limit  string
	Detail string
	Site   string // file:line of the code that panicked, ended its goroutine or swallowed its kill; "" otherwise
}

// StopKind is the type of a stop reason.
type StopKind uint8

// The ways a run ends.
const (
	StopHorizon       StopKind = iota // the time given to Run
	StopDrained                       // no event left at all
	StopQuiescent                     // no foreground event and no outstanding work
	StopStuck                         // outstanding work, and the ledger does not move
	StopLimit                         // a limit, named
	StopPanic                         // code of a process panicked
	StopKillSwallowed                 // a dead process would not end
	StopGoexit                        // code of a process ended the goroutine
	StopAsked                         // the caller of Stop
)

// stopTable names the stop kinds.
var stopTable = [...]string{"horizon", "drained", "quiescent", "stuck", "limit", "panic", "kill-swallowed", "goexit", "asked"}

// String names the reason: "quiescent", "limit events".
func (s StopReason) String() string {
	if s.Kind == StopLimit {
		return "limit " + s.Limit
	}
	return stopTable[s.Kind]
}
