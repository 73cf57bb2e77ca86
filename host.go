package twiceless

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/twiceless/twiceless/internal/bubble"
	"github.com/twiceless/twiceless/loop"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim"
)

// Host tests a handler of messages, unchanged code as production runs it: it may use its context, deadlines, goroutines,
// mutexes, an *http.Client, a *sql.DB. newHandler is called for each start of a consumer's process, on the simulated
// consumers that the scenario has; what a handler remembers between messages it keeps in what newHandler makes, or else it
// survives crashes that a real process would not survive.
//
// The engine of the stack polls, hands over one message after the other, and commits; each call to a service is the stage of
// the scenario's flow that calls this service.
//
// What it cannot do: time.Now is the simulated time, but clock skew does not reach it; a process dies at a call to the
// world, and a goroutine that waits for something of its own when its process dies ends at its next call; on a machine that
// stands still the code's own timers go on.
func Host(t *testing.T, scenario string, newHandler func(*Env) Handler, opts ...Option) {
	t.Helper()
	host(t, scenario, &hosted{handler: single(newHandler)}, opts)
}

// HostBatch is Host for a handler of several messages at once.
func HostBatch(t *testing.T, scenario string, newHandler func(*Env) BatchHandler, opts ...Option) {
	t.Helper()
	host(t, scenario, &hosted{handler: newHandler, batches: true}, opts)
}

// HostLoop is Host for code that owns its poll loop, by the client that Env.Client gives. The loop returns when its
// client says loop.ErrClosed; if it returns before, its process is started again, as a supervisor would.
func HostLoop(t *testing.T, scenario string, newLoop func(*Env) func(context.Context) error, opts ...Option) {
	t.Helper()
	host(t, scenario, &hosted{loop: newLoop}, opts)
}

func host(t *testing.T, scenario string, h *hosted, opts []Option) {
	t.Helper()
	h.t = t
	if calls := exits("."); len(calls) > 0 { // at once: a log of the test would go down with the program
		fmt.Printf("twiceless: if the program ends in the middle of %s, look at %s: nothing can be told after that\n", t.Name(), strings.Join(calls, ", "))
	}
	defer func() {
		h.survivors()
		for _, r := range h.remarks {
			t.Log("twiceless: " + r)
		}
	}()
	check(t, scenario, func(s *settings) *scenarios.Code {
		h.brought = &s.brought
		return h.code("")
	}, opts)
}

// Handler handles one message, as production code does. An error is what the stack around it deals with: at-least-once
// tries again.
type Handler func(ctx context.Context, m Message) error

// BatchHandler handles several messages and returns one error for each, nil = done. A slice that is nil says that all are
// done.
type BatchHandler func(ctx context.Context, ms []Message) []error

// hosted is what the three hosting functions have in common: code, and the services that it brings along.
type hosted struct {
	t       *testing.T
	handler func(*Env) BatchHandler
	batches bool // the handler takes several messages at once
	loop    func(*Env) func(context.Context) error
	brought *brought

	mu      sync.Mutex
	remarks []string        // each once
	asks    int             // that were looked at for where the code lies
	dirs    map[string]bool // where it lies
	kept    map[string]bool // labels of groups that ended in good order; looked up only
}

func (h *hosted) keep(label string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.kept == nil {
		h.kept = map[string]bool{}
	}
	h.kept[label] = true
}

// asksLookedAt is how many asks are looked at for where the code lies.
const asksLookedAt = 200

// see notes the directories of the code that asks: those below the directory of its go.mod, so that no library counts.
func (h *hosted) see(a *bubble.Ask) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asks++; h.asks > asksLookedAt {
		return
	}
	if h.dirs == nil {
		h.dirs = map[string]bool{}
	}
	for _, file := range a.Files(drivers...) {
		if dir := filepath.Dir(file); !h.dirs[dir] && strings.HasPrefix(dir, moduleRoot()) {
			h.dirs[dir] = true
		}
	}
}

