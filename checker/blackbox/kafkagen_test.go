package blackbox_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

// A logOp is an operation on a log, in a form that tests can change.
type logOp struct {
	process   int
	f         string
	outcome   ops.Type
	call, ret int64
	micro     []logMicro
	list      []int // keys of assign and subscribe
}

// A logMicro is a send of one record, or a poll that returned some.
type logMicro struct {
	poll bool
	recs []logRec
}

// A logRec is a record; offset -1 = nobody told.
type logRec struct {
	key    int
	offset int64
	value  int
}

// logHistory are operations in the order of their completions.
type logHistory []*logOp

// operation is what the reader of histories would have made of it.
func (o *logOp) operation() *ops.Operation {
	out := &ops.Operation{Process: strconv.Itoa(o.process), F: o.f, Outcome: o.outcome, Call: o.call, Return: o.ret, Invoked: o.call, Completed: o.ret, Line: int(o.call) + 1, CallTime: ops.NoTime, CompleteTime: ops.NoTime}
	if o.outcome == ops.Info {
		out.Return = ops.Never
	}
	for _, k := range o.list {
		out.In.Items = append(out.In.Items, number(k))
	}
	for _, m := range o.micro {
		asked, heard := m.values()
		out.In.Items = append(out.In.Items, asked)
		out.Out.Items = append(out.Out.Items, heard)
	}
	out.In.Kind = ops.List
	if len(o.micro) > 0 {
		out.Out.Kind = ops.List
	}
	return out
}

func number(n int) ops.Value { return ops.Value{Kind: ops.Int, Int: int64(n)} }

func list(items ...ops.Value) ops.Value { return ops.Value{Kind: ops.List, Items: items} }

func word(s string) ops.Value { return ops.Value{Kind: ops.Text, Text: s} }

func (m logMicro) values() (asked, heard ops.Value) {
	if !m.poll {
		r := m.recs[0]
		asked = list(word("send"), number(r.key), number(r.value))
		return asked, list(word("send"), number(r.key), r.pair())
	}
	got := ops.Value{Kind: ops.Map}
	for n, r := range m.recs {
		if slices.IndexFunc(m.recs, func(x logRec) bool { return x.key == r.key }) < n {
			continue
		}
		var pairs []ops.Value
		for _, x := range m.recs {
			if x.key == r.key {
				pairs = append(pairs, x.pair())
			}
		}
		got.Items = append(got.Items, word(strconv.Itoa(r.key)), list(pairs...))
	}
	return list(word("poll")), list(word("poll"), got)
}

func (r logRec) pair() ops.Value {
	if r.offset < 0 {
		return list(ops.Value{}, number(r.value))
	}
	return list(ops.Value{Kind: ops.Int, Int: r.offset}, number(r.value))
}

func kafkaModel() blackbox.Model {
	models := blackbox.Models()
	return models[slices.IndexFunc(models, func(m blackbox.Model) bool { return m.Name == "kafka" })]
}

// judge judges operations without a file between.
func (h logHistory) judge(o blackbox.Options) (*ops.Report, error) {
	if o.Budget == 0 {
		o.Budget = blackbox.DefaultBudget
	}
	var p ops.Problems
	j := kafkaModel().New(ops.Header{}, o, &p)
	for _, op := range h {
		j.Take(op.operation())
	}
	if err := p.Error("history"); err != nil {
		return nil, err
	}
	return j.Report(), nil
}

// String lists the operations for people.
func (h logHistory) String() string {
	s := ""
	for _, o := range h {
		s += fmt.Sprintf("%d-%d process %d %s %s %v %v\n", o.call, o.ret, o.process, o.f, o.outcome, o.list, o.micro)
	}
	return s
}

// logSim is a log with transactions and some clients. It keeps what a log promises: records of open transactions hold
// back what is behind them, those of aborted ones are never returned, and a marker takes an offset.
type logSim struct {
	rng     *rand.Rand
	now     int64
	value   int
	keys    [][]*stored
	clients []*client
	group   []int // by key: where the group stands
	done    logHistory
}

type stored struct {
	value int
	txn   *int // shared by the records of a transaction
}

const (
	txnOpen = iota
	txnKept
	txnAborted
	marker // of an offset without a record
)

type client struct {
	process int
	op      *logOp
	txn     *int
	member  bool
	joined  bool        // a member that has subscribed
	owned   []int       // keys
	at      map[int]int // by key, offset
	from    map[int]int // where it stood when the operation began
	steps   int         // micro-operations to come
	reads   bool        // they may be polls
}

// simulate runs a log for a number of steps, then reads every key to its end.
func simulate(seed uint64, steps, keys int) logHistory {
	s := &logSim{rng: rand.New(rand.NewPCG(seed, 1)), keys: make([][]*stored, keys), group: make([]int, keys)}
	for p := range 6 {
		s.clients = append(s.clients, &client{process: p, member: p%2 == 1, at: map[int]int{}})
	}
	for range steps {
		s.step(s.clients[s.rng.IntN(len(s.clients))])
	}
	for _, c := range s.clients {
		if c.op != nil {
			s.end(c)
		}
	}
	s.drain()
	return s.done
}

func (s *logSim) step(c *client) {
	switch {
	case c.op == nil && (s.rng.IntN(12) == 0 || c.member && s.rng.IntN(3) == 0):
		s.take(c)
	case c.op == nil:
		s.begin(c)
	case c.steps > 0:
		s.micro(c)
	default:
		s.end(c)
	}
}

