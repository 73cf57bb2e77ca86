package franz

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/twiceless/twiceless/loop"
)

// New makes a member of a group from the options of franz-go: at least kgo.SeedBrokers, kgo.ConsumerGroup and kgo.ConsumeTopics. Those that carry the
// contract of loop.Client are set last and cannot be overridden: no commits but the loop's, callbacks and rebalances within Poll and Close only.
//
// The member joins its group at once, and waits with what it is assigned for the first Poll. Errors are bad options; brokers that do not answer show in
// Poll.
func New(opts ...kgo.Opt) (loop.Client, error) {
	c := &client{calls: make(chan call), owned: map[loop.TopicPartition]bool{}}
	k, err := kgo.NewClient(append(slices.Clone(opts),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(func(_ context.Context, k *kgo.Client, m map[string][]int32) { c.assigned(k, m) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, m map[string][]int32) { c.revoked(m, false) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, m map[string][]int32) { c.revoked(m, true) }),
	)...)
	if err != nil {
		return nil, fmt.Errorf("franz: %w", err)
	}
	if k.OptValue(kgo.ConsumerGroup) == "" {
		k.Close()
		return nil, errors.New("franz: no consumer group: give kgo.ConsumerGroup")
	}
	c.kgo = k
	return c, nil
}

// A client hands the callbacks of kgo, which run on goroutines of its own, over to the goroutine in Poll or Close. BlockRebalanceOnPoll alone would keep
// them from running beside the loop's code, but not from running before the loop has begun. Handing over alone would let a poll return records of a
// partition whose revocation has just been told: kgo's gate makes "records taken" and "callback entered" exclude each other.
type client struct {
	kgo     *kgo.Client
	calls   chan call
	closed  atomic.Bool
	inside  atomic.Bool // a Poll or Close is running
	unread  error       // came with records that Poll returned, for the next Poll; guarded by inside
	closing bool        // Close was called; guarded by inside, as callbacks run there
	putOut  atomic.Bool // the group went on without this member, and kgo did not say so; see startOver

	mu         sync.Mutex
	onAssigned func(context.Context, []loop.TopicPartition)
	onRevoked  func(context.Context, []loop.TopicPartition, bool)
	owned      map[loop.TopicPartition]bool
	member     string // the id under which the group knows the client, or knew it last
}

// A call is a callback on its way to the goroutine that runs it.
type call struct {
	run  func(context.Context)
	done chan struct{}
}

func (c call) serve(ctx context.Context) {
	defer close(c.done) // also when the callback panics: kgo must not wait for ever
	c.run(ctx)
}

func (c *client) handOver(run func(context.Context)) {
	next := call{run, make(chan struct{})}
	c.calls <- next
	<-next.done
}

var errInside = errors.New("franz: Poll or Close called while one of them is running")

func (c *client) Poll(ctx context.Context, max int) ([]loop.Record, error) {
	if !c.inside.CompareAndSwap(false, true) {
		return nil, errInside
	}
	defer c.inside.Store(false)
	if c.closed.Load() {
		return nil, loop.ErrClosed
	}
	if err := c.unread; err != nil {
		c.unread = nil
		return nil, err
	}
	for {
		c.startOver(ctx)
		fetched := c.fetch(ctx, max)
		records, err := fromFetches(fetched), readError(ctx, fetched)
		switch {
		case c.putOut.Load(): // during this very poll: the records will be read again from the group's positions
		case len(records) > 0:
			c.unread = err
			return records, nil
		case err != nil:
			return nil, err
		}
	}
}

// fetch waits for kgo's next fetches and runs the callbacks that come meanwhile.
func (c *client) fetch(ctx context.Context, max int) kgo.Fetches {
	c.kgo.AllowRebalance() // what the last poll gave is done with
	fetched := make(chan kgo.Fetches, 1)
	go func() { fetched <- c.kgo.PollRecords(ctx, max) }()
	for {
		select {
		case f := <-fetched:
			return f
		case next := <-c.calls:
			next.serve(context.WithoutCancel(ctx))
		}
	}
}

// startOver gives up what the client holds of a membership that is over, and joins for it anew.
//
// kgo does so by itself when a heartbeat tells that the member is unknown. When a refused commit tells first, or the member was waiting for a rebalance, it
// joins again as a new member, claims what it had, and if it gets that reads on where it was, without a callback. What others have read and not
// committed meanwhile, and what this loop dropped on ErrFenced, would never be handled. Purged topics that are added again are read from the
// group's positions.
func (c *client) startOver(ctx context.Context) {
	if !c.putOut.Swap(false) {
		return
	}
	if gone := c.giveUp(context.WithoutCancel(ctx)); len(gone) > 0 {
		topics := slices.Collect(maps.Keys(toMap(gone)))
		c.kgo.PurgeTopicsFromConsuming(topics...)
		c.kgo.AddConsumeTopics(topics...)
	}
}

