package checker

import (
	"slices"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// One sweep over the facts in order keeps, per node, what is open there: deliveries until they are handled, calls
// until they return, commits until they are answered, offers until the producer has an answer. A node that stops
// has nothing open. So at each fault it is known whether the fault touched work in flight, and over time how long
// each node had a delivery in hand.
//
// A fault touches work if some is open at its target at any moment from its begin to its end: an outage that begins
// between two calls meets the second one. Work has two ends, the node that opened it and a peer: the resource of a
// call, the log of an offer, a delivery or a commit. It lies on a cut link if both ends do; at any other target if
// its node does, or its peer, where a delivery has no peer, for it is in hand and no longer at the log. The names
// of a target are Fact.Node, Fact.Resource and the comma-separated ones in Fact.Value, and their roles. A lost
// reply is in flight by definition. A replay meets what its group is handed from then on: nothing else is left to read
// when it comes. Clocks that are off and rebalances have no single target of work: any open work on a
// node of the role consumer counts.

// work is what the sweep measures.
type work struct {
	calls       int64
	faults, hit int64 // hit is 1 if some fault touched work in flight
	busy        int64 // ns of the chaos phase with a delivery in hand, over all nodes
}

// bench is one node with what is open on it: ids of facts, ascending.
type bench struct {
	node  string
	open  []int64
	inUse int   // deliveries among them
	since int64 // when inUse last rose from 0
}

type sweep struct {
	h      *history.History
	work   work
	nodes  []*bench // by first appearance
	byNode map[string]*bench
	offers map[string]int64 // open offers by event
	last   *bench
	active []target // faults in effect
}

// target is where a fault in effect may meet work.
type target struct {
	fault int64
	names []string
	link  bool   // both ends must be named
	group bool   // any consumer will do
	again string // this group's deliveries, also after the operator has gone
}

// logRole is the role of the nodes that hold a log: the peer of offers, deliveries and commits.
const logRole = "broker"

func measureWork(h *history.History) work {
	s := sweep{h: h, byNode: map[string]*bench{}, offers: map[string]int64{}}
	end := int64(0)
	for i := range h.Facts {
		s.see(&h.Facts[i])
		end = max(end, h.Facts[i].Time)
	}
	for _, b := range s.nodes {
		s.idle(b, end)
	}
	return s.work
}

func (s *sweep) see(f *history.Fact) {
	switch f.Kind {
	case history.KindOffered:
		s.offers[f.Event] = f.ID
		s.begin(f)
	case history.KindAccepted, history.KindRefused, history.KindUncertain:
		if id := s.offers[f.Event]; id != 0 {
			delete(s.offers, f.Event)
			s.end(id, f.Time)
		}
	case history.KindCalled:
		s.work.calls++
		s.begin(f)
	case history.KindDelivered, history.KindCommitting:
		s.begin(f)
	case history.KindCommitted:
		s.end(f.Cause, f.Time)
	case history.KindHandled, history.KindReturned, history.KindCommitFailed:
		s.end(f.Cause, f.Time)
	case history.KindStopped:
		s.stop(s.bench(f.Node), f.Time)
	case history.KindFaultBegan:
		s.work.faults++
		s.strike(f)
	case history.KindFaultEnded:
		s.active = slices.DeleteFunc(s.active, func(t target) bool { return t.fault == f.Cause && t.again == "" })
	}
}

func (s *sweep) bench(node string) *bench {
	if s.last != nil && s.last.node == node {
		return s.last
	}
	b := s.byNode[node]
	if b == nil {
		b = &bench{node: node}
		s.byNode[node] = b
		s.nodes = append(s.nodes, b)
	}
	s.last = b
	return b
}

func (s *sweep) begin(f *history.Fact) {
	b := s.bench(f.Node)
	b.open = append(b.open, f.ID)
	for i := range s.active {
		s.meet(&s.active[i], f)
	}
	if f.Kind == history.KindDelivered {
		if b.inUse == 0 {
			b.since = f.Time
		}
		b.inUse++
	}
}

// end closes what a fact began. What is closed was usually opened last.
func (s *sweep) end(id, time int64) {
	if id == 0 {
		return
	}
	began := s.h.At(id)
	b := s.bench(began.Node)
	for i := len(b.open) - 1; i >= 0 && b.open[i] >= id; i-- {
		if b.open[i] != id {
			continue
		}
		b.open = slices.Delete(b.open, i, i+1)
		if began.Kind == history.KindDelivered {
			if b.inUse--; b.inUse == 0 {
				s.busy(b.since, time)
			}
		}
		return
	}
}

// stop closes all that is open on a node.
func (s *sweep) stop(b *bench, time int64) {
	s.idle(b, time)
	b.open = b.open[:0]
}

func (s *sweep) idle(b *bench, time int64) {
	if b.inUse > 0 {
		s.busy(b.since, time)
		b.inUse = 0
	}
}

// busy adds the part of an interval that lies in the chaos phase.
func (s *sweep) busy(from, to int64) {
	chaos := s.h.Header.Chaos
	s.work.busy += max(0, min(to, chaos[1])-max(from, chaos[0]))
}

// strike puts a fault into effect: it meets what is open now, and until it ends what opens.
func (s *sweep) strike(f *history.Fact) {
	t := target{fault: f.ID, names: targets(f)}
	switch verb(f) {
	case "hold", "lose", "lose-reply":
		s.work.hit = 1
		return
	case "skew", "jump", "join":
		t.group = true
	case "replay":
		t.again = f.Resource
	case "partition", "drop-inbound", "lossy", "slow":
		t.link = true
	}
	for _, b := range s.nodes {
		for _, id := range b.open {
			s.meet(&t, s.h.At(id))
		}
	}
	s.active = append(s.active, t)
}

// meet marks the run if the work lies at the target.
func (s *sweep) meet(t *target, open *history.Fact) {
	if s.work.hit == 0 && t.holds(open) {
		s.work.hit = 1
	}
}

func (t *target) holds(open *history.Fact) bool {
	if t.again != "" {
		return open.Kind == history.KindDelivered && open.Op == t.again && open.ID > t.fault
	}
	if t.group {
		return role(open.Node) == "consumer"
	}
	peer := open.Resource
	if open.Kind != history.KindCalled {
		peer = logRole
	}
	node, other := slices.Contains(t.names, open.Node), slices.Contains(t.names, peer)
	if t.link {
		return node && other
	}
	return node || other && open.Kind != history.KindDelivered
}

// targets are the names of a fault: nodes and their roles, resources.
func targets(f *history.Fact) []string {
	var names []string
	for _, n := range append(strings.Split(f.Value, ","), f.Node, f.Resource) {
		if n = strings.TrimSpace(n); n != "" {
			names = append(names, n, role(n))
		}
	}
	return names
}

// role is a node's name without its number: consumer for consumer-2.
func role(node string) string {
	i := strings.LastIndexByte(node, '-')
	if i <= 0 || i == len(node)-1 || strings.Trim(node[i+1:], "0123456789") != "" {
		return node
	}
	return node[:i]
}

// verb is the verb of a fault: its Op, or the first word of its text that is one; a kind's name stands for its verb.
func verb(f *history.Fact) string {
	kinds := history.FaultKinds()
	for _, word := range append([]string{f.Op}, strings.Fields(f.Note)...) {
		for i := range kinds {
			if word != "" && (word == kinds[i].Verb || word == kinds[i].Name) {
				return kinds[i].Verb
			}
		}
		switch word {
		case "hold", "lose", "lossy", "slow": // hunted with, and no kind's
			return word
		}
	}
	return ""
}
