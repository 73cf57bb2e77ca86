package blackbox

import (
	"fmt"

	"github.com/twiceless/twiceless/checker/ops"
)

// Take stores an operation. What its completion does not say is taken from its invoke: what was attempted counts even
// if nobody knows what became of it.
func (j *kafkaJudge) Take(o *ops.Operation) {
	f, ok := kafkaFuncOf(o.F)
	if !ok {
		return // debug-topic-partitions
	}
	i := int32(len(j.ops))
	j.ops = append(j.ops, kafkaOp{
		call: o.Call, ret: o.Return, invoked: o.Invoked, completed: o.Completed, callTime: o.CallTime, completeTime: o.CompleteTime,
		line: int64(o.Line), process: j.processNamed(o.Process), proof: none, f: f, outcome: o.Outcome,
	})
	switch f {
	case kafkaTransact:
		j.transact(i, o)
	case kafkaAssign, kafkaSubscribe:
		j.list(o)
	}
	op := &j.ops[i]
	op.sendsEnd, op.readsEnd, op.listEnd = int32(len(j.sends)), int32(len(j.reads)), int32(len(j.lists))
}

func kafkaFuncOf(name string) (f kafkaFunc, ok bool) {
	switch name {
	case "send", "poll", "txn":
		return kafkaTransact, true
	case "assign":
		return kafkaAssign, true
	case "subscribe":
		return kafkaSubscribe, true
	case "crash":
		return kafkaCrash, true
	}
	return 0, false
}

// list stores the keys of an assign or subscribe.
func (j *kafkaJudge) list(o *ops.Operation) {
	keys, where := o.In, "keys"
	if keys.IsNull() {
		keys = o.Out
	}
	if keys.Kind != ops.List {
		j.bad(o, "value", "%s takes a list of %s, not %s", o.F, where, keys.Kind)
		return
	}
	for i, item := range keys.Items {
		if k, ok := j.key(item); ok {
			j.lists = append(j.lists, k)
		} else {
			j.bad(o, fmt.Sprintf("value[%d]", i), "a key is a number or text, not %s", item.Kind)
		}
	}
}

// transact stores the micro-operations of an operation.
func (j *kafkaJudge) transact(i int32, o *ops.Operation) {
	asked, ok := j.microOps(o, o.In)
	heard, ok2 := j.microOps(o, o.Out)
	if !ok || !ok2 {
		return
	}
	if !o.In.IsNull() && len(heard) > len(asked) {
		j.bad(o, "value", "the completion has %d micro-operations, the invoke %d", len(heard), len(asked))
		return
	}
	for n := range max(len(asked), len(heard)) {
		var a, h ops.Value
		if n < len(asked) {
			a = asked[n]
		}
		if n < len(heard) {
			h = heard[n]
		}
		j.microOp(i, o, n, a, h)
	}
}

// microOps are the elements of a list; a value that is null has none.
func (j *kafkaJudge) microOps(o *ops.Operation, v ops.Value) ([]ops.Value, bool) {
	if v.Kind != ops.List && !v.IsNull() {
		j.bad(o, "value", "%s takes a list of micro-operations, not %s", o.F, v.Kind)
		return nil, false
	}
	return v.Items, true
}

// microOp stores one micro-operation: what was asked, what was heard of it; one of them may be null.
func (j *kafkaJudge) microOp(i int32, o *ops.Operation, n int, asked, heard ops.Value) {
	at := func() string { return fmt.Sprintf("value[%d]", n) }
	kind := microKind(heard)
	if heard.IsNull() {
		kind = microKind(asked)
	}
	switch {
	case kind == "":
		j.bad(o, at(), `neither ["send", key, value] nor ["poll"], but %s`, heard)
	case !asked.IsNull() && !heard.IsNull() && microKind(asked) != kind:
		j.bad(o, at(), "the completion says %s, the invoke %s", heard, asked)
	case kind == "send":
		j.send(i, o, at, asked, heard)
	default:
		j.poll(i, o, at, heard)
	}
}

// microKind is "send" or "poll" if the micro-operation has the form of one, else "".
func microKind(v ops.Value) string {
	if v.Kind != ops.List || len(v.Items) == 0 || v.Items[0].Kind != ops.Text {
		return ""
	}
	switch name := v.Items[0].Text; {
	case name == "send" && len(v.Items) == 3, name == "poll" && len(v.Items) <= 2:
		return name
	}
	return ""
}

