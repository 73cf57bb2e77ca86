package looptest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/twiceless/twiceless/loop"
)

func rebalanceCases() []Case {
	return []Case{
		{"a client is told of its partitions before their records, inside poll", assignedCase},
		{"a second member takes a partition, and the first may commit it a last time", revokedCase},
		{"what was on its way goes with its partition", unreturnedCase},
		{"a pause ends with the partition", pauseEndsCase},
		{"a member that stayed away is fenced, told, and comes back", fencedCase},
		{"a member that stayed away and commits nothing is told too", awayCase},
		{"a fenced member that closes has nothing to commit", fencedCloseCase},
	}
}

// A diary is what the callbacks of one client were told. It has no lock: they run on the goroutine that polls.
type diary struct {
	polling  bool // or closing
	mine     []loop.TopicPartition
	assigned int
	revoked  int
	lost     int
	next     map[loop.TopicPartition]int64 // the offset that comes next; none = it has just come
}

type diaryKey struct{}

// watch keeps a diary of c, and checks what holds of every callback. Polls of a watched client go through poll.
func watch(t *testing.T, c loop.Client) *diary {
	t.Helper()
	d := &diary{next: map[loop.TopicPartition]int64{}}
	check := func(ctx context.Context, partitions []loop.TopicPartition, mine bool) {
		if !d.polling {
			t.Error("a callback ran outside Poll and Close")
		}
		if ctx.Value(diaryKey{}) != d {
			t.Error("the context of a callback has not the values of the one given to the call")
		}
		if len(partitions) == 0 || !slices.IsSortedFunc(partitions, byNumber) {
			t.Errorf("a callback was told of %v", partitions)
		}
		for _, p := range partitions {
			if slices.Contains(d.mine, p) != mine {
				t.Errorf("a callback was told of %v; held at that time: %v", partitions, d.mine)
			}
		}
	}
	c.Assigned(func(ctx context.Context, partitions []loop.TopicPartition) {
		check(ctx, partitions, false)
		d.mine = append(d.mine, partitions...)
		d.assigned += len(partitions)
		for _, p := range partitions {
			delete(d.next, p)
		}
	})
	c.Revoked(func(ctx context.Context, partitions []loop.TopicPartition, lost bool) {
		check(ctx, partitions, true)
		d.remove(partitions, lost)
	})
	return d
}

func byNumber(a, b loop.TopicPartition) int { return int(a.Partition - b.Partition) }

func (d *diary) remove(partitions []loop.TopicPartition, lost bool) {
	d.mine = slices.DeleteFunc(d.mine, func(p loop.TopicPartition) bool { return slices.Contains(partitions, p) })
	d.revoked += len(partitions)
	if lost {
		d.lost += len(partitions)
	}
}

// read checks that records are of partitions that the client has, each partition's without a gap since it came.
func (d *diary) read(t *testing.T, records []loop.Record) {
	t.Helper()
	for _, record := range records {
		p := record.TopicPartition()
		if next, going := d.next[p]; !slices.Contains(d.mine, p) || going && record.Offset != next {
			t.Fatalf("poll gave %v; holds %v, goes on at %v", places(records), d.mine, d.next)
		}
		d.next[p] = record.Offset + 1
	}
}

// during runs a call that callbacks may run in.
func (d *diary) during(ctx context.Context, call func(context.Context)) {
	d.polling = true
	defer func() { d.polling = false }()
	call(context.WithValue(ctx, diaryKey{}, d))
}

func (d *diary) poll(ctx context.Context, c loop.Client, max int) (records []loop.Record, err error) {
	d.during(ctx, func(ctx context.Context) { records, err = c.Poll(ctx, max) })
	return records, err
}

func (d *diary) close(t *testing.T, c loop.Client) {
	t.Helper()
	d.during(within(t, patience), func(ctx context.Context) {
		if err := c.Close(ctx); err != nil {
			t.Fatalf("close: %v", err)
		}
	})
}

// pollUntil polls c until done, for as long as patience lasts, and returns what came.
func (d *diary) pollUntil(t *testing.T, c loop.Client, limit time.Duration, what string, done func(got []loop.Record) bool) []loop.Record {
	t.Helper()
	ctx := within(t, limit)
	var all []loop.Record
	for !done(all) {
		short, cancel := context.WithTimeout(ctx, aWhile)
		records, err := d.poll(short, c, 0)
		cancel()
		if ctx.Err() != nil || err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("poll until %s: %v; holds %v, read %v", what, err, d.mine, places(all))
		}
		d.read(t, records)
		all = append(all, records...)
	}
	return all
}

// A member is a client that polls by itself, on a goroutine, and commits nothing.
type member struct {
	client loop.Client
	stop   context.CancelFunc
	ended  chan error
}

