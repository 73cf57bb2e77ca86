package downstream

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// payments is an API after Stripe's. When it offers keys, a request with a key is executed once while the key is
// kept: a repetition gets the first result.
//
// A key is absent, in progress, or stored:
//
//	absent       request → in progress; it is executed
//	in progress  request → ErrConflict. The effect's record stores the key: one record, so no crash parts them.
//	             A crash before the record forgets the key
//	stored       request → the first result; with other parameters ErrMismatch;
//	             KeepKeys or more after it was stored → as absent
//
// Age is read on the service's wall clock at use: a clock that jumps forward forgets keys early. A key seen expired
// is deleted from memory, so a clock that jumps back does not restore it; a reboot, which reads the whole file,
// may. Refusals, conflicts and mismatches are not stored.
//
// When it fences (Offer.Fences), a request of an earlier owner than one it has seen is refused before anything else,
// also if its key is known.
//
// Without keys, or for a request without one, every request is executed again.
type payments struct {
	service
	keys       map[string]storedKey
	order      []keyTime // in order of storing
	inProgress map[string]bool
}

type storedKey struct {
	params uint64
	result string
	wall   sim.Time
}

type keyTime struct {
	key  string
	wall sim.Time
}

func newPayments(cfg Config) func(*sim.Node) sim.Handler {
	return func(n *sim.Node) sim.Handler {
		s := &payments{keys: map[string]storedKey{}, inProgress: map[string]bool{}}
		s.boot(cfg, n, s.store, s.execute)
		return s
	}
}

// store keeps the key of a durable record.
func (s *payments) store(rec *record) {
	if rec.idemKey == "" {
		return
	}
	s.keys[rec.idemKey] = storedKey{rec.params, rec.result, rec.wall}
	s.order = append(s.order, keyTime{rec.idemKey, rec.wall})
}

// execute recognises a repetition, or runs the request.
func (s *payments) execute(r *sim.Request, wait sim.Duration) {
	m := r.Body.(model.Message)
	if s.fenced(&m) {
		r.Fail(model.ErrFenced, 0)
		return
	}
	key := m.IdempotencyKey
	if s.cfg.Offer == nil || !s.cfg.Offer.Keys {
		key = ""
	}
	if key == "" {
		s.work(r, wait, func() {
			if s.fenced(&m) {
				r.Fail(model.ErrFenced, 0)
				return
			}
			rec := s.effect(r, &m)
			s.apply(r, &rec, func(fact int64) { r.Reply(answer(&m, rec.result), fact) })
		})
		return
	}
	op, _, _ := s.stage(r)
	params := rng.Combine(rng.Hash(op), parameters(&m))
	s.prune()
	known, stored := s.lookup(key)
	switch {
	case s.inProgress[key]:
		r.Fail(model.ErrConflict, 0)
	case stored && known.params != params:
		r.Fail(model.ErrMismatch, 0)
	case stored:
		s.work(r, wait, func() { s.repeat(r, &m, known.result) })
	default:
		s.inProgress[key] = true
		s.work(r, wait, func() { s.first(r, &m, key, params) })
	}
}

// first executes a request and stores its key in the same record.
func (s *payments) first(r *sim.Request, m *model.Message, key string, params uint64) {
	if s.fenced(m) {
		delete(s.inProgress, key)
		r.Fail(model.ErrFenced, 0)
		return
	}
	rec := s.effect(r, m)
	rec.idemKey, rec.params = key, params
	s.apply(r, &rec, func(fact int64) {
		delete(s.inProgress, key)
		s.store(&rec)
		r.Reply(answer(m, rec.result), fact)
	})
}

// repeat answers with the first result.
func (s *payments) repeat(r *sim.Request, m *model.Message, result string) {
	op, _, _ := s.stage(r)
	fact := s.n.Record(history.Fact{Kind: history.KindSuppressed, Event: m.Event, Stage: m.Stage, Key: m.Key, Resource: s.cfg.Service, Op: op,
		Cause: r.Fact, Attempt: r.Action.Attempt, Note: "idempotency key", Fence: -1, Offset: -1})
	r.Reply(answer(m, result), fact)
}

// lookup finds a key that has not expired; an expired one is forgotten.
func (s *payments) lookup(key string) (storedKey, bool) {
	k, ok := s.keys[key]
	if ok && s.expired(k.wall) {
		delete(s.keys, key)
		return storedKey{}, false
	}
	return k, ok
}

func (s *payments) expired(stored sim.Time) bool {
	keep := s.cfg.Offer.KeepKeys
	return keep > 0 && s.n.Wall().Sub(stored) >= keep
}

// prune forgets the oldest keys that have expired: memory holds one keeping time of keys.
func (s *payments) prune() {
	for len(s.order) > 0 && s.expired(s.order[0].wall) {
		oldest := s.order[0]
		s.order = s.order[1:]
		if s.keys[oldest.key].wall == oldest.wall {
			delete(s.keys, oldest.key)
		}
	}
}
