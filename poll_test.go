package twiceless

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/loop"
	"github.com/twiceless/twiceless/sim/history"
)

// pollLoop charges what it polls and commits behind it; handOff commits at once and leaves the work to a worker.
type pollLoop struct {
	shop    *shop
	client  loop.Client
	handOff bool
	patient time.Duration // a worker tries again after so long; 0 = it gives up
	wait    time.Duration // of a poll; 0 = as long as it takes
}

func (l *pollLoop) run(ctx context.Context) error {
	queue := make(chan loop.Record, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for r := range queue {
			for l.work(ctx, r) != nil && l.patient > 0 && ctx.Err() == nil {
				time.Sleep(l.patient)
			}
		}
	}()
	for {
		records, err := l.poll(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			continue
		}
		if errors.Is(err, loop.ErrClosed) {
			close(queue)
			<-done
			return l.client.Close(ctx)
		}
		if err != nil {
			return err
		}
		for _, r := range records {
			if l.handOff {
				queue <- r
			} else if err := l.work(ctx, r); err != nil {
				return err
			}
		}
		if err := l.client.Commit(ctx, records...); err != nil && !errors.Is(err, loop.ErrFenced) && !errors.Is(err, loop.ErrUnknown) {
			return err
		}
	}
}

func (l *pollLoop) poll(ctx context.Context) ([]loop.Record, error) {
	if l.wait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.wait)
		defer cancel()
	}
	return l.client.Poll(ctx, 10)
}

func (l *pollLoop) work(ctx context.Context, r loop.Record) error {
	m := Message{}
	m.Event, m.Payload = string(r.Headers[0].Value), string(r.Value)
	return l.shop.handle(ctx, m)
}

// What a loop produces to a topic of the scenario goes to the partition of its key, and comes back as it was.
func TestLoopProduces(t *testing.T) {
	partitions, read := map[int32]bool{}, map[string]int{}
	h := hostedLoop(t, false)
	h.loop = func(env *Env) func(context.Context) error {
		return func(ctx context.Context) error {
			for {
				records, err := env.Client().Poll(ctx, 10)
				if err != nil {
					return env.Client().Close(ctx)
				}
				for _, r := range records {
					if echo := string(r.Headers[len(r.Headers)-1].Value); len(r.Headers) > 1 {
						read[echo+string(r.Value)]++
						partitions[r.Partition] = true
						continue
					}
					event := r.Headers[0]
					again := loop.Record{Topic: r.Topic, Key: event.Value, Value: []byte("!"), Headers: []loop.Header{event, {Key: "echo", Value: event.Value}}}
					if err := env.Client().Produce(ctx, again); err != nil {
						return err
					}
				}
				if err := env.Client().Commit(ctx, records...); err != nil {
					return err
				}
			}
		}
	}
	_, err := hostedRun(t, h, time.Minute)
	require.NoError(t, err)
	require.Equal(t, 1, read["order-7!"])
	require.Greater(t, len(partitions), 1)
}

// A worker that pauses between two tries is seen by nobody: nothing is in the log, the loop polls. The run waits for it.
func TestRunsWaitForWorkers(t *testing.T) {
	h := hostedLoop(t, true)
	h.loop = func(env *Env) func(context.Context) error {
		l := &pollLoop{shop: &shop{env.HTTP("payments"), env.HTTP("notifier")}, client: env.Client(), handOff: true, patient: 20 * time.Second}
		return l.run
	}
	r, err := hostedRun(t, h, time.Minute, "at 17s refuse payments for 10s")
	require.NoError(t, err)
	require.Equal(t, "quiescent", r.Stop.String())
	require.Positive(t, r.Row.FaultsHit)
	require.Zero(t, r.Row.Losses())
}

// Nor is a goroutine seen that a handler leaves the work to.
func TestRunsWaitForGoroutines(t *testing.T) {
	r, err := hostedRun(t, handlerOf(t, func(env *Env) Handler {
		s := &shop{env.HTTP("payments"), env.HTTP("notifier")}
		return func(ctx context.Context, m Message) error {
			go func() {
				for s.handle(ctx, m) != nil && env.Context().Err() == nil {
					time.Sleep(20 * time.Second)
				}
			}()
			return nil
		}
	}), time.Minute, "at 17s refuse payments for 10s")
	require.NoError(t, err)
	require.Positive(t, r.Row.FaultsHit)
	require.Zero(t, r.Row.Losses())
}

