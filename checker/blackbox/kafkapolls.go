package blackbox

import (
	"fmt"

	"github.com/twiceless/twiceless/checker/ops"
)

// What one consumer saw. With r, r' two records of a key that a process was returned one after the other:
//
//	int-poll-skip, int-nonmonotonic-poll   pos(r') − pos(r) > 1, < 1; both in one operation
//	poll-skip, nonmonotonic-poll           the same; r the last of the process's last acknowledged poll of the key,
//	                                       r' the first of its next poll
//	fractured-read                         an acknowledged operation passed over a record and returned another one
//	                                       that the same operation had sent
//
// Polls are judged whatever became of them, but only acknowledged ones move on: an aborted transaction begins again.
// A skip shows only if somebody saw what was skipped. A rebalance moves a member of a group elsewhere, so between two
// polls skips and repetitions of a process that subscribes are allowed; within the result of one poll nothing excuses
// them. A fractured read is allowed: no broker promises that consumers see transactions at once.
//
// Also counted: redelivered records, and where polls go on after an aborted operation (abort-rewind, the same first
// record again, as it should be; abort-advance, behind the aborted ones: a loss; abort-rewind-further; abort-other).
//
// Cost: linear in the returned records; that of fractured reads is limited by the budget.

// within judges two records of one operation.
func (w *kafkaWalk) within(i int32, c *kafkaConsumer, r, before int32, sameCall bool) {
	severity := ops.SeverityFail
	if c.owner == ownsAsMember && !sameCall {
		severity = ops.SeverityInfo
	}
	w.pair("int-", severity, [2]int32{i, i}, before, r)
}

// between judges the first record of a key in an operation.
func (w *kafkaWalk) between(i int32, c *kafkaConsumer, k, r int32) {
	p, ok := c.places[k]
	if !ok {
		return
	}
	w.afterAbort(p, r)
	if p.record == none {
		return
	}
	severity := ops.SeverityFail
	if c.owner == ownsAsMember || p.member {
		severity = ops.SeverityInfo
	}
	w.pair("", severity, [2]int32{p.op, i}, p.record, r)
}

// pair judges two records that came one after the other, by the operations that returned them.
func (w *kafkaWalk) pair(prefix string, severity ops.Severity, by [2]int32, before, after int32) {
	j := w.j
	a, b := j.records[before].pos, j.records[after].pos
	if a == none || b == none || b == a+1 {
		return
	}
	name, what := prefix+"nonmonotonic-poll", "which does not come after it"
	if b > a {
		name = prefix + "poll-skip"
		w.skipped = append(w.skipped, [2]int32{a + 1, b - 1})
	}
	j.find(name, severity, func(found *ops.Anomaly) {
		if b > a {
			what = "and passed over " + j.between(a+1, b-1)
			found.Evidence = j.shownBy(a + 1)
		}
		found.Evidence = append(found.Evidence, j.indices(by[:])...)
		found.Detail = fmt.Sprintf("process %s polled %s, then %s, %s", j.processes[j.ops[by[1]].process], j.place(before), j.place(after), what)
		if by[0] != by[1] {
			found.Story = []string{j.saw(by[0], before), j.saw(by[1], after)}
		}
	})
}

// shownBy are the events that show what is at a position.
func (j *kafkaJudge) shownBy(pos int32) []int64 {
	return j.indices([]int32{j.records[j.log.records(pos)[0]].shown})
}

func (j *kafkaJudge) indices(operations []int32) []int64 {
	var a ops.Anomaly
	j.evidenceOf(&a, operations...)
	return a.Evidence
}

// afterAbort counts where a consumer goes on after an aborted operation.
func (w *kafkaWalk) afterAbort(p kafkaPlace, r int32) {
	if p.aborted == notAborted {
		return
	}
	first, last, now := w.j.records[p.aborted[0]].pos, w.j.records[p.aborted[1]].pos, w.j.records[r].pos
	switch {
	case first == none || last == none || now == none:
	case now == first:
		w.j.numbers["abort-rewind"]++
	case now > last:
		w.j.numbers["abort-advance"]++
	case now < first:
		w.j.numbers["abort-rewind-further"]++
	default:
		w.j.numbers["abort-other"]++
	}
}

// redelivered counts values that groups were returned again.
func (w *kafkaWalk) redelivered(i int32, c *kafkaConsumer) {
	if c.owner != ownsAsMember {
		return
	}
	for _, r := range w.j.readsOf(i) {
		if r == nextPoll {
			continue
		}
		if v := &w.j.values[w.j.records[r].value]; v.again {
			w.j.numbers["redelivered"]++
		} else {
			v.again = true
		}
	}
}

// kafkaFractures is what the search for fractured reads needs: which operation returned a value or looked at a
// writer last, by value and by writer.
type kafkaFractures struct {
	value, writer []int32
	steps         int64
	stopped       bool
}

// fractures looks for records that the operation passed over and whose companions it returned.
func (w *kafkaWalk) fractures(i int32) {
	f := &w.fracture
	if len(w.skipped) == 0 || f.stopped {
		return
	}
	f.begin(w.j)
	for _, r := range w.j.readsOf(i) {
		if r != nextPoll {
			f.value[w.j.records[r].value] = i
		}
	}
	for _, r := range w.j.readsOf(i) {
		if r == nextPoll || f.stopped {
			continue
		}
		writer := w.j.values[w.j.records[r].value].writer
		if writer == none || writer == i || f.writer[writer] == i {
			continue
		}
		f.writer[writer] = i
		w.companions(i, writer, r)
	}
}

func (f *kafkaFractures) begin(j *kafkaJudge) {
	if f.value != nil {
		return
	}
	f.value, f.writer = make([]int32, len(j.values)), make([]int32, len(j.ops))
	for n := range f.value {
		f.value[n] = none
	}
	for n := range f.writer {
		f.writer[n] = none
	}
}

// companions looks at what else the writer of a returned record sent.
func (w *kafkaWalk) companions(reader, writer, r int32) {
	j := w.j
	for _, other := range j.sendsOf(writer) {
		if w.fracture.steps++; w.fracture.steps > j.options.Budget {
			w.fracture.stop(j)
			return
		}
		if w.fracture.value[j.records[other].value] == reader || j.keyOf(other) == j.keyOf(r) {
			continue
		}
		for _, gap := range w.skipped {
			if w.fracture.steps++; w.fracture.steps > j.options.Budget {
				w.fracture.stop(j)
				return
			}
			if pos := j.records[other].pos; gap[0] <= pos && pos <= gap[1] {
				j.find("fractured-read", ops.SeverityInfo, func(a *ops.Anomaly) {
					j.evidenceOf(a, writer, reader, j.records[other].shown)
					a.Detail = fmt.Sprintf("%s was returned %s and passed over %s, which %s sent together with it", j.who(reader), j.place(r), j.place(other), j.who(writer))
				})
			}
		}
	}
}

func (f *kafkaFractures) stop(j *kafkaJudge) {
	f.stopped = true
	j.fails.Undecided++
	j.fails.Why = append(j.fails.Why, fmt.Sprintf("fractured reads were looked for no further than %d steps", j.options.Budget))
}
