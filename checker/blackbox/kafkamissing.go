package blackbox

import (
	"fmt"
	"math"
	"slices"

	"github.com/twiceless/twiceless/checker/ops"
)

// What was committed and returned to nobody. Let missing(v) say that the operation that sent v is acknowledged, or of
// unknown outcome and proven committed by another value of it that was returned, and that no acknowledged poll returned
// v. With first(v) and last(v) the first and last positions of v, and
//
//	bound_k = max { first(v) : v of key k, returned by an acknowledged poll }
//
// it says:
//
//	lost-write         missing(v) and last(v) ≤ bound_k
//	unseen             missing(v) and not a lost write
//	torn-transaction   an operation sent v and v'; v was returned, v' is missing for certain
//
// First and last positions make a lost write immune to several values at one offset. A lost write is missing for
// certain. An unseen value is, if its key was drained behind it (see drained); otherwise nobody can tell whether it
// would have been returned had the history gone on: it is undecided. So is one that a poll of unknown outcome returned,
// because that poll may have consumed it.
//
// Assumes that the acknowledged polls together begin where the log does. Cost: linear.

// kafkaDrain is a poll that returned nothing of a key that its process had assigned to itself and read.
type kafkaDrain struct {
	poll int32 // none = there is none
	pos  int32 // the record that the process stood at
}

// drained notes that a consumer left a key, if its last poll had returned nothing of it. The one that polled last tells
// most, among those that had got furthest: a consumer that has yet to catch up shows nothing.
func (w *kafkaWalk) drained(c *kafkaConsumer, k int32, p kafkaPlace) {
	if p.record == none || p.member || c.polled <= p.op {
		return
	}
	d := &w.drains[k]
	pos := w.j.records[p.record].pos
	if pos == w.j.log.read[k] && (d.poll == none || w.j.ops[c.polled].call > w.j.ops[d.poll].call) {
		*d = kafkaDrain{c.polled, pos}
	}
}

// kafkaPassed is the send of a key that began last among those whose value was returned.
type kafkaPassed struct {
	call  int64
	value int32 // none = there is none
}

// kafkaMissing is the search for what is missing.
type kafkaMissing struct {
	j       *kafkaJudge
	bound   []int32 // by key: the value whose first position is the bound; none = nothing was returned
	at      []int32 // by key: bound_k
	passed  []kafkaPassed
	drains  []kafkaDrain
	pending []bool  // by key: a send may have held back what the draining poll did not return
	lost    []int32 // missing for certain
	open    []int32 // undecided
}

func (j *kafkaJudge) judgeMissing(drains []kafkaDrain) {
	m := &kafkaMissing{j: j, drains: drains, bound: make([]int32, len(j.keys)), at: make([]int32, len(j.keys)), passed: make([]kafkaPassed, len(j.keys)), pending: make([]bool, len(j.keys))}
	for k := range m.bound {
		m.bound[k], m.at[k], m.passed[k].value = none, none, none
	}
	for v := range int32(len(j.values)) {
		if j.values[v].reader != none {
			m.returned(v)
		}
	}
	m.findPending()
	for i := range int32(len(j.ops)) {
		if j.committed(i) {
			m.operation(i)
		}
	}
	m.undecided()
	m.breakdown()
}

// returned moves the bounds of a key by a value that an acknowledged poll returned.
func (m *kafkaMissing) returned(v int32) {
	k := m.j.values[v].key
	if first, _ := m.j.positions(v); first > m.at[k] {
		m.at[k], m.bound[k] = first, v
	}
	if w := m.j.values[v].writer; w != none && (m.passed[k].value == none || m.j.ops[w].call > m.passed[k].call) {
		m.passed[k] = kafkaPassed{m.j.ops[w].call, v}
	}
}

// findPending marks keys with a send that was open while the draining poll was, or of which nobody knows whether it
// still is: consumers are handed nothing behind an open transaction.
func (m *kafkaMissing) findPending() {
	for i := range int32(len(m.j.ops)) {
		o := &m.j.ops[i]
		known := o.outcome != ops.Info || o.proof != none
		for _, r := range m.j.sendsOf(i) {
			k := m.j.keyOf(r)
			poll := m.drains[k].poll
			if poll == none {
				continue
			}
			p := &m.j.ops[poll]
			if o.call < p.ret && (!known || m.committedAt(i) > p.call) {
				m.pending[k] = true
			}
		}
	}
}

