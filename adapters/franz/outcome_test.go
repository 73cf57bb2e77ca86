package franz_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/twiceless/twiceless/adapters/franz"
	"github.com/twiceless/twiceless/loop"
	"github.com/twiceless/twiceless/loop/looptest"
)

var sentinels = []error{loop.ErrFenced, loop.ErrUnknown, loop.ErrClosed}

// wantOutcome checks which sentinel an error is; nil stands for a plain refusal.
func wantOutcome(t *testing.T, err, want, cause error) {
	t.Helper()
	if !errors.Is(err, cause) {
		t.Errorf("got %v, want the cause %v in it", err, cause)
	}
	for _, s := range sentinels {
		if errors.Is(err, s) != errors.Is(want, s) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func one(t *testing.T, b *broker) (loop.Client, []loop.Record) {
	t.Helper()
	b.Seed(t, looptest.Topic, 0, loop.Record{Value: []byte("a")})
	c := b.NewClient(t, looptest.Group, looptest.Topic)
	records, err := c.Poll(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return c, records
}

func TestOutcomesOfCommit(t *testing.T) {
	for _, c := range []struct {
		answer *kerr.Error
		want   error
	}{
		{kerr.IllegalGeneration, loop.ErrFenced},
		{kerr.UnknownMemberID, loop.ErrFenced},
		{kerr.FencedInstanceID, loop.ErrFenced},
		{kerr.TopicAuthorizationFailed, nil},
		{kerr.RebalanceInProgress, nil},
		{kerr.UnknownServerError, loop.ErrUnknown},
		{kerr.RequestTimedOut, loop.ErrUnknown},
	} {
		t.Run(c.answer.Message, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBroker(t)
				client, records := one(t, b)
				fault := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: c.answer, Count: -1})
				wantOutcome(t, client.Commit(t.Context(), records...), c.want, c.answer)
				fault.Remove()
			})
		})
	}
}

func TestOutcomesOfProduce(t *testing.T) {
	for _, c := range []struct {
		answer *kerr.Error
		want   error
	}{
		{kerr.PolicyViolation, nil},
		{kerr.MessageTooLarge, nil},
		{kerr.TopicAuthorizationFailed, nil},
		{kerr.UnknownServerError, loop.ErrUnknown},
	} {
		t.Run(c.answer.Message, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBroker(t)
				client, _ := one(t, b)
				fault := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: c.answer, Count: -1})
				wantOutcome(t, client.Produce(t.Context(), loop.Record{Topic: looptest.Topic}), c.want, c.answer)
				fault.Remove()
			})
		})
	}
}

// A record whose answer did not come in time is written all the same: that is what an unknown outcome means.
func TestProduceEndsBeforeItsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		client, _ := one(t, b)
		b.cluster.ControlKey(kmsg.Produce.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
			b.cluster.SleepControl(func() { time.Sleep(5 * time.Second) })
			return nil, nil, false
		})
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := client.Produce(ctx, loop.Record{Topic: looptest.Topic, Value: []byte("late")})
		wantOutcome(t, err, loop.ErrUnknown, context.DeadlineExceeded)
		if took := time.Since(start); took != time.Second {
			t.Errorf("produce came back after %v, want when its context ended", took)
		}
		records, err := client.Poll(t.Context(), 1)
		if err != nil || string(records[0].Value) != "late" {
			t.Errorf("read %v, %v", records, err)
		}
	})
}

// kgo's own retry after a lost answer makes no second record.
func TestProduceIsRetriedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		client, _ := one(t, b)
		b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend})
		if err := client.Produce(t.Context(), loop.Record{Topic: looptest.Topic}); err != nil {
			t.Fatal(err)
		}
		if records, err := client.Poll(t.Context(), 0); err != nil || len(records) != 1 {
			t.Fatalf("read %v, %v; want one record", records, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if records, err := client.Poll(ctx, 0); len(records) > 0 {
			t.Errorf("read %v, %v a second time", records, err)
		}
	})
}

func TestPollTellsOfReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		client, _ := one(t, b)
		fault := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.TopicAuthorizationFailed, Count: -1})
		b.Seed(t, looptest.Topic, 0, loop.Record{Value: []byte("b")})
		_, err := client.Poll(t.Context(), 1)
		wantOutcome(t, err, nil, kerr.TopicAuthorizationFailed)
		fault.Remove()
		for {
			records, err := client.Poll(t.Context(), 1)
			if err == nil && records[0].Offset == 1 {
				return
			}
			wantOutcome(t, err, nil, kerr.TopicAuthorizationFailed) // what came before the fault was removed
		}
	})
}

func TestPollFromACallbackIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		client := b.NewClient(t, looptest.Group, looptest.Topic)
		calls := 0
		client.Assigned(func(ctx context.Context, _ []loop.TopicPartition) {
			calls++
			if _, err := client.Poll(ctx, 1); err == nil {
				t.Error("a poll inside a poll gave no error")
			}
			if err := client.Close(ctx); err == nil {
				t.Error("a close inside a poll gave no error")
			}
		})
		b.Seed(t, looptest.Topic, 0, loop.Record{})
		if _, err := client.Poll(t.Context(), 1); err != nil || calls != 1 {
			t.Fatalf("poll: %v, after %d callbacks", err, calls)
		}
	})
}

func TestBadOptions(t *testing.T) {
	for name, opts := range map[string][]kgo.Opt{
		"no group":         {kgo.ConsumeTopics("orders")},
		"what kgo refuses": {kgo.ConsumerGroup("workers"), kgo.ConsumeTopics("orders"), kgo.SeedBrokers()},
	} {
		t.Run(name, func(t *testing.T) {
			if c, err := franz.New(opts...); err == nil {
				_ = c.Close(t.Context())
				t.Error("no error")
			}
		})
	}
}