// moduleRoot is the directory of the go.mod of the running test; without one it is no prefix of any.
var moduleRoot = sync.OnceValue(func() string {
	dir, err := os.Getwd()
	for err == nil {
		if _, gone := os.Stat(filepath.Join(dir, "go.mod")); gone == nil {
			return dir + string(filepath.Separator)
		}
		if filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	return "\x00"
})

// survivors are told of once the code has been seen.
func (h *hosted) survivors() {
	h.mu.Lock()
	dirs := slices.Sorted(maps.Keys(h.dirs))
	h.mu.Unlock()
	if text := survivorsRemark(dirs); text != "" {
		h.remark(text)
	}
}

// describeLeft names the goroutines that code left behind in processes that ended in good order; "" = there are none.
// Those of processes that were killed are nobody's fault: their process would have taken them along.
func (h *hosted) describeLeft() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	left := bubble.Left(func(label string) bool { return h.kept[label] }, drivers...)
	if len(left) == 0 {
		return ""
	}
	slices.Sort(left)
	return "goroutines are left behind when the process ends, blocked for ever: " + strings.Join(left, ", ") + "; end them with Env.Context"
}

// remark notes what a person should know of the code and is no finding.
func (h *hosted) remark(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Contains(h.remarks, text) {
		h.remarks = append(h.remarks, text)
	}
}

// code is the hosted code as scenarios bind it.
func (h *hosted) code(owner string) *scenarios.Code {
	return &scenarios.Code{Owner: owner, Host: func() scenarios.Guest { return &guest{h: h, b: bubble.New(), members: map[*sim.Node]*member{}} }, Around: h.around}
}

// around does a run in a synctest bubble. A panic of the run is raised again outside of it: inside it would end the
// program. Goroutines that the code has left behind stay where they are, blocked for ever, and are remarked.
func (h *hosted) around(run func()) {
	var raised any
	var trace []byte
	defer func() {
		if deadlock := recover(); deadlock != nil {
			if err, ok := deadlock.(error); ok && err.Error() == leftBehind {
				if left := h.describeLeft(); left != "" {
					h.remark(left)
				}
			} else {
				panic(deadlock)
			}
		}
		if raised != nil {
			panic(fmt.Sprintf("%v\n%s", raised, trace))
		}
	}()
	synctest.Test(h.t, func(*testing.T) {
		done := make(chan struct{})
		go func() { // a Goexit must not end the goroutine of the testing package
			defer close(done)
			defer func() {
				if raised = recover(); raised != nil {
					trace = debug.Stack()
				}
			}()
			run()
		}()
		<-done
	})
}

// leftBehind is what a bubble says whose code has ended but for goroutines that are blocked.
const leftBehind = "deadlock: main bubble goroutine has exited but blocked goroutines remain"

// guest is hosted code in one world.
type guest struct {
	h       *hosted
	hall    scenarios.Hall
	b       *bubble.Bubble
	members map[*sim.Node]*member // present ones, by node; looked up only
	all     []*member             // every one that there was
	lock    sync.Mutex            // of what the code changes by itself: the list of pools

	restless bool // somebody asks without a message
}

func (gu *guest) Enter(hall scenarios.Hall) { gu.hall = hall }

// services of the scenario, sorted.
func (gu *guest) services() []string { return scenarios.SortedKeys(gu.hall.Scenario.Downstreams) }

// Reach lets the code come to t.
func (gu *guest) Reach(t sim.Time) (sim.Time, func()) {
	at := gu.b.Reach(t)
	if gu.b.Busy() {
		return at, gu.take
	}
	return at, nil
}

// settle waits until the code is blocked and takes up what it has done.
func (gu *guest) settle() {
	gu.b.Settle()
	gu.take()
}

func (gu *guest) take() {
	t := gu.b.Take()
	for _, r := range t.Ended {
		r.Tag.(*member).changed.Broadcast()
	}
	for _, a := range t.Asked {
		gu.begin(a)
	}
	for _, a := range t.Quit {
		switch w := a.Work.(type) {
		case *work:
			w.quit()
		case *client:
			w.quit(a)
		}
	}
}

// asked is something that code asks for and a process of the node does.
type asked interface {
	do(c model.Ctx, gu *guest, d *delivery) (any, error)
}

// work is an ask that a process of the node does.
type work struct {
	ask  *bubble.Ask
	proc *sim.Proc
}

// quit ends the call that the process waits in; one that has not begun sees for itself.
func (w *work) quit() { w.proc.CancelCall() }

