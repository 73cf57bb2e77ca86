// Package looptest holds the tests that every loop.Client passes, whatever carries its records.
//
// An implementation with a clock of its own runs Run. One that lives in virtual time takes each of Cases into a bubble:
//
//	for _, c := range looptest.Cases() {
//		t.Run(c.Name, func(t *testing.T) {
//			synctest.Test(t, func(t *testing.T) { c.Run(t, open(t)) })
//		})
//	}
//
// Cases look at no clock. They wait by the ends of contexts only, so that it makes no difference to them whether a minute is one.
package looptest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twiceless/twiceless/loop"
)

const (
	// Group is the consumer group of all clients of a case.
	Group = "workers"
	// Topic is the only topic of a case. It has Partitions partitions and is there and empty when a case starts.
	Topic      = "orders"
	Partitions = 2
)

// A Rig is a broker without a history, for one case. What it opens it cleans up by t.Cleanup.
//
// A group without a position starts at the earliest record. The session timeout is at least 10 s, and a member that does not poll is out of its group
// within 2 minutes.
type Rig interface {
	// NewClient opens a client that nobody has called yet. Clients of one group share the topic.
	NewClient(t *testing.T, group, topic string) loop.Client

	// Seed appends records to one partition, behind the back of all clients; what counts of them is key, value and headers.
	Seed(t *testing.T, topic string, partition int32, records ...loop.Record)

	// Committed is the group's position in a partition: the offset of the record that it reads next; -1 when it has none.
	Committed(t *testing.T, group, topic string, partition int32) int64
}

// A Case is one property of the contract.
type Case struct {
	Name string
	Run  func(t *testing.T, r Rig)
}

// Cases is the whole suite.
func Cases() []Case {
	return slices.Concat(readingCases(), commitCases(), rebalanceCases(), endingCases())
}

// Run runs every case over a rig of its own.
func Run(t *testing.T, open func(t *testing.T) Rig) {
	t.Helper()
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) { c.Run(t, open(t)) })
	}
}

const (
	// patience is longer than whatever a case waits for, with the group's time-outs among it.
	patience = 3 * time.Minute
	// promptly is longer than what needs a few messages, and shorter than a session timeout.
	promptly = 5 * time.Second
	// aWhile is long enough for a record to come that must not.
	aWhile = time.Second
)

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func at(partition int32) loop.TopicPartition {
	return loop.TopicPartition{Topic: Topic, Partition: partition}
}

// numbered are n records whose values count on from first.
func numbered(first, n int) []loop.Record {
	var records []loop.Record
	for i := first; i < first+n; i++ {
		records = append(records, loop.Record{Key: fmt.Appendf(nil, "key-%d", i%3), Value: fmt.Appendf(nil, "value-%d", i), Offset: -1})
	}
	return records
}

// seedBoth puts n records into each partition.
func seedBoth(t *testing.T, r Rig, n int) {
	t.Helper()
	for p := range int32(Partitions) {
		r.Seed(t, Topic, p, numbered(0, n)...)
	}
}

// pollN polls until it has n records, and fails the case when more come or nothing comes.
func pollN(t *testing.T, c loop.Client, n int) []loop.Record {
	t.Helper()
	ctx := within(t, patience)
	var all []loop.Record
	for len(all) < n {
		records, err := c.Poll(ctx, n-len(all))
		if err != nil {
			t.Fatalf("poll after %d of %d records: %v", len(all), n, err)
		}
		if len(records) == 0 || len(records) > n-len(all) {
			t.Fatalf("poll of at most %d gave %d records", n-len(all), len(records))
		}
		all = append(all, records...)
	}
	return all
}

// pollNone polls for a while and fails the case when a record comes.
func pollNone(t *testing.T, c loop.Client) {
	t.Helper()
	records, err := c.Poll(within(t, aWhile), 0)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("poll gave %v and %v, want nothing until the deadline", places(records), err)
	}
}

func of(partition int32, records []loop.Record) []loop.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r loop.Record) bool { return r.Partition != partition })
}

func offsets(records []loop.Record) []int64 {
	var all []int64
	for _, r := range records {
		all = append(all, r.Offset)
	}
	return all
}

func places(records []loop.Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, fmt.Sprintf("%s/%d@%d", r.Topic, r.Partition, r.Offset))
	}
	return all
}

func wantOffsets(t *testing.T, what string, records []loop.Record, want ...int64) {
	t.Helper()
	if got := offsets(records); !slices.Equal(got, want) {
		t.Fatalf("%s: offsets %v, want %v", what, got, want)
	}
}

func wantCommitted(t *testing.T, r Rig, partition int32, want int64) {
	t.Helper()
	if got := r.Committed(t, Group, Topic, partition); got != want {
		t.Fatalf("position of the group in partition %d: %d, want %d", partition, got, want)
	}
}

func commit(t *testing.T, c loop.Client, records ...loop.Record) {
	t.Helper()
	if err := c.Commit(within(t, patience), records...); err != nil {
		t.Fatalf("commit of %v: %v", places(records), err)
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s gave %v, want %v", what, err, want)
	}
}

func shut(t *testing.T, c loop.Client) {
	t.Helper()
	if err := c.Close(within(t, patience)); err != nil {
		t.Fatalf("close: %v", err)
	}
}
