package bubble

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/twiceless/twiceless/sim"
)

// Bubble is the code of one run. New, Settle, Take and Reach belong to the one who moves the clock, Ask to the code.
type Bubble struct {
	start time.Time
	timer *time.Timer
	wake  chan struct{} // somebody asked, gave up or ended while time passed
	now   sim.Time

	mu     sync.Mutex
	asks   []*Ask // not taken yet
	quits  []*Ask // whose context ended, not taken yet
	ends   []*Run // not taken yet
	groups int
}

// New makes a bubble whose time is 0 now. It must be called in a synctest bubble.
func New() *Bubble {
	b := &Bubble{start: time.Now(), wake: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	b.timer.Stop()
	return b
}

// Group is what dies together.
type Group struct {
	Name string
	b    *Bubble
	ctx  context.Context
	end  context.CancelFunc

	number  int
	among   int64  // number among those of all bubbles
	open    []*Ask // waiting
	dead    bool
	refused int // asks after its death
}

// Group makes a new group, alive.
func (b *Bubble) Group(name string) *Group {
	b.groups++
	g := &Group{Name: name, b: b, number: b.groups, among: allGroups.Add(1)}
	g.ctx, g.end = context.WithCancel(pprof.WithLabels(context.Background(), pprof.Labels(groupLabel, g.Label())))
	return g
}

// Label names the group among all that the program has ever had: by its address one that is gone, but for a goroutine that
// it has left behind, could be taken for one of now.
func (g *Group) Label() string { return fmt.Sprintf("%s %d", g.Name, g.among) }

var allGroups atomic.Int64 // how many there were

// groupLabel is the profiler label by which goroutines of a group are found again; those that they start inherit it.
const groupLabel = "twiceless-group"

// Context ends when the group does.
func (g *Group) Context() context.Context { return g.ctx }

// Run is one piece of code that was started: a handler with a message.
type Run struct {
	Group *Group
	Tag   any // whoever started it may keep something here

	ended  bool
	Panic  any    // what it panicked with; nil = it did not
	Goexit bool   // it ended its goroutine by itself, as t.FailNow does
	Site   string // where it did either
}

// Ended says whether its end was taken up.
func (r *Run) Ended() bool { return r.ended }

// Go starts code of the group on a goroutine of its own. It has done its first steps when Settle returns.
func (g *Group) Go(fn func()) *Run {
	r := &Run{Group: g}
	go func() {
		pprof.SetGoroutineLabels(g.ctx)
		returned := false
		defer func() {
			r.Panic, r.Goexit = recover(), !returned
			if r.Goexit {
				r.Goexit = r.Panic == nil
				r.Site = here()
			}
			g.b.note(func() { g.b.ends = append(g.b.ends, r) })
		}()
		fn()
		returned = true
	}()
	return r
}

// here is the innermost frame of the code that a deferred function of Go runs for: it is still on the stack.
func here() string {
	var pcs [64]uintptr
	return site(pcs[:runtime.Callers(2, pcs[:])], []string{"github.com/twiceless/twiceless/internal/bubble.", "github.com/stretchr/testify/"})
}

// note adds to what is to be taken up, and says so.
func (b *Bubble) note(add func()) {
	b.mu.Lock()
	add()
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Settle waits until all code is blocked.
func (b *Bubble) Settle() { synctest.Wait() }

// Taken is what happened since it was taken up last, each list in an order that does not depend on the scheduler.
type Taken struct {
	Ended []*Run
	Asked []*Ask
	Quit  []*Ask // asks whose context has ended: whoever works on one should answer it soon
}

// Peek is what Take would take up.
func (b *Bubble) Peek() Taken {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Taken{Ended: slices.Clone(b.ends), Asked: slices.Clone(b.asks), Quit: slices.Clone(b.quits)}
}

// Take takes up what has happened. All code must be blocked.
func (b *Bubble) Take() Taken {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := Taken{Ended: b.ends, Asked: b.asks, Quit: b.quits}
	b.ends, b.asks, b.quits = nil, nil, nil
	slices.SortStableFunc(t.Asked, byText)
	slices.SortStableFunc(t.Quit, byText)
	slices.SortStableFunc(t.Ended, func(x, y *Run) int { return cmp.Compare(x.Group.number, y.Group.number) })
	for _, r := range t.Ended {
		r.ended = true
	}
	return t
}

func byText(x, y *Ask) int {
	return cmp.Or(cmp.Compare(x.Group.number, y.Group.number), cmp.Compare(x.Text, y.Text))
}

// Busy says whether something is to be taken up.
func (b *Bubble) Busy() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.ends)+len(b.asks)+len(b.quits) > 0
}