func join(t *testing.T, r Rig) *member {
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{r.NewClient(t, Group, Topic), cancel, make(chan error, 1)}
	t.Cleanup(cancel)
	go func() {
		for {
			if _, err := m.client.Poll(ctx, 0); err != nil {
				m.ended <- err
				return
			}
		}
	}()
	return m
}

func (m *member) leave(t *testing.T) {
	t.Helper()
	m.stop()
	wantError(t, "poll of the other member", <-m.ended, context.Canceled)
	shut(t, m.client)
}

func assignedCase(t *testing.T, r Rig) {
	seedBoth(t, r, 1)
	c := r.NewClient(t, Group, Topic)
	c.Assigned(func(context.Context, []loop.TopicPartition) { t.Error("a callback was called after it was replaced") })
	d := watch(t, c)
	for seen := 0; seen < 2; {
		records, err := d.poll(within(t, patience), c, 1)
		if err != nil {
			t.Fatalf("poll: %v", err)
		}
		for _, record := range records {
			if !slices.Contains(d.mine, record.TopicPartition()) {
				t.Fatalf("a record of partition %d came before its assignment; held: %v", record.Partition, d.mine)
			}
		}
		seen += len(records)
	}
	if d.assigned != Partitions || d.revoked != 0 {
		t.Fatalf("told of %d assigned and %d revoked partitions", d.assigned, d.revoked)
	}
	d.close(t, c)
	if d.revoked != Partitions || d.lost != 0 {
		t.Fatalf("close told of %d revoked partitions, %d lost", d.revoked, d.lost)
	}
}

func revokedCase(t *testing.T, r Rig) {
	seedBoth(t, r, 4)
	c := r.NewClient(t, Group, Topic)
	d := watch(t, c)
	all := d.pollUntil(t, c, patience, "all is read", func(got []loop.Record) bool { return len(got) == 8 })

	// The first client commits half of whatever it has to give up, inside the callback. It may have to give up both before it is given one again.
	c.Revoked(func(ctx context.Context, partitions []loop.TopicPartition, lost bool) {
		if _, ends := ctx.Deadline(); lost || ends {
			t.Errorf("a planned revocation was told as lost (%v) or with the deadline of its poll (%v)", lost, ends)
		}
		for _, p := range partitions {
			if err := c.Commit(ctx, of(p.Partition, all)[:2]...); err != nil {
				t.Errorf("commit of %v while it is revoked: %v", p, err)
			}
		}
		d.remove(partitions, lost)
	})
	other := r.NewClient(t, Group, Topic)
	otherDiary := watch(t, other)
	theirs, ended := make(chan []loop.Record, 1), make(chan error, 1)
	go func() {
		records, err := otherDiary.poll(within(t, patience), other, 1)
		theirs <- records
		ended <- err
	}()
	d.pollUntil(t, c, patience, "one partition is left", func([]loop.Record) bool { return len(d.mine) == 1 && d.revoked > 0 && len(theirs) == 1 })
	taken := <-theirs
	if err := <-ended; err != nil {
		t.Fatalf("poll of the second member: %v", err)
	}
	wantOffsets(t, "the second member goes on behind the last commit", taken, 2)

	gone, kept := taken[0].Partition, 1-taken[0].Partition
	if slices.Contains(d.mine, at(gone)) {
		t.Fatalf("both members hold partition %d", gone)
	}
	wantError(t, "commit of a revoked partition", c.Commit(within(t, patience), of(gone, all)...), loop.ErrFenced)
	wantError(t, "commit with a revoked partition in it", c.Commit(within(t, patience), all...), loop.ErrFenced)
	wantCommitted(t, r, gone, 2)
	commit(t, c, of(kept, all)...)
	wantCommitted(t, r, kept, 4)
	otherDiary.close(t, other)
	d = watch(t, c)
	d.mine = []loop.TopicPartition{at(kept)}
	d.pollUntil(t, c, patience, "it has all partitions again", func([]loop.Record) bool { return len(d.mine) == Partitions })
	d.close(t, c)
}

// Records come while the loop is away, and before it polls again another member has come too.
func unreturnedCase(t *testing.T, r Rig) {
	c := r.NewClient(t, Group, Topic)
	d := watch(t, c)
	d.pollUntil(t, c, patience, "it has all partitions", func([]loop.Record) bool { return len(d.mine) == Partitions })
	pollEnds, cancel := context.WithTimeout(context.Background(), aWhile)
	defer cancel()
	if records, err := d.poll(pollEnds, c, 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("poll gave %v and %v, want nothing until the deadline", places(records), err)
	}
	seedBoth(t, r, 1)
	other := join(t, r)
	<-within(t, promptly).Done()
	got := d.pollUntil(t, c, patience, "one partition is left", func([]loop.Record) bool { return len(d.mine) == 1 && d.revoked > 0 })
	kept := d.mine[0].Partition
	r.Seed(t, Topic, kept, numbered(1, 1)...)
	d.pollUntil(t, c, patience, "its records have come", func(more []loop.Record) bool {
		return slices.Contains(offsets(of(kept, append(got, more...))), 1)
	})
	other.leave(t)
	d.close(t, c)
}

