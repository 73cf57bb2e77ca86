package blackbox

import (
	"fmt"

	"github.com/twiceless/twiceless/checker/ops"
)

// What transactions say of each other. Between committed operations T ≠ T' there are edges
//
//	ww   a record of T' is the next one of its key behind a record of T
//	wr   T' was returned a value that T sent
//
// and a cycle says that operations came before each other:
//
//	G0    a cycle of ww edges
//	G1c   a cycle with a wr edge
//
// Brokers append the records of open transactions as they come, so a cycle that needs a ww edge is allowed; one of wr
// edges alone is not: two transactions cannot each have seen what the other committed. Values at two offsets and
// offsets with two values have no order and give no ww edges. An anomaly is counted for each set of operations that
// are on cycles together; the story is a shortest cycle, or a short one if the budget is used up.
//
// Cost: linear in records and returned records; cycles take steps of the budget, and never decide anything.
func (j *kafkaJudge) judgeCycles() {
	j.linkRecords()
	ww := newGraph(len(j.ops), func(edge func(from, to int32)) {
		j.wwEdges(edge)
	})
	(&kafkaCycles{j: j, name: "G0", severity: ops.SeverityInfo, g: &ww, need: &ww}).judge()
	wr := newGraph(len(j.ops), func(edge func(from, to int32)) {
		j.wrEdges(func(r, reader int32) { edge(j.writerOf(r), reader) })
	})
	if len(wr.to) == 0 {
		return
	}
	pure := kafkaCycles{j: j, name: "G1c", severity: ops.SeverityFail, g: &wr, need: &wr}
	pure.judge()
	both := newGraph(len(j.ops), func(edge func(from, to int32)) {
		j.wwEdges(edge)
		j.wrEdges(func(r, reader int32) { edge(j.writerOf(r), reader) })
	})
	(&kafkaCycles{j: j, name: "G1c", severity: ops.SeverityInfo, g: &both, need: &wr, told: &pure}).judge()
}

// kafkaLink is a record and the next one of its key, with the operations that sent them.
type kafkaLink struct{ record, next, from, to int32 }

// wwEdges gives operations of which one sent the next record behind one of the other.
func (j *kafkaJudge) wwEdges(edge func(from, to int32)) {
	for i := range j.links {
		edge(j.links[i].from, j.links[i].to)
	}
}

// linkRecords finds the records that come one after the other.
func (j *kafkaJudge) linkRecords() {
	before, from := none, none
	for pos := range int32(len(j.log.at) - 1) {
		at := j.log.records(pos)
		if len(at) > 1 {
			continue
		}
		v := &j.values[j.records[at[0]].value]
		if v.lowest != v.last || v.writer == none || !j.committed(v.writer) {
			continue
		}
		if before != none && j.keyOf(before) == v.key && from != v.writer {
			j.links = append(j.links, kafkaLink{before, at[0], from, v.writer})
		}
		before, from = at[0], v.writer
	}
}

// wrEdges gives returned records and who was returned them. What only reads is on no cycle: nothing leads on from it.
func (j *kafkaJudge) wrEdges(edge func(r, reader int32)) {
	for i := range int32(len(j.ops)) {
		if len(j.sendsOf(i)) == 0 || !j.committed(i) {
			continue
		}
		for _, r := range j.readsOf(i) {
			if r == nextPoll {
				continue
			}
			if w := j.writerOf(r); w != none && w != i && j.committed(w) {
				edge(r, i)
			}
		}
	}
}

// kafkaCycles looks for the cycles of a graph that have an edge of need.
type kafkaCycles struct {
	j         *kafkaJudge
	name      string
	severity  ops.Severity
	g, need   *graph
	told      *kafkaCycles // operations that are on its cycles are told of already
	of, sizes []int32
}

// judge finds each component that has an edge of need within.
func (c *kafkaCycles) judge() {
	c.of, c.sizes = c.g.components()
	seen := make([]bool, len(c.sizes))
	if c.told != nil {
		for n, component := range c.of {
			seen[component] = seen[component] || c.told.sizes[c.told.of[n]] > 1
		}
	}
	for from := range int32(len(c.of)) {
		component := c.of[from]
		if c.sizes[component] == 1 || seen[component] {
			continue
		}
		for _, to := range c.need.next(from) {
			if c.of[to] != component {
				continue
			}
			seen[component] = true
			c.j.find(c.name, c.severity, func(a *ops.Anomaly) { c.tell(a, c.shortest(component)) })
			break
		}
	}
}

// shortest is a cycle through operations of a component that begins with an edge of need: the shortest, or the
// shortest that was found when the budget was used up. The first search is made in any case: it is linear.
func (c *kafkaCycles) shortest(component int32) []int32 {
	r := newRoute(c.g, c.of)
	var best []int32
	most := len(c.of)
	for from := range int32(len(c.of)) {
		if c.of[from] != component {
			continue
		}
		for _, to := range c.need.next(from) {
			if c.of[to] != component {
				continue
			}
			if best != nil && (len(best) == 2 || r.steps > c.j.options.Budget) {
				return best
			}
			if way := r.find(to, from, most); way != nil {
				best, most = way, len(way)-1
			}
		}
	}
	return best
}

// tell tells of a cycle.
func (c *kafkaCycles) tell(a *ops.Anomaly, cycle []int32) {
	j := c.j
	j.evidenceOf(a, cycle...)
	for n, to := range cycle {
		from := cycle[(n+len(cycle)-1)%len(cycle)]
		if n < ops.MaxEvidence {
			a.Story = append(a.Story, j.tellEdge(from, to))
		}
	}
	a.Detail = fmt.Sprintf("%d operations came before each other: %s", len(cycle), a.Story[0])
	if len(a.Story) > 1 {
		a.Detail += "; " + a.Story[1]
	}
}

// tellEdge says why one operation came before another one.
func (j *kafkaJudge) tellEdge(from, to int32) string {
	var text string
	j.wrEdges(func(r, reader int32) {
		if text == "" && reader == to && j.writerOf(r) == from {
			text = fmt.Sprintf("%s polled %s, sent by %s", j.who(to), j.place(r), j.who(from))
		}
	})
	for i := range j.links {
		if l := &j.links[i]; text == "" && l.from == from && l.to == to {
			text = fmt.Sprintf("%s sent %s, and %s sent the next one, %s", j.who(from), j.told(l.record), j.who(to), j.told(l.next))
		}
	}
	return text
}