// giveUp tells the loop that all that it has is lost.
func (c *client) giveUp(ctx context.Context) []loop.TopicPartition {
	c.mu.Lock()
	gone := slices.SortedFunc(maps.Keys(c.owned), byTopicAndNumber)
	c.mu.Unlock()
	if len(gone) > 0 {
		c.tellRevoked(ctx, gone, true)
	}
	return gone
}

func (c *client) Close(ctx context.Context) error {
	if !c.inside.CompareAndSwap(false, true) {
		return errInside
	}
	defer c.inside.Store(false)
	if c.closed.Load() {
		return nil
	}
	defer c.closed.Store(true) // at the end: the callback may still commit
	c.closing = true
	if c.putOut.Load() {
		c.giveUp(ctx)
	}
	c.kgo.AllowRebalance()
	left := make(chan error, 1)
	go func() {
		err := c.kgo.LeaveGroupContext(ctx)
		c.kgo.Close()
		left <- err
	}()
	for {
		select {
		case err := <-left:
			c.giveUp(ctx) // what the broker took from a member of KIP-848 kgo does not tell when it leaves
			return leaveError(ctx, err)
		case next := <-c.calls:
			next.serve(ctx)
		}
	}
}

func (c *client) Pause(partitions ...loop.TopicPartition) {
	c.kgo.PauseFetchPartitions(toMap(partitions)) // what is not ours is resumed before it becomes so
}

func (c *client) Resume(partitions ...loop.TopicPartition) {
	c.kgo.ResumeFetchPartitions(toMap(partitions))
}

func (c *client) Assigned(f func(context.Context, []loop.TopicPartition)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onAssigned = f
}

func (c *client) Revoked(f func(context.Context, []loop.TopicPartition, bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onRevoked = f
}

func (c *client) assigned(k *kgo.Client, m map[string][]int32) {
	c.noteMember(k)
	partitions := fromMap(m)
	if len(partitions) == 0 { // kgo tells of every rebalance, also of one that brings nothing
		return
	}
	c.handOver(func(ctx context.Context) {
		if c.closing {
			return // nothing of them will be read
		}
		// After startOver kgo may tell twice; each time it reads from the group's positions, which is as if they had been away.
		if again := c.mine(partitions); len(again) > 0 {
			c.tellRevoked(ctx, again, true)
		}
		c.tellAssigned(ctx, partitions)
	})
}

func (c *client) tellAssigned(ctx context.Context, partitions []loop.TopicPartition) {
	c.kgo.ResumeFetchPartitions(toMap(partitions)) // kgo remembers a pause across assignments
	c.mu.Lock()
	for _, p := range partitions {
		c.owned[p] = true
	}
	f := c.onAssigned
	c.mu.Unlock()
	if f != nil {
		f(ctx, partitions)
	}
}

// noteMember sees that the client holds partitions that it was given under another name.
func (c *client) noteMember(k *kgo.Client) {
	id, _ := k.GroupMetadata()
	c.mu.Lock()
	defer c.mu.Unlock()
	if id != c.member && len(c.owned) > 0 {
		c.putOut.Store(true)
	}
	c.member = id
}

func (c *client) revoked(m map[string][]int32, lost bool) {
	partitions := fromMap(m)
	if len(partitions) == 0 {
		return
	}
	c.handOver(func(ctx context.Context) {
		if gone := c.mine(partitions); len(gone) > 0 { // kgo tells again of what was given up
			c.tellRevoked(ctx, gone, lost)
		}
	})
}

func (c *client) tellRevoked(ctx context.Context, partitions []loop.TopicPartition, lost bool) {
	if lost {
		c.disown(partitions)
	} else {
		defer c.disown(partitions)
	}
	c.mu.Lock()
	f := c.onRevoked
	c.mu.Unlock()
	if f != nil {
		f(ctx, partitions, lost)
	}
}

func (c *client) disown(partitions []loop.TopicPartition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range partitions {
		delete(c.owned, p)
	}
}

// mine are those of the partitions that the client owns.
func (c *client) mine(partitions []loop.TopicPartition) []loop.TopicPartition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(partitions), func(p loop.TopicPartition) bool { return !c.owned[p] })
}

func (c *client) owns(p loop.TopicPartition) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.owned[p]
}

func byTopicAndNumber(a, b loop.TopicPartition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}

func fromMap(m map[string][]int32) []loop.TopicPartition {
	var partitions []loop.TopicPartition
	for topic, numbers := range m {
		for _, p := range numbers {
			partitions = append(partitions, loop.TopicPartition{Topic: topic, Partition: p})
		}
	}
	slices.SortFunc(partitions, byTopicAndNumber)
	return partitions
}

func toMap(partitions []loop.TopicPartition) map[string][]int32 {
	m := map[string][]int32{}
	for _, p := range partitions {
		m[p.Topic] = append(m[p.Topic], p.Partition)
	}
	return m
}