// A day of polls that wait for seconds each passes like a day of one poll.
func TestLoopInAQuietDay(t *testing.T) {
	for _, wait := range []time.Duration{0, 5 * time.Second} {
		h := hostedLoop(t, false)
		h.loop = func(env *Env) func(context.Context) error {
			l := &pollLoop{shop: &shop{env.HTTP("payments"), env.HTTP("notifier")}, client: env.Client(), wait: wait}
			return l.run
		}
		r, err := hostedRun(t, h, time.Minute, "after drain 26h replay workers")
		require.NoError(t, err)
		require.Equal(t, "quiescent", r.Stop.String())
		require.Less(t, r.Row.Events, int64(60_000))
		require.Zero(t, r.Row.Losses())
		require.Positive(t, r.Row.Excess[history.Critical], "what is delivered again is charged again")
	}
}

// A commit ends with its context, also while it pauses between two tries, and nothing is left that sets the position back later.
func TestCommitsEndWithTheirContext(t *testing.T) {
	var took []time.Duration
	h := hostedLoop(t, false)
	h.loop = func(env *Env) func(context.Context) error {
		return func(ctx context.Context) error {
			for {
				records, err := env.Client().Poll(ctx, 10)
				if err != nil {
					return env.Client().Close(ctx)
				}
				for committed := false; !committed && ctx.Err() == nil; {
					short, cancel := context.WithTimeout(ctx, 1050*time.Millisecond)
					began := time.Now()
					err := env.Client().Commit(short, records...)
					cancel()
					if committed = err == nil || errors.Is(err, loop.ErrFenced); !committed {
						took = append(took, time.Since(began))
						require.ErrorIs(t, err, loop.ErrUnknown)
					}
				}
			}
		}
	}
	r, err := hostedRun(t, h, time.Minute, "when broker.commit/sent{event=order-7} #1 kill broker-1 for 5s")
	require.NoError(t, err)
	require.NotEmpty(t, took)
	for _, d := range took {
		require.LessOrEqual(t, d, 1050*time.Millisecond)
	}
	givenUp := 0
	for _, f := range r.History.Facts {
		if f.Kind == history.KindCommitFailed {
			givenUp++
			require.LessOrEqual(t, time.Duration(f.Time-r.History.At(f.Cause).Time), 1200*time.Millisecond)
		}
	}
	require.GreaterOrEqual(t, givenUp, len(took))
}

func hostedLoop(t *testing.T, handOff bool) *hosted {
	return &hosted{t: t, brought: &brought{payload: func(m Message) string { return m.Payload }}, loop: func(env *Env) func(context.Context) error {
		l := &pollLoop{shop: &shop{env.HTTP("payments"), env.HTTP("notifier")}, client: env.Client(), handOff: handOff}
		return l.run
	}}
}

// A loop that commits behind its work repeats what a kill cut off; one that hands over and commits at once loses it.
func TestPollLoop(t *testing.T) {
	for _, c := range []struct {
		name    string
		handOff bool
		plan    string
		check   func(t *testing.T, duplicates, losses int64)
	}{
		{"nothing happens", false, "", func(t *testing.T, d, l int64) { require.Zero(t, d+l) }},
		{"nothing happens to a hand-off", true, "", func(t *testing.T, d, l int64) { require.Zero(t, d+l) }},
		{"a kill after the effect", false, "when payments.charge/replied{event=order-7} #1 kill $caller for 1s", func(t *testing.T, d, l int64) {
			require.Positive(t, d)
			require.Zero(t, l)
		}},
		{"a kill behind the commit", true, "when payments.charge/sent{event=order-7} #1 kill $caller for 1s", func(t *testing.T, d, l int64) { require.Positive(t, l) }},
		{"one more member", false, "at 15s join consumer for 10s", func(t *testing.T, d, l int64) { require.Zero(t, l) }},
		{"a deploy", false, "at 15s deploy consumer grace 30s pause 10s", func(t *testing.T, d, l int64) { require.Zero(t, d+l) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var plan []string
			if c.plan != "" {
				plan = []string{c.plan}
			}
			h := hostedLoop(t, c.handOff)
			r, err := hostedRun(t, h, time.Minute, plan...)
			require.NoError(t, err)
			why, failed := r.Failed()
			require.False(t, failed, why)
			t.Log(r.Stop, r.Row.Buckets, h.remarks)
			require.Equal(t, "quiescent", r.Stop.String())
			c.check(t, r.Row.Excess[history.Critical], r.Row.Losses())
		})
	}
}
