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
}

func (l *pollLoop) run(ctx context.Context) error {
	queue := make(chan loop.Record, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for r := range queue {
			_ = l.work(ctx, r)
		}
	}()
	for {
		records, err := l.client.Poll(ctx, 10)
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

func (l *pollLoop) work(ctx context.Context, r loop.Record) error {
	m := Message{}
	m.Event, m.Payload = string(r.Headers[0].Value), string(r.Value)
	return l.shop.handle(ctx, m)
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