// Now is the time that has passed.
func (b *Bubble) Now() sim.Time { return b.now }

// Reach lets time pass up to t, or up to the first moment before t at which there is something to take up, which may be
// now; it returns that moment. All code is blocked then.
func (b *Bubble) Reach(t sim.Time) sim.Time {
	for b.now < t && !b.Busy() {
		b.timer.Reset(time.Duration(t.Sub(b.now)))
		select {
		case <-b.timer.C:
			b.now = t
		case <-b.wake:
			b.now = sim.Time(time.Since(b.start))
		}
		synctest.Wait()
	}
	b.timer.Stop()
	return b.now
}

// Date is a time of the world on the clock of the code.
func (b *Bubble) Date(t sim.Time) time.Time { return b.start.Add(time.Duration(t)) }

// Elapsed is the time on the clock of the code. It is ahead of Now only if code that must not wait has waited.
func (b *Bubble) Elapsed() sim.Time { return sim.Time(time.Since(b.start)) }

// Ask is something that code wants from the world, and waits for.
type Ask struct {
	Group *Group
	Text  string          // what, in words that are the same in each run
	What  any             //
	Ctx   context.Context // of the asking code
	Work  any             // whoever works on it may keep something here

	answer   chan answer
	answered bool
	pcs      [24]uintptr
	depth    int
}

type answer struct {
	value any
	err   error
	kill  bool
}

// Ask waits for an answer. If ctx ends first, the one who moves the clock is told, and still answers. In a dead group
// it ends the goroutine.
func (g *Group) Ask(ctx context.Context, text string, what any) (any, error) {
	return g.ask(ctx, text, what, false)
}

// AskUntil is Ask for drivers below database/sql, which holds locks around them. Who waits at a lock is not taken for
// waiting by any bubble, so AskUntil returns always: when ctx ends at once, with its error, and what is answered then is
// heard by nobody; in a dead group and when the group dies with ErrEnded, where ending the goroutine would leave the lock
// of a transaction held. The code then goes on for a while after its death, up to its next ask.
func (g *Group) AskUntil(ctx context.Context, text string, what any) (any, error) {
	return g.ask(ctx, text, what, true)
}

func (g *Group) ask(ctx context.Context, text string, what any, leaves bool) (any, error) {
	a := &Ask{Group: g, Text: text, What: what, Ctx: ctx, answer: make(chan answer, 1)}
	a.depth = runtime.Callers(3, a.pcs[:])
	r := answer{kill: true}
	if g.enter(a) {
		r = a.wait(ctx, leaves)
	} else if g.Swallowed() {
		select {} // it begins again each time that it is ended: standing still is all that is left
	}
	switch {
	case r.kill && leaves:
		return nil, ErrEnded
	case r.kill:
		runtime.Goexit()
	}
	return r.value, r.err
}

// ErrEnded is what AskUntil says of a process that is no more.
var ErrEnded = errors.New("the process has ended")

// Tell is Ask for what nobody waits for. In a dead group it says nothing.
func (g *Group) Tell(text string, what any) {
	a := &Ask{Group: g, Text: text, What: what, Ctx: g.ctx, answer: make(chan answer, 1)}
	a.depth = runtime.Callers(2, a.pcs[:])
	g.enter(a)
}

// enter hands an ask over, unless the group is dead.
func (g *Group) enter(a *Ask) (alive bool) {
	g.b.note(func() {
		if alive = !g.dead; alive {
			g.b.asks = append(g.b.asks, a)
			g.open = append(g.open, a)
		} else {
			g.refused++
		}
	})
	return alive
}

