package looptest

import (
	"context"
	"errors"
	"testing"

	"github.com/twiceless/twiceless/loop"
)

func commitCases() []Case {
	return []Case{
		{"a commit is one past the highest of each partition, and the next client goes on there", commitCase},
		{"what was not committed comes again", againCase},
		{"a position is set, also back", setBackCase},
		{"what cannot be a commit is none", noCommitCase},
		{"commit and produce end with their context", requestEndsCase},
	}
}

func commitCase(t *testing.T, r Rig) {
	seedBoth(t, r, 5)
	c := r.NewClient(t, Group, Topic)
	all := pollN(t, c, 10)
	first, second := of(0, all), of(1, all)
	wantCommitted(t, r, 0, -1)

	commit(t, c, first[2], first[0], second[0], first[1])
	wantCommitted(t, r, 0, 3)
	wantCommitted(t, r, 1, 1)
	commit(t, c, second[3])
	wantCommitted(t, r, 0, 3)
	wantCommitted(t, r, 1, 4)
	shut(t, c)
	wantCommitted(t, r, 0, 3)

	next := r.NewClient(t, Group, Topic)
	rest := pollN(t, next, 3)
	wantOffsets(t, "next client", of(0, rest), 3, 4)
	wantOffsets(t, "next client", of(1, rest), 4)
	shut(t, next)
}

func againCase(t *testing.T, r Rig) {
	seedBoth(t, r, 2)
	for range 2 {
		c := r.NewClient(t, Group, Topic)
		all := pollN(t, c, 4)
		wantOffsets(t, "a group without positions", of(0, all), 0, 1)
		wantOffsets(t, "a group without positions", of(1, all), 0, 1)
		shut(t, c)
		wantCommitted(t, r, 0, -1)
	}
}

func setBackCase(t *testing.T, r Rig) {
	r.Seed(t, Topic, 0, numbered(0, 4)...)
	c := r.NewClient(t, Group, Topic)
	all := pollN(t, c, 4)
	commit(t, c, all...)
	commit(t, c, all[1])
	wantCommitted(t, r, 0, 2)
	pollNone(t, c) // the group's position is not where this client reads
	shut(t, c)
}

func noCommitCase(t *testing.T, r Rig) {
	r.Seed(t, Topic, 0, numbered(0, 1)...)
	c := r.NewClient(t, Group, Topic)
	one := pollN(t, c, 1)
	commit(t, c)

	unwritten := one[0]
	unwritten.Offset = -1
	if err := c.Commit(within(t, patience), one[0], unwritten); err == nil {
		t.Fatal("commit of a record without an offset gave no error")
	}
	foreign := one[0]
	foreign.Topic = "another"
	wantError(t, "commit of a partition that was never assigned", c.Commit(within(t, patience), one[0], foreign), loop.ErrFenced)
	wantCommitted(t, r, 0, -1)
	shut(t, c)
}

func requestEndsCase(t *testing.T, r Rig) {
	r.Seed(t, Topic, 0, numbered(0, 1)...)
	c := r.NewClient(t, Group, Topic)
	one := pollN(t, c, 1)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for what, err := range map[string]error{
		"commit":  c.Commit(ended, one...),
		"produce": c.Produce(ended, loop.Record{Topic: Topic, Key: []byte("k"), Offset: -1}),
	} {
		if !errors.Is(err, context.Canceled) || !errors.Is(err, loop.ErrUnknown) {
			t.Errorf("%s with a context that has ended gave %v, want its end and an unknown outcome", what, err)
		}
	}
	commit(t, c, one...)
	wantCommitted(t, r, 0, 1)
	shut(t, c)
}
