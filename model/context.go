package model

import (
	"errors"
	"strings"
	"time"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Directory tells a context where services live and how long to wait for them. One per world.
type Directory struct {
	Services    map[string]*sim.Node // by service name; looked up, never ranged over
	CallTimeout sim.Duration         // of a stage's call, on the caller's monotonic clock
	Planted     Planted              // bugs of this world; 0 = none
	Emit        func(c *Context, topic string, m Message) error
	Transactor  func(c *Context, name string) Transactor
	Restore     func(c *Context, topic string, partition int, to Bound, take func(Message))
}

// Context is the Ctx of native code: a process, the intent it works on, the directory.
type Context struct {
	p      *sim.Proc
	dir    *Directory
	intent Intent
	unit   Unit
}

// NewContext makes the context of a process.
func NewContext(p *sim.Proc, dir *Directory) *Context { return &Context{p: p, dir: dir, unit: &Work{}} }

// With is the same process speaking for another intent, in the same unit.
func (c *Context) With(i Intent) Ctx {
	d := *c
	d.intent = i
	return &d
}

// In is the same context inside another unit of work.
func (c *Context) In(u Unit) Ctx {
	d := *c
	d.unit = u
	return &d
}

// Deadline reports none: a process has no deadline, its calls have timeouts.
func (c *Context) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done is nil: a killed process unwinds, it is not told.
func (c *Context) Done() <-chan struct{} { return nil }

// Err is nil while the process lives; a dead one unwinds here.
func (c *Context) Err() error { c.p.Alive(); return nil }

// Value holds nothing.
func (c *Context) Value(any) any { c.p.Alive(); return nil }

// Intent is what this context speaks for.
func (c *Context) Intent() Intent { return c.intent }

// Planted says whether the world was built with that bug. A context without a directory has none.
func (c *Context) Planted(b Bug) bool { return c.dir != nil && c.dir.Planted.Has(b) }

// Unit of work of the engine.
func (c *Context) Unit() Unit { return c.unit }

// Process of the context.
func (c *Context) Process() *sim.Proc { return c.p }

// Sleep waits on the node's monotonic clock.
func (c *Context) Sleep(d sim.Duration) { c.p.Sleep(d) }

// Now is the node's monotonic clock.
func (c *Context) Now() sim.Time { c.p.Alive(); return c.p.Node().Now() }

// Wall is the node's wall clock.
func (c *Context) Wall() sim.Time { c.p.Alive(); return c.p.Node().Wall() }

// Stopping says whether a graceful stop was asked for.
func (c *Context) Stopping() bool { c.p.Alive(); return c.p.Node().Stopping() }

// Go starts another process on the node, with the same directory and no intent.
func (c *Context) Go(name string, fn func(Ctx)) {
	c.p.Go(name, func(p *sim.Proc) { fn(NewContext(p, c.dir)) })
}

// GoBackground is Go for what keeps no run from being quiescent.
func (c *Context) GoBackground(name string, fn func(Ctx)) {
	c.p.GoBackground(name, func(p *sim.Proc) { fn(NewContext(p, c.dir)) })
}

// Record adds a fact about the intent that this process knows.
func (c *Context) Record(f history.Fact) int64 {
	if f.Event == "" {
		f.Event, f.Stage, f.Key = c.intent.Event, c.intent.Stage, c.intent.Key
	}
	return c.p.Record(f)
}

// Emit appends to a topic and waits for the log's acknowledgement.
func (c *Context) Emit(topic string, m Message) error { return c.dir.Emit(c, topic, m) }

// Transactor makes a producer of transactions on the node of the process.
func (c *Context) Transactor(name string) Transactor { return c.dir.Transactor(c, name) }

// Restore reads a partition of a log that holds state.
func (c *Context) Restore(topic string, partition int, to Bound, take func(Message)) {
	c.dir.Restore(c, topic, partition, to, take)
}

// Call asks a service and waits. An error tells, by Definite, whether the service may have acted all the same. A
// service may be given with one of its nodes, as in dedup@dedup-2; otherwise the directory knows the node.
func (c *Context) Call(service, op string, req Message) (Message, error) {
	if s, ok := c.unit.(Session); ok {
		if reply, taken := s.Take(c, service, op, req); taken {
			c.p.Alive()
			return reply, nil
		}
	}
	req.Intent = c.intent
	body, fact, err := c.ask(service, op, req, req.Cause, req.Token())
	if err != nil {
		return Message{}, err
	}
	m := body.(Message)
	m.Cause = fact
	return m, nil
}

// Transact asks a database for one round of a transaction.
func (c *Context) Transact(service, op string, req TxnRequest) (TxnReply, error) {
	body, _, err := c.ask(service, op, req, req.Cause, -1)
	if err != nil {
		return TxnReply{}, err
	}
	return body.(TxnReply), nil
}

// Ask asks a service with a body of its own form.
func (c *Context) Ask(service, op string, body any, cause int64) (any, int64, error) {
	return c.ask(service, op, body, cause, -1)
}

// ask is one call with its facts. It returns the body of the reply and the fact that it rests on.
func (c *Context) ask(service, op string, req any, cause, token int64) (any, int64, error) {
	w := c.p.World()
	service, node, chosen := strings.Cut(service, "@")
	to := c.dir.Services[service]
	if chosen {
		to = w.Node(node)
	}
	if to == nil {
		panic("model: no service " + service)
	}
	name := service + "." + op
	act := w.Act(c.intent.Event, c.intent.Stage, name)
	site := ""
	if w.Sites() {
		site = c.p.Site()
	}
	called := c.Record(history.Fact{Kind: history.KindCalled, Attempt: act.Attempt, Resource: service, Op: op, Cause: cause, Fence: token, Offset: -1, Site: site})
	body, fact, err := c.p.Call(to, w.Op(name), act, req, called, c.dir.CallTimeout)
	ret := history.Fact{Kind: history.KindReturned, Attempt: act.Attempt, Resource: service, Op: op, Cause: called, Fence: -1, Offset: -1, Outcome: history.Acked}
	if err != nil {
		ret.Outcome, ret.Note = history.Failed, err.Error()
		if !Definite(err) {
			ret.Outcome = history.Indeterminate
		}
	}
	ret.ID = c.Record(ret)
	return body, max(fact, ret.ID), err
}

// Errors that a service answers with. They are definite: the service did not act.
var (
	ErrUnavailable = errors.New("service unavailable")                // an outage: refused at the door
	ErrRejected    = errors.New("the service rejects this request")   // now and for ever: there is something wrong with it
	ErrOverloaded  = errors.New("service overloaded")                 // queue full
	ErrConflict    = errors.New("a request with this key is in work") // retry later
	ErrMismatch    = errors.New("this key was used with other parameters")
	ErrSerialize   = errors.New("could not serialize") // retry the transaction
	ErrUnique      = errors.New("duplicate key value")
	ErrNotPrimary  = errors.New("not the primary")                 // of a replicated store: ask again who is
	ErrFenced      = errors.New("fenced: a later owner has acted") // the caller no longer owns what it acts for

	// ErrUndecided is no service's answer but a layer's: nobody can say whether the effect took place, and
	// trying again could apply it twice. The message is parked for a person.
	ErrUndecided = errors.New("undecided: an earlier attempt claimed this effect and its result is unknown")
)

// Definite says whether the error proves that the called party did not act.
func Definite(err error) bool {
	return !errors.Is(err, sim.ErrTimeout) && !errors.Is(err, sim.ErrReset) && !errors.Is(err, sim.ErrCancelled)
}

func reached(c Ctx, n *sim.Node, hook string) {
	n.Reached(hook, c.Process().World().Peek(c.Intent().Event, c.Intent().Stage))
}
