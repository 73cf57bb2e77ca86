package blackbox

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/checker/ops"
)

// What one producer heard. With r, r' two records sent to a key one after the other, by one operation or by a process's
// successive operations that did not fail:
//
//	int-send-skip           pos(r') − pos(r) > 1, in one operation (allowed: brokers interleave transactions)
//	int-nonmonotonic-send   pos(r') − pos(r) < 1, in one operation
//	nonmonotonic-send       the same; r the last of the earlier operation, r' the first of the later, no crash between
//
// and of all processes, for acknowledged sends with offsets:
//
//	realtime-offset-order   ret(s) < call(s') and offset(s') < offset(s)
//
// Without nonmonotonic sends and this, "append returns its offset" is linearizable; two sends that were acknowledged at
// one offset are inconsistent-offsets. Cost: O(n log n) for the sort by calls.

// judgeSends judges all sends.
func (j *kafkaJudge) judgeSends() {
	type stream struct{ process, key int32 }
	last := map[stream]int32{}
	born := make([]int32, len(j.processes)) // by process: its last crash
	stamp, at := make([]int32, len(j.keys)), make([]int32, len(j.keys))
	for k := range stamp {
		stamp[k] = none
	}
	for i := range int32(len(j.ops)) {
		o := &j.ops[i]
		if o.f == kafkaCrash {
			born[o.process] = i
		}
		for _, r := range j.sendsOf(i) {
			k := j.keyOf(r)
			before, ok := last[stream{o.process, k}]
			switch {
			case stamp[k] == i:
				j.sendPair("int-", i, at[k], r)
			case ok && o.outcome != ops.Fail && j.writerOf(before) >= born[o.process]:
				j.sendPair("", i, before, r)
			}
			stamp[k], at[k] = i, r
			if o.outcome != ops.Fail {
				last[stream{o.process, k}] = r
			}
		}
	}
	j.judgeRealTime()
}

// sendPair judges two records that a process sent one after the other; the later one by operation i.
func (j *kafkaJudge) sendPair(prefix string, i, before, after int32) {
	a, b := j.records[before].pos, j.records[after].pos
	switch {
	case a == none || b == none || b == a+1 || b > a && prefix == "":
		return
	case b > a:
		j.find("int-send-skip", ops.SeverityInfo, func(found *ops.Anomaly) {
			found.Evidence = append(j.indices([]int32{i}), j.shownBy(a+1)...)
			found.Detail = fmt.Sprintf("%s sent %s, then %s; between them came %s", j.who(i), j.place(before), j.place(after), j.between(a+1, b-1))
		})
		return
	}
	j.find(prefix+"nonmonotonic-send", ops.SeverityFail, func(found *ops.Anomaly) {
		x, y := j.records[before].shown, j.records[after].shown
		earlier := j.values[j.records[before].value].writer
		j.evidenceOf(found, earlier, i, x, y)
		found.Detail = fmt.Sprintf("process %s sent %s, then %s", j.processes[j.ops[i].process], j.told(before), j.told(after))
		found.Story = []string{j.sent(earlier, before), j.sent(i, after)}
	})
}

// told is a sent record with the offset that it has, perhaps known from a poll only.
func (j *kafkaJudge) told(r int32) string {
	if rec := &j.records[r]; rec.offset == noOffset && rec.pos != none {
		return j.place(j.recordAt(rec.value, rec.pos))
	}
	return j.place(r)
}

// judgeRealTime goes through the sends of each key twice at once: by when they began and, as they are stored, by when
// they were acknowledged. A send that begins must get an offset behind the greatest that was acknowledged by then.
func (j *kafkaJudge) judgeRealTime() {
	acked := j.acked()
	begun := slices.Clone(acked)
	slices.SortFunc(begun, func(a, b int32) int { return cmp.Compare(j.callOf(a), j.callOf(b)) })
	greatest := make([]int32, len(j.keys)) // records
	for k := range greatest {
		greatest[k] = none
	}
	n := 0
	for _, r := range begun {
		for n < len(acked) && j.ops[j.writerOf(acked[n])].ret < j.callOf(r) {
			k := j.keyOf(acked[n])
			if g := greatest[k]; g == none || j.records[acked[n]].offset > j.records[g].offset {
				greatest[k] = acked[n]
			}
			n++
		}
		if g := greatest[j.keyOf(r)]; g != none && j.records[r].offset < j.records[g].offset {
			j.find("realtime-offset-order", ops.SeverityFail, func(a *ops.Anomaly) {
				x, y := j.writerOf(g), j.writerOf(r)
				j.evidenceOf(a, x, y)
				a.Detail = fmt.Sprintf("%s began to send %s after %s had been acknowledged", j.who(y), j.place(r), j.place(g))
				a.Story = []string{j.sent(x, g), j.sent(y, r)}
			})
		}
	}
}

// acked are the acknowledged sends with an offset, in the order of their acknowledgements.
func (j *kafkaJudge) acked() []int32 {
	var out []int32
	for i := range int32(len(j.ops)) {
		if j.ops[i].outcome != ops.OK {
			continue
		}
		for _, r := range j.sendsOf(i) {
			if j.records[r].offset != noOffset {
				out = append(out, r)
			}
		}
	}
	return out
}

func (j *kafkaJudge) writerOf(r int32) int32 { return j.values[j.records[r].value].writer }

func (j *kafkaJudge) callOf(r int32) int64 { return j.ops[j.writerOf(r)].call }
