package looptest

import (
	"context"
	"testing"

	"github.com/twiceless/twiceless/loop"
)

func endingCases() []Case {
	return []Case{
		{"close revokes, allows a last commit, and leaves the group at once", closeCase},
		{"a closed client answers that it is closed", closedCase},
		{"a client that never polled can be closed", unusedCase},
	}
}

func closeCase(t *testing.T, r Rig) {
	seedBoth(t, r, 3)
	c := r.NewClient(t, Group, Topic)
	d := watch(t, c)
	all := d.pollUntil(t, c, patience, "all is read", func(got []loop.Record) bool { return len(got) == 6 })
	c.Revoked(func(ctx context.Context, partitions []loop.TopicPartition, lost bool) {
		if _, ends := ctx.Deadline(); !ends {
			t.Error("a callback in Close does not end with the context of Close")
		}
		if err := c.Commit(ctx, all...); err != nil {
			t.Errorf("commit in Close: %v", err)
		}
		d.remove(partitions, lost)
	})
	d.close(t, c)
	if d.revoked != Partitions || d.lost != 0 {
		t.Fatalf("close told of %d revoked partitions, %d lost", d.revoked, d.lost)
	}
	wantCommitted(t, r, 0, 3)
	wantCommitted(t, r, 1, 3)

	next := r.NewClient(t, Group, Topic)
	n := watch(t, next)
	n.pollUntil(t, next, promptly, "the next client has what was left", func([]loop.Record) bool { return len(n.mine) == Partitions })
	n.close(t, next)
}

func closedCase(t *testing.T, r Rig) {
	r.Seed(t, Topic, 0, numbered(0, 1)...)
	c := r.NewClient(t, Group, Topic)
	one := pollN(t, c, 1)
	shut(t, c)

	_, err := c.Poll(within(t, patience), 1)
	wantError(t, "poll", err, loop.ErrClosed)
	wantError(t, "commit", c.Commit(within(t, patience), one...), loop.ErrClosed)
	wantError(t, "produce", c.Produce(within(t, patience), loop.Record{Topic: Topic, Offset: -1}), loop.ErrClosed)
	c.Pause(at(0))
	c.Resume(at(0))
	shut(t, c)
	wantCommitted(t, r, 0, -1)
}

func unusedCase(t *testing.T, r Rig) {
	shut(t, r.NewClient(t, Group, Topic))
	r.Seed(t, Topic, 0, numbered(0, 1)...)
	next := r.NewClient(t, Group, Topic)
	wantOffsets(t, "the next client", pollN(t, next, 1), 0)
	shut(t, next)
}
