package twiceless

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/twiceless/twiceless/internal/bubble"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim"
)

// guest is hosted code in one world.
type guest struct {
	h       *hosted
	hall    scenarios.Hall
	b       *bubble.Bubble
	members map[*sim.Node]*member // present ones, by node; looked up only
	all     []*member             // every one that there was
	lock    sync.Mutex            // of what the code changes by itself: the list of pools

	handed   map[string]int64 // as that of members, of all of them
	still    bool             // see Still
	held     []*bubble.Ask    // until it is over
	restless bool             // somebody has asked for what is in no handler's hands
}

func (gu *guest) Enter(hall scenarios.Hall) { gu.hall = hall }

// services of the scenario, sorted.
func (gu *guest) services() []string { return scenarios.SortedKeys(gu.hall.Scenario.Downstreams) }

// Reach lets the code come to t.
func (gu *guest) Reach(t sim.Time) (sim.Time, func()) {
	for {
		at := gu.b.Reach(t)
		switch {
		case !gu.b.Busy():
			return at, nil
		case !gu.idles():
			return at, gu.take
		}
		gu.settle()
	}
}

// settle waits until the code is blocked and takes up what it has done.
func (gu *guest) settle() {
	gu.b.Settle()
	gu.take()
}

// take takes up what the code has done. Code that goes on at once is waited for: the world must stand still while it runs.
func (gu *guest) take() {
	for goesOn := true; goesOn; {
		goesOn = false
		t := gu.b.Take()
		for _, r := range t.Ended {
			r.Tag.(*member).changed.Broadcast()
		}
		for _, a := range t.Asked {
			goesOn = gu.begin(a) || goesOn
		}
		for _, a := range t.Quit {
			switch w := a.Work.(type) {
			case *work:
				goesOn = w.quit() || goesOn
			case *client:
				w.quit(a)
				goesOn = true
			case heldBack:
				gu.release(a)
				goesOn = true
			}
		}
		if goesOn {
			gu.b.Settle()
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

// quit ends the call that the process waits in; one that has not begun sees for itself. A commit may be between two calls. It
// reports whether code goes on at once.
func (w *work) quit() (goesOn bool) {
	if _, commits := w.ask.What.(*commitAsk); commits {
		w.ask.Answer(nil, w.ask.Ctx.Err())
		goesOn = true
	}
	w.proc.CancelCall()
	return goesOn
}

// begin has a process of the member's node do what is asked for. It reports whether code goes on at once.
func (gu *guest) begin(a *bubble.Ask) (goesOn bool) {
	m := gu.memberOf(a.Group)
	if m == nil || !m.node.Up() || m.node.Incarnation() != m.inc {
		return false // its end has not come to the code yet
	}
	if _, ok := a.What.(*clientAsk); ok {
		return m.client.take(a)
	}
	gu.h.see(a)
	d := m.workOf(a)
	if gu.still && looks(a, d) {
		gu.hold(m, a)
		return false
	}
	start := m.node.Go
	gu.restless = gu.restless || !m.inWork(d)
	if d == nil {
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
	return false
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

// Batches says whether the code takes several messages at once.
func (gu *guest) Batches() bool { return gu.h.batches }

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
		m.gu.handed[ms[i].Event] = ms[i].Cause
	}
}

// present is the process of the node, started if need be.
func (gu *guest) present(c model.Ctx) *member {
	n := c.Process().Node()
	if m := gu.members[n]; m != nil && m.inc == n.Incarnation() {
		return m
	}
	m := &member{gu: gu, node: n, inc: n.Incarnation(), handed: map[string]int64{}, txs: map[string]*delivery{}, conns: map[string]string{}, group: gu.b.Group(fmt.Sprintf("%s/%d", n.Name(), n.Incarnation()))}
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
		if m.client != nil && m.client.wanted() {
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

// inWork says whether what a call belongs to is in the hands of a handler that has not returned.
func (m *member) inWork(d *delivery) bool {
	return d != nil && slices.ContainsFunc(m.works, func(x *delivery) bool { return x.batch || x.intent.Event == d.intent.Event })
}

// Leave ends every process that still runs, in good order: polls are told that the client is closed, contexts end, and
// what the code asks for on its way out fails. What it leaves behind then is its own doing.
func (gu *guest) Leave() {
	for _, m := range gu.all {
		if !m.over {
			m.retire()
			m.end()
			gu.h.keep(m.group.Label()) // now: who looks for what other runs have left would see it on its way out
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
			if _, ofLoop := a.What.(*clientAsk); ofLoop {
				m.client.goodbye(a)
			} else {
				a.Answer(nil, context.Canceled)
			}
		}
		if len(open) == 0 {
			return
		}
	}
}

// retireRounds is how often a process that is told to end may ask for something more.
const retireRounds = 100

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
