package downstream

import (
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// longestQueue is how much admitted work may wait before a service says that it is overloaded.
const longestQueue = 30 * sim.Second

// service is what all kinds share: the door, the wait, and the one durable record of an effect.
//
// States: booting (what a kill left in the page cache is being made durable; requests wait), ready. Timeouts: none
// of its own; the wait is counted on the node's monotonic clock.
type service struct {
	cfg    Config
	n      *sim.Node
	handle func(r *sim.Request, wait sim.Duration) // an admitted request that starts after wait
	ready  bool
	early  []*sim.Request // arrived while booting
	next   sim.Time       // when the next admitted request may start; monotonic

	highest map[string]int64 // fence seen, by guard; looked up only
}

// boot reads the disk. What a killed incarnation had written but not flushed is visible now and would vanish with
// the next power loss, so it is flushed before anything is answered from it. load sees every record in order.
func (s *service) boot(cfg Config, n *sim.Node, load func(*record), handle func(*sim.Request, sim.Duration)) {
	s.cfg, s.n, s.handle, s.highest = cfg, n, handle, map[string]int64{}
	n.Disk().Timing(cfg.Append, cfg.Fsync)
	if len(n.Disk().Read(file)) == 0 {
		s.ready = true
		return
	}
	n.Fsync(file, sim.Action{}, func() {
		s.found(load)
		s.ready = true
		early := s.early
		s.early = nil
		for _, r := range early {
			if r.Alive() {
				s.admit(r)
			}
		}
	})
}

// found loads the records and states the effects that the former incarnation could not state any more. Facts are
// recorded in the order of the file, so those without a fact are its tail.
func (s *service) found(load func(*record)) {
	stated, transacted := 0, 0
	for i := range s.n.World().History.Facts {
		f := &s.n.World().History.Facts[i]
		switch {
		case f.Node != s.n.Name():
		case f.Kind == history.KindApplied:
			stated++
		case f.Kind == history.KindTransacted && f.Offset >= 0:
			transacted++
		}
	}
	recs := records(s.n)
	for i := range recs {
		for _, a := range recs[i].applications() {
			if stated--; stated < 0 {
				s.state(&a, "written before the crash")
			}
		}
		if recs[i].done.store != "" {
			if transacted--; transacted < 0 {
				s.transacted(&recs[i].done)
			}
		}
		s.highest[recs[i].guard] = max(s.highest[recs[i].guard], recs[i].fence)
		load(&recs[i])
	}
}

// Receive is the door.
func (s *service) Receive(_ *sim.Node, r *sim.Request) {
	switch {
	case s.cfg.Refusing != nil && s.cfg.Refusing() && !closes(r):
		r.Fail(model.ErrUnavailable, 0)
	case s.cfg.Poison != "" && r.Action.Event == s.cfg.Poison && !closes(r):
		r.Fail(model.ErrRejected, 0)
	case !s.ready:
		s.early = append(s.early, r)
	default:
		s.admit(r)
	}
}

// admit gives a request its place behind the admitted ones, one every 1/capacity.
func (s *service) admit(r *sim.Request) {
	if s.cfg.CapacityPerSecond == 0 {
		s.handle(r, 0)
		return
	}
	now := s.n.Now()
	start := max(now, s.next)
	if start.Sub(now) > longestQueue && !connected(r) {
		r.Fail(model.ErrOverloaded, 0)
		return
	}
	s.next = start.Add(sim.Second / sim.Duration(s.cfg.CapacityPerSecond))
	s.handle(r, start.Sub(now))
}

// work passes the wait and the service time of this action.
func (s *service) work(r *sim.Request, wait sim.Duration, then func()) {
	took := s.cfg.Latency.Quantile(s.n.World().Draw(rng.ServiceTime, r.Action, 0))
	s.n.After(wait+sim.Duration(took), then)
}

// fenced says whether a later owner of what the request acts for has been here, and remembers the request's own token.
// It is asked when a request arrives, so that the service knows of the later owner as early as it can, and again right
// before the effect is written: the earlier owner's request may have been in work meanwhile. A token is durable with
// the effect that it came with; one that was seen and never written is forgotten by a stop.
func (s *service) fenced(m *model.Message) bool {
	if m.Guard == "" || s.cfg.Offer == nil || !s.cfg.Offer.Fences {
		return false
	}
	if m.Fence < s.highest[m.Guard] && !s.cfg.Planted.Has(model.FenceUnchecked) {
		return true
	}
	s.highest[m.Guard] = max(s.highest[m.Guard], m.Fence)
	return false
}

// stage says what the request's op is.
func (s *service) stage(r *sim.Request) (op string, kind model.StageKind, class history.Class) {
	op = strings.TrimPrefix(r.Op, s.cfg.Service+".")
	if s.cfg.Stage == nil {
		return op, model.Effect, history.ClassNone
	}
	kind, class = s.cfg.Stage(op)
	return op, kind, class
}

// effect is the record of one application.
func (s *service) effect(r *sim.Request, m *model.Message) record {
	op, _, class := s.stage(r)
	return record{effect: true, event: m.Event, stage: m.Stage, key: m.Key, op: op, class: class, hash: parameters(m),
		result:  s.cfg.Service + "/" + strconv.Itoa(len(s.n.Disk().Read(file))+1),
		attempt: r.Action.Attempt, cause: r.Fact, wall: s.n.Wall(), guard: m.Guard, fence: m.Fence}
}

// parameters is the hash of what an effect is about.
func parameters(m *model.Message) uint64 { return rng.Combine(rng.Hash(m.Payload), uint64(m.Amount)) }

// apply makes the record durable, states it, passes the step "applied" and goes on with the fact, unless a stop
// falls on the way.
func (s *service) apply(r *sim.Request, rec *record, then func(fact int64)) {
	s.n.Append(file, rec.encode(), r.Action, nil)
	if !r.Alive() {
		return
	}
	s.n.Fsync(file, r.Action, func() {
		fact := int64(0)
		if rec.effect {
			fact = s.state(rec, "")
		}
		for i := range rec.parts {
			fact = s.state(&rec.parts[i], "")
		}
		s.transacted(&rec.done)
		r.Applied()
		if r.Alive() {
			then(fact)
		}
	})
}

// state records that an effect has been applied.
func (s *service) state(rec *record, note string) int64 {
	return s.n.Record(history.Fact{Kind: history.KindApplied, Event: rec.event, Stage: rec.stage, Key: rec.key, Resource: s.cfg.Service, Op: rec.op,
		Hash: rec.hash, Changed: true, Class: rec.class, Cause: rec.cause, Attempt: rec.attempt, Note: note, Fence: (&model.Message{Fence: rec.fence}).Token(), Offset: -1})
}

// answer is the reply to a message: its intent and amount with the result as payload.
func answer(m *model.Message, result string) model.Message {
	return model.Message{Intent: m.Intent, Amount: m.Amount, Payload: result}
}