func (a *Ask) wait(ctx context.Context, leaves bool) answer {
	if ctx.Done() == nil {
		return <-a.answer
	}
	select {
	case r := <-a.answer:
		return r
	case <-ctx.Done():
		a.Group.b.note(func() {
			a.Group.b.quits = append(a.Group.b.quits, a)
			if leaves {
				a.reply(answer{err: ctx.Err()})
			}
		})
		return <-a.answer
	}
}

// Answer ends the wait. A second answer, and one to an ask of a dead group, says nothing.
func (a *Ask) Answer(value any, err error) { a.settle(answer{value: value, err: err}) }

func (a *Ask) settle(r answer) {
	b := a.Group.b
	b.mu.Lock()
	defer b.mu.Unlock()
	a.reply(r)
}

// reply is the first answer. The bubble is locked.
func (a *Ask) reply(r answer) {
	if a.answered {
		return
	}
	a.answered = true
	if i := slices.Index(a.Group.open, a); i >= 0 {
		a.Group.open = slices.Delete(a.Group.open, i, i+1)
	}
	a.answer <- r
}

// Quit says whether the asking code has given up.
func (a *Ask) Quit() bool { return a.Ctx.Err() != nil }

// Kill ends the group: each goroutine of it at the ask that it waits in, or else at its next one. Asks that were not
// taken up yet are forgotten. Its context ends.
func (g *Group) Kill() {
	b := g.b
	b.mu.Lock()
	g.dead = true
	open := slices.Clone(g.open)
	mine := func(a *Ask) bool { return a.Group == g }
	b.asks, b.quits = slices.DeleteFunc(b.asks, mine), slices.DeleteFunc(b.quits, mine)
	b.mu.Unlock()
	for _, a := range open {
		a.settle(answer{kill: true})
	}
	synctest.Wait()
	g.end()
	synctest.Wait()
}

// End ends the context of the group and nothing else: its code may come to its own end.
func (g *Group) End() { g.end() }

// Dead says whether the group was killed.
func (g *Group) Dead() bool { return g.dead }

// swallowLimit is how often a dead group may ask again.
const swallowLimit = 100

// Swallowed says that the code would not end: it has gone on asking after the death of its group.
func (g *Group) Swallowed() bool {
	g.b.mu.Lock()
	defer g.b.mu.Unlock()
	return g.refused > swallowLimit
}

// Open are the asks that wait now, in order of asking.
func (g *Group) Open() []*Ask {
	g.b.mu.Lock()
	defer g.b.mu.Unlock()
	return slices.Clone(g.open)
}

// Site is where the code asks: package, file and line of the innermost frame that is neither of the standard library
// nor hidden; hidden are prefixes of functions, such as those of a driver.
func (a *Ask) Site(hidden ...string) string { return site(a.pcs[:a.depth], hidden) }

// Files are the source files of the asking code, innermost first, less what Site would pass over.
func (a *Ask) Files(hidden ...string) (files []string) {
	frames := runtime.CallersFrames(a.pcs[:a.depth])
	for more := true; more; {
		var f runtime.Frame
		if f, more = frames.Next(); f.Function != "" && !standard(f.Function) && !hasPrefix(f.Function, hidden) {
			files = append(files, f.File)
		}
	}
	return files
}

func site(pcs []uintptr, hidden []string) string {
	frames := runtime.CallersFrames(pcs)
	for {
		f, more := frames.Next()
		if f.Function != "" && !standard(f.Function) && !hasPrefix(f.Function, hidden) {
			return sim.SiteOf(f)
		}
		if !more {
			return ""
		}
	}
}

// standard says whether a function is of the standard library. A module's path need not have a dot in it, so the names
// are listed.
func standard(function string) bool {
	first, _, _ := strings.Cut(function, "/")
	first, _, _ = strings.Cut(first, ".")
	_, found := slices.BinarySearch(standardTops, first)
	return found
}

// standardTops are the first elements of the import paths of the standard library, sorted.
var standardTops = []string{"archive", "arena", "bufio", "bytes", "cmp", "compress", "container", "context", "crypto", "database", "debug",
	"embed", "encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index", "internal", "io", "iter", "log", "maps", "math",
	"mime", "net", "os", "path", "plugin", "reflect", "regexp", "runtime", "slices", "sort", "strconv", "strings", "structs", "sync", "syscall",
	"testing", "text", "time", "unicode", "unique", "unsafe", "vendor", "weak"}
