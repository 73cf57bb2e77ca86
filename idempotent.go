package twiceless

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// System is a consumer and what it works on, taken apart where a crash takes it apart.
type System[W, E any] struct {
	// World makes what survives a crash: the services behind the calls, and their data. Every schedule has a world of its
	// own, so what World returns must share nothing with an earlier one, and it starts no goroutine.
	World func() W

	// Process makes what a crash takes: a process of the consumer, built over the world as main builds it. Its calls go
	// through in; a call that does not is not a place where the process can die. The function that it returns handles one
	// delivery: nil is a success, after which the position is committed, and an error has the event delivered again. The
	// context ends when the process does, and with it should whatever the process started.
	Process func(w W, in *Cuts) func(ctx context.Context, e E) error

	// State is what is compared, by reflect.DeepEqual: what the events have left in the world, without what may differ
	// from run to run (times, random ids) and without what repeats rightly (logs, counts of attempts).
	State func(w W) any

	// Key tells which events have to keep their order: those of one key. Events of different keys may run beside each
	// other. nil: all events have one key.
	Key func(e E) string

	// Deliveries is how often one event is delivered at most, not counting deliveries after an error; 1 and up.
	// 0: 3 for a single event, otherwise 2.
	Deliveries int

	// Schedules is how many schedules are run at most. 0: 2000.
	Schedules int

	// Patience is how long one schedule may run in real time before it counts as an endless loop. 0: 10 s.
	Patience time.Duration

	// Expect is for a check that documents a known bug: it passes if the events are not idempotent and the report holds
	// each of these texts, such as handler.go:81. nil: they are to be idempotent.
	Expect []string
}

// CheckIdempotent fails the test if some way of delivering the events, at least once each, leaves another end state than
// delivering each once.
//
// The ways are those that a consumer group allows. A process may die at each call, the request not sent or the reply not
// seen, and between the end of a delivery and its commit; a new process then goes on from there or from an event further
// back. A commit may be lost, and the same process delivers again. A process may lose its partition at each call and go
// on with its delivery while its successor has the same one (a zombie). Keys may be handled side by side on two
// processes. Where several calls are open, each may be next, those of one process too.
//
// Schedules are run from the smallest up: fewest departures from the undisturbed run first, of these fewest events first.
// If there are more than Schedules of them, the last quarter of the runs is drawn from the deeper ones, the same in every
// execution. A failure shows the first schedule that fails, which for drawn ones is shrunk.
//
// The end state to equal is that of the events delivered once each, undisturbed, in the order given. Where there are
// several keys that of any other order that keeps each key's own (the first 120 are tried) will do: a group promises
// no order between keys. An end state that only arises while two keys' calls alternate is a failure, even where a person
// would call it harmless: leave such things out of State.
//
// A delivery that ends in an error is delivered again, up to ten times in a row with pauses that double from 100 ms; what
// follows an error is not counted as a delivery. Undisturbed, no delivery may end in an error.
//
// Time is virtual: sleeping costs nothing. Goroutines, channels, timers and deadlines in a process work as ever, with
// these limits. A goroutine that waits for a sync.Mutex which is held across a call is taken for an endless loop, for
// testing/synctest cannot see what it waits for. Goroutines that race for a channel between two calls are not ordered, so
// a verdict may then differ from run to run. What a killed process leaves waiting for its own dead goroutines stays
// parked until the test binary ends. A panic in a goroutine that the process started ends the binary, as ever.
//
// Not among the ways: a call whose reply is lost while its caller lives and sees an error. Host has those faults.
func CheckIdempotent[W, E any](t *testing.T, sys System[W, E], events ...E) {
	t.Helper()
	if text, ok := checkIdempotent(t, sys, events); ok {
		t.Log(text)
	} else {
		t.Fatal(text)
	}
}

// checkIdempotent says whether all is well and what there is to say of it.
func checkIdempotent[W, E any](t *testing.T, sys System[W, E], events []E) (text string, ok bool) {
	if problems := sys.problems(len(events)); len(problems) > 0 {
		return "CheckIdempotent: " + strings.Join(problems, "; "), false
	}
	c := &idemCheck{t: t, sub: subjectOf(sys, events), again: commandOf(ownerOf(t.Name()))}
	text, ok = c.search()
	return expectedText(text, ok, sys.Expect)
}

func (sys System[W, E]) problems(events int) (found []string) {
	for _, p := range []struct {
		bad  bool
		text string
	}{
		{sys.World == nil, "System.World is nil: it makes the services"},
		{sys.Process == nil, "System.Process is nil: it makes a process of the consumer"},
		{sys.State == nil, "System.State is nil: it reads the end state"},
		{events == 0, "no events: at least one"},
		{sys.Deliveries < 0, fmt.Sprintf("System.Deliveries is %d: at least 1, or 0 for the default", sys.Deliveries)},
		{sys.Schedules < 0, fmt.Sprintf("System.Schedules is %d: at least 1, or 0 for the default", sys.Schedules)},
		{sys.Patience < 0, fmt.Sprintf("System.Patience is %v: more than nothing, or 0 for the default", sys.Patience)},
	} {
		if p.bad {
			found = append(found, p.text)
		}
	}
	return found
}

const (
	defaultSchedules = 2000
	defaultPatience  = 10 * time.Second
)

// idemSubject is a System without its types; events go by their index.
type idemSubject struct {
	world      func() any
	process    func(w any, in *Cuts) func(ctx context.Context, event int) error
	state      func(w any) any
	names      []string
	keys       []int // number of the key, in order of appearance
	deliveries int   // 0: the default
	schedules  int
	patience   time.Duration
}

func subjectOf[W, E any](sys System[W, E], events []E) *idemSubject {
	s := &idemSubject{
		world: func() any { return sys.World() },
		process: func(w any, in *Cuts) func(context.Context, int) error {
			handle := sys.Process(asWorld[W](w), in)
			if handle == nil {
				panic("System.Process has returned no handler")
			}
			return func(ctx context.Context, event int) error { return handle(ctx, events[event]) }
		},
		state:      func(w any) any { return sys.State(asWorld[W](w)) },
		deliveries: sys.Deliveries,
		schedules:  sys.Schedules,
		patience:   sys.Patience,
	}
	if s.schedules == 0 {
		s.schedules = defaultSchedules
	}
	if s.patience == 0 {
		s.patience = defaultPatience
	}
	numbers := map[string]int{}
	for i, e := range events {
		key := ""
		if sys.Key != nil {
			key = sys.Key(e)
		}
		if _, seen := numbers[key]; !seen {
			numbers[key] = len(numbers)
		}
		s.keys = append(s.keys, numbers[key])
		s.names = append(s.names, eventName(e, i))
	}
	return s
}

// asWorld undoes any(w): a world that is a nil interface comes back as one.
func asWorld[W any](w any) W {
	typed, _ := w.(W)
	return typed
}

// eventName is what a report calls an event: its own words if it is a string, a number or a fmt.Stringer.
func eventName(e any, i int) string {
	if s, ok := e.(fmt.Stringer); ok {
		return s.String()
	}
	switch v := reflect.ValueOf(e); v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("event %v", e)
	default:
		return fmt.Sprintf("event %d", i+1)
	}
}
