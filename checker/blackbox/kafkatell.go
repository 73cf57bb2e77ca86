package blackbox

import (
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/checker/ops"
)

// How operations and records are told.

// evidenceOf adds the events of operations to what an anomaly names; none is left out.
func (j *kafkaJudge) evidenceOf(a *ops.Anomaly, operations ...int32) {
	for _, i := range operations {
		if i == none {
			continue
		}
		o := &j.ops[i]
		a.Evidence = append(a.Evidence, o.invoked)
		if o.completed != ops.NoIndex {
			a.Evidence = append(a.Evidence, o.completed)
		}
	}
}

// who is an operation by its process and the index of its last event.
func (j *kafkaJudge) who(i int32) string {
	return fmt.Sprintf("process %s (index %d)", j.processes[j.ops[i].process], j.index(i))
}

func (j *kafkaJudge) index(i int32) int64 {
	if c := j.ops[i].completed; c != ops.NoIndex {
		return c
	}
	return j.ops[i].invoked
}

// show is the value of a record.
func (j *kafkaJudge) show(r int32) string { return j.showValue(j.records[r].value) }

func (j *kafkaJudge) showValue(value int32) string {
	v := &j.values[value]
	return ops.Value{Kind: v.kind, Int: v.number, Text: v.text}.String()
}

// place is a record with its key and offset.
func (j *kafkaJudge) place(r int32) string {
	rec := &j.records[r]
	if rec.offset == noOffset {
		return fmt.Sprintf("%s of key %s", j.show(r), j.keys[j.keyOf(r)])
	}
	return fmt.Sprintf("%s at offset %d of key %s", j.show(r), rec.offset, j.keys[j.keyOf(r)])
}

var kafkaOutcomes = map[ops.Type]string{ops.OK: "and was acknowledged", ops.Fail: "and was told that it failed", ops.Info: "and never learnt what became of it"}

// sent is a step of a story: an operation sent a record.
func (j *kafkaJudge) sent(i, r int32) string {
	return fmt.Sprintf("%s sent %s %s", j.who(i), j.place(r), kafkaOutcomes[j.ops[i].outcome])
}

// saw is a step of a story: an operation is evidence for a record, by sending or by polling it.
func (j *kafkaJudge) saw(i, r int32) string {
	if j.values[j.records[r].value].writer == i {
		return j.sent(i, r)
	}
	return fmt.Sprintf("%s polled %s", j.who(i), j.place(r))
}

// maxListed is how many values a detail lists.
const maxListed = 5

// between are the values at positions from..to, for a detail.
func (j *kafkaJudge) between(from, to int32) string {
	var names []string
	for pos := from; pos <= to; pos++ {
		if len(names) == maxListed {
			names = append(names, fmt.Sprintf("… (%d in all)", to-from+1))
			break
		}
		r := j.log.records(pos)[0]
		names = append(names, fmt.Sprintf("%s (offset %d)", j.show(r), j.records[r].offset))
	}
	return strings.Join(names, ", ")
}