func pauseEndsCase(t *testing.T, r Rig) {
	c := r.NewClient(t, Group, Topic)
	d := watch(t, c)
	d.pollUntil(t, c, patience, "it has all partitions", func([]loop.Record) bool { return len(d.mine) == Partitions })
	c.Pause(at(0), at(1))
	other := join(t, r)
	d.pollUntil(t, c, patience, "one partition is left", func([]loop.Record) bool { return len(d.mine) == 1 && d.revoked > 0 })
	neverGone := d.revoked == 1
	kept := d.mine[0].Partition
	other.leave(t)
	d.pollUntil(t, c, patience, "it has all partitions again", func([]loop.Record) bool { return len(d.mine) == Partitions })

	seedBoth(t, r, 1)
	got := d.pollUntil(t, c, patience, "the partition that was away gives its record", func(got []loop.Record) bool { return len(of(1-kept, got)) == 1 })
	if paused := of(kept, got); neverGone && d.revoked == 1 && len(paused) > 0 {
		t.Fatalf("partition %d never went away and is paused, but gave %v", kept, places(paused))
	}
	d.close(t, c)
}

// supplant reads all n records of each partition by a client that then stays away, and again by a second one that gets the partitions for it. The second
// one commits the first record of partition 0.
func supplant(t *testing.T, r Rig, n int) (zombie loop.Client, d *diary, old []loop.Record, successor func()) {
	t.Helper()
	seedBoth(t, r, n)
	zombie = r.NewClient(t, Group, Topic)
	d = watch(t, zombie)
	all := func(got []loop.Record) bool { return len(got) == n*Partitions }
	old = d.pollUntil(t, zombie, patience, "all is read", all)

	second := r.NewClient(t, Group, Topic)
	s := watch(t, second)
	again := s.pollUntil(t, second, patience, "the successor has read all again", all)
	commit(t, second, of(0, again)[0])
	return zombie, d, old, func() { s.close(t, second) }
}

func fencedCase(t *testing.T, r Rig) {
	zombie, d, old, leave := supplant(t, r, 2)
	wantError(t, "commit of a member that stayed away", zombie.Commit(within(t, patience), old...), loop.ErrFenced)
	wantCommitted(t, r, 0, 1)
	wantCommitted(t, r, 1, -1)
	leave()
	r.Seed(t, Topic, 0, numbered(2, 1)...) // the next where it was
	d.comesBack(t, zombie)
	if d.lost < Partitions {
		t.Fatalf("%d partitions were told of as lost after a refused commit, want all %d", d.lost, Partitions)
	}
	d.close(t, zombie)
}

// Whether the partitions are lost need not be known to a client that has asked for nothing.
func awayCase(t *testing.T, r Rig) {
	zombie, d, _, leave := supplant(t, r, 2)
	leave()
	d.comesBack(t, zombie)
	d.close(t, zombie)
}

func fencedCloseCase(t *testing.T, r Rig) {
	zombie, d, old, leave := supplant(t, r, 1)
	wantError(t, "commit of a member that stayed away", zombie.Commit(within(t, patience), old...), loop.ErrFenced)
	d.close(t, zombie)
	if d.lost != Partitions || d.revoked != Partitions {
		t.Fatalf("close told of %d revoked partitions, %d of them lost, want all %d", d.revoked, d.lost, Partitions)
	}
	wantCommitted(t, r, 1, -1)
	leave()
}

// comesBack polls a member that was put out while it held all partitions. They come back to it, as nobody else is left: without the callback, or if it
// read on where it was, what it dropped and nobody committed would be lost.
func (d *diary) comesBack(t *testing.T, zombie loop.Client) {
	t.Helper()
	back := d.pollUntil(t, zombie, patience, "it has read again what nobody committed", func(got []loop.Record) bool {
		if len(of(0, got)) > 0 && d.revoked == 0 {
			t.Fatalf("%v came before the callback", places(got))
		}
		return slices.Contains(offsets(of(0, got)), 1) && slices.Contains(offsets(of(1, got)), 0) && slices.Contains(offsets(of(1, got)), 1)
	})
	if slices.Contains(offsets(of(0, back)), 0) {
		t.Fatalf("a record that its successor has committed came again: %v", places(back))
	}
}