// send stores a send. Its value is that of the invoke, or of the completion where the invoke says nothing.
func (j *kafkaJudge) send(i int32, o *ops.Operation, at func() string, asked, heard ops.Value) {
	if heard.IsNull() {
		heard = asked
	}
	key, ok := j.key(heard.Items[1])
	if !ok {
		j.bad(o, at(), "a key is a number or text, not %s", heard.Items[1].Kind)
		return
	}
	offset, value, ok := j.pair(heard.Items[2])
	if !ok || value.IsNull() {
		j.bad(o, at(), "a send has a number or text, or [offset, value] of it, not %s", heard.Items[2])
		return
	}
	v := j.value(key, value)
	if !asked.IsNull() {
		if _, was, ok := j.pair(asked.Items[2]); !ok || !sameScalar(&was, &value) || !j.isKey(key, &asked.Items[1]) {
			j.bad(o, at(), "the completion says %s, the invoke %s", heard, asked)
			return
		}
	}
	w := &j.values[v]
	if w.writer != none {
		j.bad(o, at(), "value %s is sent to key %s a second time (line %d): values of a key must differ, else nobody can tell which of them was lost or repeated",
			value, j.keys[key], j.ops[w.writer].line)
		return
	}
	w.writer = i
	j.sends = append(j.sends, j.record(v, offset))
}

// sameScalar says that two scalars are one value of a key.
func sameScalar(a, b *ops.Value) bool { return a.Kind == b.Kind && a.Int == b.Int && a.Text == b.Text }

// isKey says that a value is the name of a key.
func (j *kafkaJudge) isKey(key int32, v *ops.Value) bool {
	k, ok := j.key(*v)
	return ok && k == key
}

// pair takes [offset, value] or a value alone. The offset of a producer that does not wait for one is -1 in Kafka.
func (j *kafkaJudge) pair(v ops.Value) (offset int64, value ops.Value, ok bool) {
	if v.Kind != ops.List {
		return noOffset, v, v.Scalar()
	}
	if len(v.Items) != 2 || !v.Items[1].Scalar() {
		return noOffset, v, false
	}
	switch o := v.Items[0]; {
	case o.IsNull():
		return noOffset, v.Items[1], true
	case o.Kind == ops.Int && o.Int >= noOffset:
		return o.Int, v.Items[1], true
	}
	return noOffset, v, false
}

// poll stores what a poll returned.
func (j *kafkaJudge) poll(i int32, o *ops.Operation, at func() string, heard ops.Value) {
	op := &j.ops[i]
	if op.polls {
		j.reads = append(j.reads, nextPoll)
	}
	op.polls = true
	if len(heard.Items) < 2 || heard.Items[1].IsNull() {
		return
	}
	records := heard.Items[1]
	if records.Kind != ops.Map {
		j.bad(o, at(), "a poll returns {key: [[offset, value], …]}, not %s", records.Kind)
		return
	}
	for n := 0; n+1 < len(records.Items); n += 2 {
		key, ok := j.key(records.Items[n])
		if !ok || records.Items[n+1].Kind != ops.List {
			j.bad(o, at(), "a poll returns {key: [[offset, value], …]}, not %s: %s", records.Items[n], records.Items[n+1])
			continue
		}
		for _, pair := range records.Items[n+1].Items {
			j.returned(i, o, at, key, pair)
		}
	}
}

// returned stores one record of a poll. It is evidence of the log whatever the outcome; only an acknowledged poll
// shows that a value was delivered.
func (j *kafkaJudge) returned(i int32, o *ops.Operation, at func() string, key int32, pair ops.Value) {
	offset, value, ok := j.pair(pair)
	if !ok || pair.Kind != ops.List {
		j.bad(o, at(), "a poll returns pairs [offset, value] of a whole number and a number or text, not %s", pair)
		return
	}
	n := j.value(key, value)
	r := j.record(n, offset)
	j.reads = append(j.reads, r)
	if j.records[r].shown == none {
		j.records[r].shown = i
	}
	v := &j.values[n]
	switch {
	case o.Outcome == ops.OK && v.reader == none:
		v.reader = i
	case o.Outcome == ops.Info:
		v.unsure = true
	}
}

func (j *kafkaJudge) bad(o *ops.Operation, field, format string, args ...any) {
	j.problems.Add(o.Line, field, format, args...)
}
