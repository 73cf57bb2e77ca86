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
// A fault touches open work if the work is open on one of its nodes, or its resource is one of these or the role
// of one. Its nodes are Fact.Node and the comma-separated names in Fact.Value (the other side of a cut link, the
// members of a set; partitions that a broker leads may stand there too); Fact.Resource counts as a name as well.
// A lost reply is in flight by definition. Skewed clocks and rebalances have no single target of work: any open
// work on a node of the role consumer counts.

// work is what the sweep measures.
type work struct {
	calls, writes int64
	faults, hit   int64 // hit is 1 if some fault touched work in flight
	busy          int64 // ns of the chaos phase with a delivery in hand, over all nodes
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
}

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
	case history.KindApplied:
		if f.Changed {
			s.work.writes++
		}
	case history.KindAppended:
		s.work.writes++
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
		s.work.writes++
		s.end(f.Cause, f.Time)
	case history.KindHandled, history.KindReturned, history.KindCommitFailed:
		s.end(f.Cause, f.Time)
	case history.KindStopped:
		s.stop(s.bench(f.Node), f.Time)
	case history.KindFaultBegan:
		s.work.faults++
		if s.work.hit == 0 && s.touches(f) {
			s.work.hit = 1
		}
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

// touches says whether a fault that begins now meets work in flight.
func (s *sweep) touches(f *history.Fact) bool {
	switch verb(f) {
	case "lose-reply":
		return true
	case "skew", "join":
		return slices.ContainsFunc(s.nodes, func(b *bench) bool { return role(b.node) == "consumer" && len(b.open) > 0 })
	}
	names := targets(f)
	for _, b := range s.nodes {
		if slices.Contains(names, b.node) && len(b.open) > 0 {
			return true
		}
		for _, id := range b.open {
			if r := s.h.At(id).Resource; r != "" && slices.Contains(names, r) {
				return true
			}
		}
	}
	return false
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
	}
	return ""
}
