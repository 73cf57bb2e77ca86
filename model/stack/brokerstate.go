package stack

import (
	"strconv"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim/history"
)

// counts is the keyed state of a loop in transactions: how many records of each key it has taken in. It is in memory, by
// partition, and each change of it is a record of the changelog, in the transaction of the record that it comes from. So
// the changelog as far as it is committed is the state behind the positions that are committed, and whoever gets a
// partition restores it from there; so does a loop whose transaction was aborted, because its memory is ahead.
type counts struct {
	changelog  string
	bound      model.Bound
	partitions map[int]map[string]int64 // of those that are restored, by key; looked up only
}

// Changelog is the topic of the state that is kept of a source's events. Its partitions are those of the source.
func Changelog(source string) string { return source + ".counts" }

// Counting is the stage that facts name.
const Counting = "count"

func newCounts(source string, bound model.Bound) *counts {
	return &counts{changelog: Changelog(source), bound: bound, partitions: map[int]map[string]int64{}}
}

// forget has the state restored before it is used again.
func (k *counts) forget() { clear(k.partitions) }

// restore takes the state of a partition up from its changelog. The last value of a key counts.
func (k *counts) restore(c model.Ctx, partition int) {
	state := map[string]int64{}
	c.Restore(k.changelog, partition, k.bound, func(m model.Message) {
		n, err := strconv.ParseInt(m.Payload, 10, 64)
		if err != nil {
			panic("stack: a count that is none: " + m.Payload)
		}
		state[m.Key] = n
	})
	k.partitions[partition] = state
}

// ready restores what a batch needs. It comes before the transaction: one that is open would be waited for.
func (k *counts) ready(c model.Ctx, batch []model.Message) {
	for i := range batch {
		if k.partitions[batch[i].Partition] == nil {
			k.restore(c, batch[i].Partition)
		}
	}
}

// take takes a record in, says so, and returns the record of the change. It bears no event: what the log has of it is
// nobody's effect.
func (k *counts) take(c model.Ctx, m *model.Message) model.Message {
	state := k.partitions[m.Partition]
	state[m.Key]++
	value := strconv.FormatInt(state[m.Key], 10)
	fact := c.Process().Record(history.Fact{Kind: history.KindFolded, Event: m.Event, Stage: Counting, Op: "count", Key: m.Key, Cause: m.Cause,
		Resource: model.PartitionName(m.Topic, m.Partition), Offset: m.Offset, Value: value, Fence: -1})
	return model.Message{Intent: model.Intent{Key: m.Key}, Schema: m.Schema, Payload: value, Cause: fact}
}