// committedAt is when an operation was known to be over: it returned, or a poll returned what it had sent.
func (m *kafkaMissing) committedAt(i int32) int64 {
	o := &m.j.ops[i]
	if o.ret == math.MaxInt64 && o.proof != none {
		return m.j.ops[o.proof].ret
	}
	return o.ret
}

// operation judges what a committed operation sent.
func (m *kafkaMissing) operation(i int32) {
	returned, gone := none, none
	for _, r := range m.j.sendsOf(i) {
		v := m.j.records[r].value
		switch {
		case m.j.values[v].reader != none:
			returned = r
		case m.value(i, v, r):
			gone = r
		}
	}
	if returned == none || gone == none {
		return
	}
	m.j.find("torn-transaction", ops.SeverityFail, func(a *ops.Anomaly) {
		reader := m.j.values[m.j.records[returned].value].reader
		m.j.evidenceOf(a, i, reader)
		a.Detail = fmt.Sprintf("%s sent %s and %s; the first was returned, the second is lost", m.j.who(i), m.j.place(returned), m.j.place(gone))
		a.Story = []string{m.j.sent(i, returned), m.j.sent(i, gone), m.j.saw(reader, returned), fmt.Sprintf("no acknowledged poll returned %s", m.j.place(gone))}
	})
}

// value judges a missing value and says whether it is missing for certain.
func (m *kafkaMissing) value(i, v, r int32) bool {
	k := m.j.values[v].key
	_, last := m.j.positions(v)
	if last != none && last <= m.at[k] {
		m.lost = append(m.lost, v)
		m.tellLost(i, v, r)
		return true
	}
	why, by := m.drained(i, v)
	if by == none {
		m.open = append(m.open, v)
		return false
	}
	m.lost = append(m.lost, v)
	m.j.find("unseen", ops.SeverityFail, func(a *ops.Anomaly) {
		m.j.evidenceOf(a, i, by)
		a.Detail = fmt.Sprintf("no acknowledged poll returned %s, sent by %s: %s", m.j.place(r), m.j.who(i), why)
		a.Story = []string{m.j.sent(i, r), why}
	})
	return true
}

// drained says what shows that a value would have been returned by now:
//
//   - a send to its key that began after it was committed was returned: logs keep that order, and consumers go along
//     them;
//   - a process that had assigned the key to itself, and stood at the last record of it that anybody was returned,
//     polled after the value was committed and was returned nothing, while no send to the key could hold anything back.
//
// The second assumes that a poll without records of a key found its end: one that gave up earlier is of unknown outcome.
func (m *kafkaMissing) drained(i, v int32) (why string, by int32) {
	j, k := m.j, m.j.values[v].key
	if j.values[v].unsure {
		return "", none
	}
	since := m.committedAt(i)
	if p := m.passed[k]; p.value != none && p.call > since {
		by = j.values[p.value].reader
		return fmt.Sprintf("%s was returned %s, whose send began later", j.who(by), j.showValue(p.value)), by
	}
	if d := m.drains[k]; d.poll != none && j.ops[d.poll].call > since && !m.pending[k] {
		return fmt.Sprintf("%s, which stood at the end of key %s, then polled nothing of it", j.who(d.poll), j.keys[k]), d.poll
	}
	return "", none
}

func (m *kafkaMissing) tellLost(i, v, r int32) {
	j, k := m.j, m.j.values[v].key
	j.find("lost-write", ops.SeverityFail, func(a *ops.Anomaly) {
		beyond := m.bound[k]
		reader := j.values[beyond].reader
		first, last := j.positions(v)
		bound := j.recordAt(beyond, m.at[k])
		j.evidenceOf(a, i, reader, j.ops[i].proof, j.records[bound].shown, j.records[j.recordAt(v, last)].shown)
		at := j.recordAt(v, first)
		a.Detail = fmt.Sprintf("no acknowledged poll returned %s, sent by %s, though %s was returned", j.place(at), j.who(i), j.place(bound))
		a.Story = []string{j.sent(i, r), fmt.Sprintf("%s polled %s", j.who(reader), j.place(bound)), fmt.Sprintf("no acknowledged poll returned %s", j.show(r))}
	})
}

