package store

import (
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// The sentinel of a replicated store: primary answers with the name of the node that is the primary, as far as the
// sentinel knows.
const (
	SentinelService = "sentinel"
	OpPrimary       = "primary"
)

// pingEvery and downAfter: a primary that has not answered so many pings in a row is taken for dead. All waits are on the
// sentinel's monotonic clock.
const (
	pingEvery   = sim.Second
	pingTimeout = sim.Second
	downAfter   = 5
)

// sentinel watches over the replicas of a store, promotes one when the primary does not answer, and tells clients whom to
// ask. It keeps nothing: what it knows it hears from the replicas, of which the primary of the latest epoch is believed.
// There is one; while it is away nobody is promoted, and clients that know the primary go on.
//
// It cannot tell a dead primary from one that is paused or cut off from it. That one goes on being a primary to whoever
// reaches it.
type sentinel struct {
	role    string
	epoch   int64 // of the primary that is believed; 0 = the first, of which nothing was heard yet
	primary *sim.Node
	latest  int64 // epoch that any replica has spoken of
	missed  []int // pings in a row, by replica
}

func newSentinel(role string) func(*sim.Node) sim.Handler {
	return func(n *sim.Node) sim.Handler {
		replicas := n.World().Nodes(role)
		s := &sentinel{role: role, primary: replicas[0], missed: make([]int, len(replicas))}
		n.GoBackground("watch", func(p *sim.Proc) { s.watch(p, replicas) })
		return s
	}
}

// Receive answers clients.
func (s *sentinel) Receive(_ *sim.Node, r *sim.Request) {
	m := r.Body.(model.Message)
	if op := strings.TrimPrefix(r.Op, SentinelService+"."); op != OpPrimary {
		panic("store: no operation " + op)
	}
	r.Reply(model.Message{Intent: m.Intent, Payload: s.primary.Name()}, 0)
}

// watch pings every replica in turn.
func (s *sentinel) watch(p *sim.Proc, replicas []*sim.Node) {
	for {
		p.Sleep(pingEvery)
		for i, n := range replicas {
			s.ask(p, i, n, OpPing, nil)
		}
		for i, n := range replicas {
			if n == s.primary && s.missed[i] >= downAfter {
				s.failOver(p, replicas)
				break
			}
		}
	}
}

// ask performs one operation on a replica, and notes what it says of itself.
func (s *sentinel) ask(p *sim.Proc, i int, n *sim.Node, op string, body any) {
	reply, _, err := p.Call(n, p.World().Op(s.role+"."+op), sim.Action{}, body, 0, pingTimeout)
	if err != nil {
		s.missed[i]++
		return
	}
	s.missed[i] = 0
	is := reply.(pong)
	s.latest = max(s.latest, is.epoch)
	if is.primary && is.epoch > s.epoch {
		s.epoch, s.primary = is.epoch, n
	}
}

// failOver promotes the first replica that answers, to an epoch that is later than all.
func (s *sentinel) failOver(p *sim.Proc, replicas []*sim.Node) {
	for i, n := range replicas {
		if n != s.primary && s.missed[i] == 0 {
			s.ask(p, i, n, OpPromote, promotion{s.latest + 1})
			return
		}
	}
}