func (s *logSim) tick() int64 { s.now++; return s.now - 1 }

// take gives a client keys. Those of the group are shared anew: whoever gets one goes on where the group stands, or
// somewhat before: not every position is committed at once.
func (s *logSim) take(c *client) {
	o := &logOp{process: c.process, f: "assign", call: s.tick(), outcome: ops.OK}
	if c.member {
		o.f = "subscribe"
	}
	for k := range s.keys {
		if c.member || s.rng.IntN(2) == 0 {
			o.list = append(o.list, k)
		}
	}
	if c.member {
		c.joined = true
		s.share()
	} else {
		s.assign(c, o.list)
	}
	s.finish(o)
}

func (s *logSim) assign(c *client, keys []int) {
	was := c.at
	c.at, c.owned = map[int]int{}, keys
	for _, k := range keys {
		if at, ok := was[k]; ok {
			c.at[k] = at
		} else if n := len(s.keys[k]); n > 0 && s.rng.IntN(2) == 0 {
			c.at[k] = s.rng.IntN(n)
		}
	}
}

func (s *logSim) share() {
	var idle []*client
	for _, c := range s.clients {
		if c.joined && c.op == nil {
			c.owned = nil
			idle = append(idle, c)
		}
	}
	taken := map[int]bool{}
	for _, c := range s.clients {
		for _, k := range c.owned {
			taken[k] = c.member || taken[k]
		}
	}
	for k := range s.keys {
		if !taken[k] && len(idle) > 0 {
			c := idle[s.rng.IntN(len(idle))]
			c.owned = append(c.owned, k)
			c.at[k] = max(0, s.group[k]-s.rng.IntN(4))
		}
	}
}

func (s *logSim) begin(c *client) {
	f := []string{"send", "poll", "txn"}[s.rng.IntN(3)]
	c.op, c.txn = &logOp{process: c.process, f: f, call: s.tick()}, new(int)
	c.steps, c.reads = 1+s.rng.IntN(3), f != "send"
	c.from = map[int]int{}
	for _, k := range c.owned {
		c.from[k] = c.at[k]
	}
}

func (s *logSim) micro(c *client) {
	c.steps--
	if c.op.f == "poll" || c.op.f == "txn" && s.rng.IntN(2) == 0 {
		c.op.micro = append(c.op.micro, s.poll(c))
		return
	}
	k := s.rng.IntN(len(s.keys))
	s.value++
	c.op.micro = append(c.op.micro, logMicro{recs: []logRec{{k, int64(len(s.keys[k])), s.value}}})
	s.keys[k] = append(s.keys[k], &stored{s.value, c.txn})
}

// poll returns what is behind the client's positions and before the first open transaction.
func (s *logSim) poll(c *client) logMicro {
	m := logMicro{poll: true}
	for _, k := range c.owned {
		for most := s.rng.IntN(5); most > 0 && c.at[k] < len(s.keys[k]); c.at[k]++ {
			rec := s.keys[k][c.at[k]]
			if *rec.txn == txnOpen {
				break
			}
			if *rec.txn == txnKept {
				m.recs = append(m.recs, logRec{k, int64(c.at[k]), rec.value})
				most--
			}
		}
	}
	return m
}

// end completes the operation of a client: most are kept, some aborted, and of some nobody learns.
func (s *logSim) end(c *client) {
	o, kept := c.op, true
	switch s.rng.IntN(10) {
	case 0:
		o.outcome, kept = ops.Fail, false
	case 1:
		o.outcome, kept = ops.Info, s.rng.IntN(2) == 0
	default:
		o.outcome = ops.OK
	}
	s.settle(c, kept)
	c.op = nil
	if o.outcome != ops.OK {
		s.forget(o)
	}
	s.finish(o)
}

// settle ends a transaction: its records are kept or not, markers take offsets, and positions move or go back.
func (s *logSim) settle(c *client, kept bool) {
	*c.txn = txnAborted
	if kept {
		*c.txn = txnKept
	}
	over := marker
	for _, m := range c.op.micro {
		if !m.poll {
			s.keys[m.recs[0].key] = append(s.keys[m.recs[0].key], &stored{txn: &over})
		}
	}
	for _, k := range c.owned {
		switch {
		case c.op.outcome != ops.OK:
			c.at[k] = c.from[k]
		case c.member:
			s.group[k] = c.at[k]
		}
	}
}

// forget leaves out offsets that a producer may not have learnt.
func (s *logSim) forget(o *logOp) {
	for _, m := range o.micro {
		if !m.poll && s.rng.IntN(2) == 0 {
			m.recs[0].offset = -1
		}
	}
}

func (s *logSim) finish(o *logOp) {
	o.ret = s.tick()
	s.done = append(s.done, o)
}

// drain reads every key from its beginning, until nothing is returned.
func (s *logSim) drain() {
	c := &client{process: 99, at: map[int]int{}}
	o := &logOp{process: 99, f: "assign", call: s.tick(), outcome: ops.OK}
	for k := range s.keys {
		o.list = append(o.list, k)
		c.owned = append(c.owned, k)
	}
	s.finish(o)
	for empty := 0; empty < 8; {
		o := &logOp{process: 99, f: "poll", call: s.tick(), outcome: ops.OK}
		m := s.poll(c)
		if empty++; len(m.recs) > 0 {
			empty = 0
		}
		o.micro = []logMicro{m}
		s.finish(o)
	}
}
