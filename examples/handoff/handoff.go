// Package handoff is a poll loop that hands its records to workers, one for each partition, so that a slow call for one
// order holds up no more than its own partition.
//
// A hand-off has two ways to lose records: to commit what is only in a queue, and to let go of a partition while a worker is
// still at it. Loop does neither; Early does both. handoff_test.go shows what the simulator says of them.
//
// The loop knows loop.Client only. In production that is a client of franz-go, as ExampleNew_handoff in adapters/franz opens it:
//
//	client, err := franz.New(kgo.SeedBrokers("kafka-1:9092"), kgo.ConsumerGroup("billing"), kgo.ConsumeTopics("orders"))
package handoff

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/twiceless/twiceless/loop"
)

// Loop charges orders: those of one partition one after the other, those of different partitions side by side.
type Loop struct {
	Client  loop.Client
	Charges *Charges
	Log     *slog.Logger

	workers map[loop.TopicPartition]*worker // of the partitions that are ours; it belongs to the goroutine that polls
}

// Run polls until ctx ends or the client is closed, and leaves the group in good order.
func (l *Loop) Run(ctx context.Context) error {
	l.workers = map[loop.TopicPartition]*worker{}
	l.Client.Assigned(func(_ context.Context, partitions []loop.TopicPartition) {
		for _, p := range partitions {
			l.workers[p] = l.start(ctx)
		}
	})
	l.Client.Revoked(func(_ context.Context, partitions []loop.TopicPartition, _ bool) { l.stop(partitions) })
	for {
		records, err := l.Client.Poll(ctx, 100)
		if errors.Is(err, loop.ErrClosed) || ctx.Err() != nil {
			return leave(l.Client) // Revoked is called in it
		}
		if err != nil {
			l.Log.Warn("poll", "error", err)
			continue
		}
		l.handOver(records)
	}
}

// handOver gives each partition's records to its worker. The partition is paused until they are done, so no queue grows, and
// the loop goes on polling, so the group does not take it for dead. Paused first: a fast worker would resume before.
func (l *Loop) handOver(records []loop.Record) {
	for len(records) > 0 {
		partition, n := records[0].TopicPartition(), 1
		for n < len(records) && records[n].TopicPartition() == partition {
			n++
		}
		l.Client.Pause(partition)
		l.workers[partition].queue <- records[:n]
		records = records[n:]
	}
}

// stop has the workers of partitions finish the order that they are at, and commit, while the partitions are still ours. All
// of them are told before one is waited for.
func (l *Loop) stop(partitions []loop.TopicPartition) {
	for _, p := range partitions {
		l.workers[p].quit()
		close(l.workers[p].queue)
	}
	for _, p := range partitions {
		<-l.workers[p].done
		delete(l.workers, p)
	}
}

// worker does the records of one partition for as long as it is ours.
type worker struct {
	queue chan []loop.Record
	quit  context.CancelFunc // begin nothing new
	done  chan struct{}
}

func (l *Loop) start(ctx context.Context) *worker {
	ctx, quit := context.WithCancel(ctx)
	w := &worker{queue: make(chan []loop.Record, 1), quit: quit, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for records := range w.queue {
			l.work(ctx, records)
		}
	}()
	return w
}

// work charges records and commits those that are charged. What is left when ctx ends is not committed, so it comes again.
func (l *Loop) work(ctx context.Context, records []loop.Record) {
	done := 0
	for done < len(records) && l.charge(ctx, records[done]) {
		done++
	}
	if err := commit(ctx, l.Client, records[:done]); err != nil {
		l.Log.Warn("commit", "error", err) // the next commit covers it, or the next owner does them again
	}
	l.Client.Resume(records[0].TopicPartition())
}

// charge tries until it succeeds; false says that ctx has ended before. A try that has begun is brought to its end.
func (l *Loop) charge(ctx context.Context, record loop.Record) bool {
	for ctx.Err() == nil {
		err := l.Charges.Charge(context.WithoutCancel(ctx), record)
		if err == nil {
			return true
		}
		l.Log.Warn("charge", "error", err)
		pause(ctx, retryAfter)
	}
	return false
}

// retryAfter is the time between two tries of a charge.
const retryAfter = time.Second

// pause waits; false says that ctx has ended before.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// commit is given time of its own: the end of ctx means that the loop is to leave, with its positions.
func commit(ctx context.Context, client loop.Client, records []loop.Record) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return client.Commit(ctx, records...)
}

func leave(client loop.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return client.Close(ctx)
}