// undecided reports what may yet be returned.
func (m *kafkaMissing) undecided() {
	j := m.j
	for _, v := range m.open {
		j.find("unseen", ops.SeverityInfo, func(a *ops.Anomaly) {
			j.evidenceOf(a, j.values[v].writer)
			a.Detail = fmt.Sprintf("no acknowledged poll returned value %s of key %s, sent by %s; its key was not drained after it", j.showValue(v), j.keys[j.values[v].key], j.who(j.values[v].writer))
		})
	}
	if n := int64(len(m.open)); n > 0 {
		j.fails.Undecided += n
		j.fails.Why = append(j.fails.Why, fmt.Sprintf("%d committed values were returned by no acknowledged poll, and their keys were not drained after them: a history should end with an assign of every key and polls until nothing is returned", n))
	}
}

// breakdown counts where among a process's sends to a key the missing ones are: before all of its values that were
// returned (the log began anew), among them (a certain loss), or after them all (perhaps the readers were slow).
func (m *kafkaMissing) breakdown() {
	missing := slices.Concat(m.lost, m.open)
	if len(missing) == 0 {
		return
	}
	type stream struct{ process, key int32 }
	type span struct{ first, last int32 } // operations; a value is named by the one that sent it
	read := map[stream]span{}
	for v := range m.j.values {
		x := &m.j.values[v]
		if x.writer == none || x.reader == none {
			continue
		}
		s := stream{m.j.ops[x.writer].process, x.key}
		if was, ok := read[s]; ok {
			read[s] = span{min(was.first, x.writer), max(was.last, x.writer)}
		} else {
			read[s] = span{x.writer, x.writer}
		}
	}
	for _, v := range missing {
		x := &m.j.values[v]
		s, ok := read[stream{m.j.ops[x.writer].process, x.key}]
		switch {
		case !ok || x.writer > s.last:
			m.j.numbers["missing-postfix"]++
		case x.writer < s.first:
			m.j.numbers["missing-prefix"]++
		default:
			m.j.numbers["missing-middle"]++
		}
	}
}

// countUnseen counts how many acknowledged values nobody had been returned, at the moments when an operation begins:
// between two of those the order of completions says nothing. Its last number is what remained.
func (j *kafkaJudge) countUnseen() {
	begins := j.begins()
	settled := make([]bool, len(j.values))
	unseen, most, before := int64(0), int64(0), int64(-1)
	for i := range int32(len(j.ops)) {
		o := &j.ops[i]
		if o.outcome != ops.OK {
			continue
		}
		if before >= 0 && begins.any(before, o.ret) {
			most = max(most, unseen)
		}
		before = o.ret
		for _, r := range j.sendsOf(i) {
			if v := j.records[r].value; !settled[v] {
				unseen++
			}
		}
		for _, r := range j.readsOf(i) {
			if r == nextPoll || settled[j.records[r].value] {
				continue
			}
			v := j.records[r].value
			settled[v] = true
			if w := j.values[v].writer; w != none && w <= i && j.ops[w].outcome == ops.OK {
				unseen--
			}
		}
	}
	j.numbers["unseen"], j.numbers["max-unseen"] = unseen, max(most, unseen)
}

// kafkaMoments are positions of a history.
type kafkaMoments []uint64

// begins are the positions at which operations begin.
func (j *kafkaJudge) begins() kafkaMoments {
	end := int64(0)
	for i := range j.ops {
		end = max(end, j.ops[i].call)
	}
	b := make(kafkaMoments, end/64+1)
	for i := range j.ops {
		b[j.ops[i].call/64] |= 1 << (j.ops[i].call % 64)
	}
	return b
}

// any says whether one of them lies between two others. The caller's spans do not overlap, so this is linear in all.
func (b kafkaMoments) any(after, before int64) bool {
	for at := after + 1; at < before && at/64 < int64(len(b)); at++ {
		if b[at/64]&(1<<(at%64)) != 0 {
			return true
		}
	}
	return false
}