// begin has a process of the member's node do what is asked for.
func (gu *guest) begin(a *bubble.Ask) {
	m := gu.memberOf(a.Group)
	if m == nil || !m.node.Up() || m.node.Incarnation() != m.inc {
		return // its end has not come to the code yet
	}
	if _, ok := a.What.(*clientAsk); ok {
		m.client.take(a)
		return
	}
	gu.h.see(a)
	d := m.workOf(a)
	start := m.node.Go
	if d == nil {
		gu.restless = true
		start = m.node.GoBackground // what belongs to no message keeps no run going
	}
	w := &work{ask: a}
	a.Work = w
	w.proc = start("call", func(p *sim.Proc) {
		p.Blame(func() string { return a.Site(drivers...) })
		if a.Quit() {
			a.Answer(nil, a.Ctx.Err())
		} else {
			c := gu.hall.Speak(p)
			if d != nil {
				c = c.With(d.intent)
			}
			value, err := a.What.(asked).do(c, gu, d)
			if errors.Is(err, sim.ErrCancelled) && a.Quit() {
				err = a.Ctx.Err()
			}
			a.Answer(value, err)
		}
		gu.settle()
	})
}

// drivers are the prefixes of functions between the team's code and its calls.
var drivers = []string{"github.com/twiceless/twiceless.(*roundTripper)", "github.com/twiceless/twiceless.(*Producer)", "github.com/twiceless/twiceless.(*client)", "github.com/twiceless/twiceless.(*Cache)",
	"github.com/twiceless/twiceless.(*sqlTransport)", "github.com/twiceless/twiceless.(*member)", "github.com/twiceless/twiceless.(*hosted)", "github.com/twiceless/twiceless/internal/", "github.com/stretchr/testify/"}

func (gu *guest) memberOf(g *bubble.Group) *member {
	for _, m := range slices.Backward(gu.all) {
		if m.group == g {
			return m
		}
	}
	return nil
}

// Handle is the inside of the batch port: the code, in place of the stages.
func (gu *guest) Handle() model.Batch {
	return func(c model.Ctx, ms []model.Message) []model.Outcome {
		m := gu.present(c)
		if gu.h.batches {
			return m.handle(c, ms)
		}
		var out []model.Outcome
		for i := range ms {
			out = append(out, m.handle(c, ms[i:i+1])...)
		}
		return out
	}
}

// handle gives messages to the code.
func (m *member) handle(c model.Ctx, ms []model.Message) []model.Outcome {
	own := slices.Clone(ms)
	for i := range own {
		own[i].Payload = m.gu.h.brought.payloadOf(own[i])
	}
	d := &delivery{batch: len(ms) > 1}
	if len(ms) == 1 {
		d.intent, d.cause = ms[0].Intent, ms[0].Cause
	}
	m.hand(ms)
	var errs []error
	m.do(c, d, func() { errs = m.batch(m.under(d), own) })
	return outcomes(errs, len(ms))
}

// outcomes are what the errors of a batch say.
func outcomes(errs []error, n int) []model.Outcome {
	if len(errs) != 0 && len(errs) != n {
		panic(fmt.Sprintf("twiceless: the handler was given %d messages and returned %d errors", n, len(errs)))
	}
	out := make([]model.Outcome, n)
	for i := range errs {
		out[i] = model.OutcomeOf(errs[i])
	}
	return out
}

// hand notes that messages are given to the code.
func (m *member) hand(ms []model.Message) {
	for i := range ms {
		m.handed[ms[i].Event] = ms[i].Cause
	}
}

// present is the process of the node, started if need be.
func (gu *guest) present(c model.Ctx) *member {
	n := c.Process().Node()
	if m := gu.members[n]; m != nil && m.inc == n.Incarnation() {
		return m
	}
	m := &member{gu: gu, node: n, inc: n.Incarnation(), handed: map[string]int64{}, group: gu.b.Group(fmt.Sprintf("%s/%d", n.Name(), n.Incarnation()))}
	m.env = &Env{Node: n.Name(), m: m}
	gu.members[n] = m
	gu.all = append(gu.all, m)
	n.OnStop(func(int64) { m.end() })
	if gu.h.handler != nil {
		m.do(c, &delivery{}, func() { m.batch = gu.h.handler(m.env) })
	}
	return m
}

