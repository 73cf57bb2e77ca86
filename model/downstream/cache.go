package downstream

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// cache keeps values in the memory of one node, as Redis without persistence: whatever stops the node empties it. A value
// expires by the node's wall clock, looked at when it is asked for, so a clock that jumps forward forgets early; one that
// was seen expired is gone. Requests are carried out one after the other, each at one instant, so an add that finds
// nothing is the only one that does. It holds no effects: a value in it is nobody's money.
type cache struct {
	service
	values map[string]cached // looked up only
}

type cached struct {
	value   string
	expires sim.Time // wall; 0 = never
}

func newCache(cfg Config) func(*sim.Node) sim.Handler {
	return func(n *sim.Node) sim.Handler {
		s := &cache{values: map[string]cached{}}
		s.boot(cfg, n, func(*record) {}, s.execute)
		return s
	}
}

func (s *cache) execute(r *sim.Request, wait sim.Duration) {
	q, ok := r.Body.(model.CacheRequest)
	if !ok { // a stage of a flow reads the value of the business key
		m := r.Body.(model.Message)
		s.work(r, wait, func() {
			v, _ := s.look(m.Key)
			r.Reply(answer(&m, v.value), 0)
		})
		return
	}
	s.work(r, wait, func() { s.do(r, &q) })
}

// look finds a value that has not expired; an expired one is forgotten.
func (s *cache) look(key string) (cached, bool) {
	v, found := s.values[key]
	if found && v.expires != 0 && s.n.Wall() >= v.expires {
		delete(s.values, key)
		return cached{}, false
	}
	return v, found
}

func (s *cache) do(r *sim.Request, q *model.CacheRequest) {
	v, found := s.look(q.Key)
	switch {
	case q.Do == model.CacheSet, q.Do == model.CacheAdd && !found:
		s.set(q)
		r.Applied()
	case q.Do == model.CacheDelete && found:
		delete(s.values, q.Key)
		r.Applied()
	}
	if r.Alive() {
		r.Reply(model.CacheReply{Value: v.value, Found: found}, 0)
	}
}

func (s *cache) set(q *model.CacheRequest) {
	v := cached{value: q.Value}
	if q.Keep > 0 {
		v.expires = s.n.Wall().Add(q.Keep)
	}
	s.values[q.Key] = v
}
