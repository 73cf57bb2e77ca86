package store

import (
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// The outbox. put has the call that is to be made as its message: Payload, Amount and IdempotencyKey are the call's, and
// Headers names service and op, as in payments.charge. The row is named by event and stage. It is answered OK or Known.
const (
	OutboxService = "outbox"
	OpPut         = "put"

	Known = "known" // the row was there; it stays as it is, whatever has become of it
)

// outboxFile is the name of its only file: rows, and marks of what became of them, in order.
const outboxFile = "outbox"

// outbox keeps rows, and its relay, a process on the same node, calls for them. A row is
//
//	absent   put → pending, on disk before it is answered
//	pending  the relay calls, again after a growing delay while the call fails; acknowledged → done, budget spent → parked
//	done     for ever; put → known
//	parked   for ever, with the reason, for a person; put → known
//
// Rows are called for one at a time, in the order in which they became durable: one that fails keeps those behind it
// waiting, and none overtakes it. A mark is on disk before the next row's call. A stop between a call and its mark leaves
// the row pending, and the next incarnation calls again, with the same key: a service that keeps keys recognises it, any
// other acts twice. No relay can do better: the mark and the effect are on two disks.
//
// Invariant: while there is a pending row and the node is up, there is a relay.
//
// Timeouts: that of a call, and Relay's delays, on the node's monotonic clock. The budget is counted in memory, so that a
// stop gives a row a new one.
type outbox struct {
	door
	cfg     Config
	rows    map[name]*intention // looked up only
	pending []*intention        // in the order of the file
	relays  bool                // the relay is at work
}

// intention is a row.
type intention struct {
	call model.Message // its Cause is the fact of the put
	is   string        // rowPending, rowDone or rowParked
}

// What a line of the file says of its row.
const (
	rowPending = "pending"
	rowDone    = "done"
	rowParked  = "parked"
)

func newOutbox(cfg Config) func(*sim.Node) sim.Handler {
	return func(n *sim.Node) sim.Handler {
		s := &outbox{cfg: cfg, rows: map[name]*intention{}}
		n.Disk().Timing(cfg.Append, cfg.Fsync)
		s.open(n, outboxFile, s.load, s.arrive)
		return s
	}
}

// load reads the rows of earlier incarnations and takes up those that are pending.
func (s *outbox) load() {
	var all []*intention
	all, s.rows = rowsOf(s.n)
	for _, row := range all {
		if row.is == rowPending {
			s.pending = append(s.pending, row)
		}
	}
	s.relay()
}

// arrive lets a put take its service time.
func (s *outbox) arrive(r *sim.Request) {
	s.serve(r, s.cfg.Latency, func() { s.put(r) })
}

// put makes a row durable. Of two that are under way the first to be durable stands.
func (s *outbox) put(r *sim.Request) {
	if op := strings.TrimPrefix(r.Op, OutboxService+"."); op != OpPut {
		panic("store: no operation " + op)
	}
	row := &intention{r.Body.(model.Message), rowPending}
	row.call.Cause = r.Fact
	id := row.name()
	if s.rows[id] != nil {
		r.Reply(model.Message{Intent: row.call.Intent, Payload: Known}, 0)
		return
	}
	s.n.Append(outboxFile, row.line(""), r.Action, nil)
	if !r.Alive() {
		return
	}
	s.n.Fsync(outboxFile, r.Action, func() {
		answer := Known
		if s.rows[id] == nil {
			answer = OK
			s.rows[id] = row
			s.pending = append(s.pending, row)
			s.relay()
		}
		r.Applied()
		if r.Alive() {
			r.Reply(model.Message{Intent: row.call.Intent, Payload: answer}, 0)
		}
	})
}

// relay starts the relay if there is something to do and none is at work. It is no background process: a run is not
// over while rows are pending.
func (s *outbox) relay() {
	if s.relays || len(s.pending) == 0 {
		return
	}
	s.relays = true
	s.n.Go("relay", func(p *sim.Proc) {
		c := model.NewContext(p, s.cfg.Directory)
		for len(s.pending) > 0 {
			s.settle(c.With(s.pending[0].call.Intent), s.pending[0])
			s.pending = s.pending[1:]
		}
		s.relays = false
	})
}

// settle calls for a row until it is acknowledged or the budget is spent, and marks it.
func (s *outbox) settle(c model.Ctx, row *intention) {
	err := s.call(c, row)
	reason := ""
	row.is = rowDone
	if err != nil {
		row.is, reason = rowParked, err.Error()
	}
	p := c.Process()
	p.Write(outboxFile, row.line(reason), p.World().Act(row.call.Event, row.call.Stage, OutboxService+".mark"))
	if err != nil { // it names no topic: the row itself is what a person finds
		c.Record(history.Fact{Kind: history.KindParked, Cause: row.call.Cause, Note: OutboxService + ": " + reason, Fence: -1, Offset: -1})
	}
}

// call makes the row's call, again after a delay while it fails; the error is that of the last one.
func (s *outbox) call(c model.Ctx, row *intention) error {
	service, op, _ := strings.Cut(row.call.Headers, ".")
	m := row.call
	m.Headers = ""
	for try, delay := 0, s.cfg.Relay.From; ; try++ {
		_, err := c.Call(service, op, m)
		if err == nil || try == s.cfg.Relay.Budget {
			return err
		}
		c.Sleep(delay)
		delay = min(2*delay, s.cfg.Relay.To)
	}
}

func (i *intention) name() name { return name{i.call.Event, i.call.Stage} }

// line says what the row is now, and all of it: a mark needs no look back.
func (i *intention) line(reason string) string {
	b := model.AppendText(model.AppendText(nil, i.is), reason)
	return model.Seal(model.AppendText(b, i.call.Encode()))
}

// parseRow is the inverse of line, but for the reason; whole is false for a line that is cut short.
func parseRow(line string) (row *intention, whole bool) {
	in, whole := model.Open(line)
	is, _, call := in.Text(), in.Text(), in.Text()
	if !whole || in.Bad {
		return nil, false
	}
	return &intention{model.DecodeMessage(call), is}, true
}

// rowsOf reads a disk; the node may be down. all is in order of first insertion. A line torn by a power loss, which the
// next boot would cut off, is left out.
func rowsOf(n *sim.Node) (all []*intention, byName map[name]*intention) {
	byName = map[name]*intention{}
	lines := n.Disk().Read(outboxFile)
	for i, line := range lines {
		row, whole := parseRow(line)
		if !whole && i == len(lines)-1 {
			break
		}
		if !whole {
			panic("store: damaged row " + strconv.Quote(line))
		}
		first := byName[row.name()]
		switch {
		case first == nil:
			byName[row.name()] = row
			all = append(all, row)
		case row.is != rowPending: // else of two puts that were under way; the first stands
			first.is = row.is
		}
	}
	return all, byName
}

// heldRows states which rows wait, and which are parked.
func heldRows(n *sim.Node) {
	all, _ := rowsOf(n)
	for _, row := range all {
		if row.is != rowDone {
			n.Held(row.call.Event, row.call.Stage, OutboxService, row.is, -1)
		}
	}
}
