package looptest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/twiceless/twiceless/loop"
)

func readingCases() []Case {
	return []Case{
		{"each partition is read in order, without a gap, at most max at a time", orderCase},
		{"what is produced is read", produceCase},
		{"equal keys keep the order of the calls", keysCase},
		{"a paused partition gives nothing, and all of it after resume", pauseCase},
		{"a poll that waits goes on when a partition is resumed", resumeCase},
		{"a poll ends with its context and loses nothing", pollEndsCase},
	}
}

func orderCase(t *testing.T, r Rig) {
	seedBoth(t, r, 7)
	c := r.NewClient(t, Group, Topic)
	var all []loop.Record
	for len(all) < 14 {
		records, err := c.Poll(within(t, patience), 3)
		if err != nil || len(records) == 0 || len(records) > 3 {
			t.Fatalf("poll of at most 3 gave %v and %v", places(records), err)
		}
		all = append(all, records...)
	}
	for p := range int32(Partitions) {
		got := of(p, all)
		wantOffsets(t, "partition", got, 0, 1, 2, 3, 4, 5, 6)
		for i, want := range numbered(0, 7) {
			if got[i].Topic != Topic || !bytes.Equal(got[i].Key, want.Key) || !bytes.Equal(got[i].Value, want.Value) {
				t.Fatalf("record %d of partition %d is %+v", i, p, got[i])
			}
		}
	}
	pollNone(t, c)
	shut(t, c)
}

func produceCase(t *testing.T, r Rig) {
	c := r.NewClient(t, Group, Topic)
	stamp := time.UnixMilli(time.Now().UnixMilli() - 5000)
	want := loop.Record{
		Topic: Topic, Partition: 77, Offset: 77, Key: []byte("k"), Value: []byte("v"), Time: stamp,
		Headers: []loop.Header{{Key: "b", Value: []byte("1")}, {Key: "a", Value: []byte{}}, {Key: "b", Value: []byte("2")}},
	}
	produce(t, c, want)
	produce(t, c, loop.Record{Topic: Topic, Key: []byte("k"), Offset: -1})

	got := pollN(t, c, 2)
	wantOffsets(t, "as produced", got, 0, 1)
	first, tombstone := got[0], got[1]
	sameHeaders := slices.EqualFunc(first.Headers, want.Headers, func(a, b loop.Header) bool { return a.Key == b.Key && bytes.Equal(a.Value, b.Value) })
	if !bytes.Equal(first.Key, want.Key) || !bytes.Equal(first.Value, want.Value) || !first.Time.Equal(stamp) || !sameHeaders {
		t.Fatalf("produced %+v, read %+v", want, first)
	}
	if tombstone.Value != nil || tombstone.Time.IsZero() {
		t.Fatalf("produced no value and no time, read %+v", tombstone)
	}
	shut(t, c)
}

func keysCase(t *testing.T, r Rig) {
	c := r.NewClient(t, Group, Topic)
	for _, record := range numbered(0, 30) {
		record.Topic = Topic
		produce(t, c, record)
	}
	seen := map[string][]string{}
	home := map[string]int32{}
	for _, record := range pollN(t, c, 30) {
		key := string(record.Key)
		if at, ok := home[key]; ok && at != record.Partition {
			t.Fatalf("key %s in partitions %d and %d", key, at, record.Partition)
		}
		home[key] = record.Partition
		seen[key] = append(seen[key], string(record.Value))
	}
	for _, want := range numbered(0, 30) {
		key := string(want.Key)
		if seen[key][0] != string(want.Value) {
			t.Fatalf("key %s goes on with %s, want %s", key, seen[key][0], want.Value)
		}
		seen[key] = seen[key][1:]
	}
	shut(t, c)
}

func produce(t *testing.T, c loop.Client, record loop.Record) {
	t.Helper()
	if err := c.Produce(within(t, patience), record); err != nil {
		t.Fatalf("produce: %v", err)
	}
}

func pauseCase(t *testing.T, r Rig) {
	c := r.NewClient(t, Group, Topic)
	c.Pause(at(0)) // not this client's yet
	seedBoth(t, r, 2)
	pollN(t, c, 4)

	c.Pause(at(0), loop.TopicPartition{Topic: "another", Partition: 5})
	r.Seed(t, Topic, 0, numbered(2, 3)...)
	r.Seed(t, Topic, 1, numbered(2, 3)...)
	wantOffsets(t, "the partition that is not paused", of(1, pollN(t, c, 3)), 2, 3, 4)
	pollNone(t, c)
	c.Pause(at(1))
	r.Seed(t, Topic, 1, numbered(5, 1)...)
	pollNone(t, c)

	c.Resume(at(0), at(1))
	rest := pollN(t, c, 4)
	wantOffsets(t, "resumed partition", of(0, rest), 2, 3, 4)
	wantOffsets(t, "resumed partition", of(1, rest), 5)
	shut(t, c)
}

// A loop that pauses what its workers are at waits in a poll with everything paused, and it is a worker that resumes.
func resumeCase(t *testing.T, r Rig) {
	seedBoth(t, r, 1)
	c := r.NewClient(t, Group, Topic)
	pollN(t, c, 2)
	c.Pause(at(0), at(1))
	r.Seed(t, Topic, 0, numbered(1, 2)...)
	r.Seed(t, Topic, 1, numbered(1, 1)...)
	resumed := make(chan struct{})
	go func() {
		<-within(t, aWhile).Done()
		close(resumed)
		c.Resume(at(0))
	}()
	records, err := c.Poll(within(t, promptly), 2)
	select {
	case <-resumed:
	default:
		t.Fatalf("poll gave %v and %v before a partition was resumed", places(records), err)
	}
	if err != nil || len(of(1, records)) > 0 {
		t.Fatalf("poll gave %v and %v when partition 0 was resumed", places(records), err)
	}
	records = append(records, pollN(t, c, 2-len(records))...)
	wantOffsets(t, "resumed partition", of(0, records), 1, 2)
	shut(t, c)
}

func pollEndsCase(t *testing.T, r Rig) {
	c := r.NewClient(t, Group, Topic)
	pollNone(t, c) // nothing is there

	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if records, err := c.Poll(ended, 1); !errors.Is(err, context.Canceled) || len(records) > 0 {
		t.Fatalf("poll with a context that has ended gave %v and %v", places(records), err)
	}

	cut, cancel := context.WithCancel(context.Background())
	go cancel()
	_, err := c.Poll(cut, 1)
	wantError(t, "poll that was cut off", err, context.Canceled)

	seedBoth(t, r, 3)
	all := pollN(t, c, 6)
	wantOffsets(t, "after polls that were cut off", of(0, all), 0, 1, 2)
	wantOffsets(t, "after polls that were cut off", of(1, all), 0, 1, 2)
	shut(t, c)
}
