package blackbox_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

// passingOver is a transaction of many records of one key, and a member of a group that is handed two of them by each of
// its polls and none of those between: whoever looks for companions of what was returned looks at the whole transaction
// each time.
func passingOver(records, polls int) []*ops.Operation {
	const gap = 20
	send := &logOp{process: 1, f: "txn", call: 0, ret: 1, outcome: ops.OK}
	for i := range records {
		send.micro = append(send.micro, logMicro{recs: []logRec{{0, int64(i), i + 1}}})
	}
	list := []*ops.Operation{send.operation()}
	for i := range polls {
		at := int64(2 * (i + 1))
		first := i % (records - gap)
		poll := &logOp{process: 2, f: "poll", call: at, ret: at + 1, outcome: ops.OK}
		poll.micro = []logMicro{{poll: true, recs: []logRec{{0, int64(first), first + 1}, {0, int64(first + gap), first + gap + 1}}}}
		list = append(list, poll.operation())
	}
	return list
}

// The search for fractured reads costs no more than its budget, though no record of another key is found by it: each look
// is a step. Where it ends is said once.
func TestKafkaFracturedReadsWithinBudget(t *testing.T) {
	const records, polls = 100, 100
	history := passingOver(records, polls)
	enough := judged(t, "kafka", ops.Value{}, blackbox.Options{Budget: records * polls}, history)
	short := judged(t, "kafka", ops.Value{}, blackbox.Options{Budget: records*polls - 1}, history)
	require.Equal(t, enough.Undecided+1, short.Undecided)
	require.Len(t, short.Why, len(enough.Why)+1)
}

// BenchmarkKafkaRepeated judges one value at a hundred thousand offsets: twice as many must take twice as long.
//
//	go test -run - -bench KafkaRepeated ./checker/blackbox
func BenchmarkKafkaRepeated(b *testing.B) {
	const offsets = 100_000
	send := &logOp{process: 1, f: "send", call: 0, ret: 1, outcome: ops.OK, micro: []logMicro{{recs: []logRec{{0, firstOffset, 1}}}}}
	list := []*ops.Operation{send.operation()}
	for i := range int64(offsets) {
		poll := &logOp{process: 2, f: "poll", call: 2 * (i + 1), ret: 2*i + 3, outcome: ops.OK}
		poll.micro = []logMicro{{poll: true, recs: []logRec{{0, firstOffset + i, 1}}}}
		list = append(list, poll.operation())
	}
	for b.Loop() {
		var p ops.Problems
		j := kafkaModel().New(ops.Header{}, blackbox.Options{Budget: blackbox.DefaultBudget}, &p)
		for _, o := range list {
			j.Take(o)
		}
		require.Equal(b, checker.Fail, j.Report().Verdict())
	}
}