// do runs code of the member for a delivery, and waits until it has returned. What the code asks for is done by processes
// of its node meanwhile.
func (m *member) do(c model.Ctx, d *delivery, code func()) {
	m.works = append(m.works, d)
	r := m.group.Go(code)
	r.Tag = m
	m.gu.settle()
	p := c.Process()
	p.Blame(m.where)
	for m.run = r; !r.Ended(); {
		if m.client != nil && len(m.client.asks) > 0 {
			m.client.serve(c)
		} else {
			p.Wait(&m.changed, -1)
		}
	}
	m.works = slices.DeleteFunc(m.works, func(x *delivery) bool { return x == d })
	switch {
	case r.Panic != nil:
		p.Blame(func() string { return r.Site })
		panic(r.Panic)
	case r.Goexit:
		p.Blame(func() string { return r.Site })
		panic("the code ended its goroutine: t.FailNow, require, or runtime.Goexit")
	}
	p.Blame(nil)
}

// where is the call that the code waits in, the latest if there are several.
func (m *member) where() string {
	open := m.group.Open()
	if len(open) == 0 {
		return "own code, outside any call"
	}
	return open[len(open)-1].Site(drivers...)
}

// end is the end of the process, however it comes: its goroutines end where they wait for the world.
func (m *member) end() {
	if m.over {
		return
	}
	m.over = true
	m.close()
	m.group.Kill()
	m.gu.settle()
	if m.group.Swallowed() {
		m.gu.hall.World.KillSwallowed(fmt.Sprintf("the code of %s goes on asking after its process was killed", m.group.Name))
	}
}

// close lets go of what was opened for the process, on a goroutine of its own: a pool's lock may be held by code that
// waits.
func (m *member) close() {
	for _, fn := range m.closers {
		go fn()
	}
}

// Working counts the messages in the hands of processes that run. Code that owns its loop has one in hand if it does
// anything but wait for a poll.
func (gu *guest) Working() (n int) {
	for _, m := range gu.all {
		if m.over {
			continue
		}
		if m.client != nil {
			n += m.client.working()
		} else {
			n += len(m.works)
		}
	}
	return n
}

// Restless says whether code works in the background.
func (gu *guest) Restless() bool { return gu.restless }

// Leave ends every process that still runs, in good order: polls are told that the client is closed, contexts end, and
// what the code asks for on its way out fails. What it leaves behind then is its own doing.
func (gu *guest) Leave() {
	for _, m := range gu.all {
		if !m.over {
			gu.h.keep(m.group.Label())
			m.retire()
			m.end()
		}
	}
}

// retire lets code come to its end by itself, as far as it does so without waiting for the world.
func (m *member) retire() {
	m.group.End()
	for range retireRounds {
		m.gu.b.Settle()
		m.gu.b.Take()
		open := m.group.Open()
		for _, a := range open {
			a.Answer(nil, goodbye(a))
		}
		if len(open) == 0 {
			return
		}
	}
}

// retireRounds is how often a process that is told to end may ask for something more.
const retireRounds = 100

// goodbye is the answer to an ask of a process whose world is over.
func goodbye(a *bubble.Ask) error {
	q, ofLoop := a.What.(*clientAsk)
	switch {
	case ofLoop && q.do == doClose:
		return nil
	case ofLoop:
		return loop.ErrClosed
	}
	return context.Canceled
}

// Loop is the loop of a team that owns it.
func (gu *guest) Loop() func(model.Ctx, model.Consumer) {
	if gu.h.loop == nil {
		return nil
	}
	return gu.runLoop
}

// Schema is what the option Database has said.
func (gu *guest) Schema(name string) []*model.SQLStatement { return gu.h.brought.schemas[name] }

// Service is a fake that the team brings along.
func (gu *guest) Service(name string) (downstream.Serve, bool) {
	fake := gu.h.brought.fakes[name]
	if fake == nil {
		return nil, false
	}
	return gu.serve(name, fake()), true
}

// single is a handler of one message as one of several.
func single(handler func(*Env) Handler) func(*Env) BatchHandler {
	return func(env *Env) BatchHandler {
		h := handler(env)
		return func(ctx context.Context, ms []Message) []error { return []error{h(ctx, ms[0])} }
	}
}
