package twiceless

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/scenarios"
)

// hostedRun does one run of a handler over payments with a plan.
func hostedRun(t *testing.T, h *hosted, patience time.Duration, plan ...string) (*scenarios.Result, error) {
	t.Helper()
	return hostedRunFor(t, h, 10*time.Second, patience, plan...)
}

func hostedRunFor(t *testing.T, h *hosted, chaos, patience time.Duration, plan ...string) (*scenarios.Result, error) {
	t.Helper()
	return hostedRunIn(t, h, shortPayments(t, chaos), patience, plan...)
}

// shortPayments is payments with a phase of events that long.
func shortPayments(t *testing.T, chaos time.Duration) *scenarios.Scenario {
	t.Helper()
	sc, err := scenarios.Load("payments")
	require.NoError(t, err)
	sc.Phases.Chaos = int64(chaos)
	return sc
}

// goodRunIn is hostedRunIn of a run that ends by the rules.
func goodRunIn(t *testing.T, h *hosted, sc *scenarios.Scenario, plan ...string) *scenarios.Result {
	t.Helper()
	r, err := hostedRunIn(t, h, sc, time.Minute, plan...)
	require.NoError(t, err)
	why, failed := r.Failed()
	require.False(t, failed, why)
	return r
}

func hostedRunIn(t *testing.T, h *hosted, sc *scenarios.Scenario, patience time.Duration, plan ...string) (*scenarios.Result, error) {
	t.Helper()
	sc, err := sc.Bind(h.code("example.com/shop.TestShop"))
	require.NoError(t, err)
	c, err := scenarios.MeasuringCase(sc, "at-least-once", "none", 1, 1)
	require.NoError(t, err)
	c.Intent.Plan = plan
	return scenarios.Supervise(c, &scenarios.Memory{}, patience)
}

func handlerOf(t *testing.T, make func(*Env) Handler) *hosted {
	return &hosted{t: t, brought: &brought{payload: func(m Message) string { return m.Payload }}, handler: single(make)}
}

const killInFirstCharge = "when payments.charge/arrived{event=order-5} #1 kill $caller for 1s"

// What a handler does wrong ends its run with a reason that names the place.
func TestMisbehaviour(t *testing.T) {
	shopWith := func(env *Env, before func(m Message)) Handler {
		s := &shop{env.HTTP("payments"), env.HTTP("notifier")}
		return func(ctx context.Context, m Message) error {
			before(m)
			return s.handle(ctx, m)
		}
	}
	t.Run("panic", func(t *testing.T) {
		r, err := hostedRun(t, handlerOf(t, func(env *Env) Handler {
			return shopWith(env, func(m Message) {
				if m.Event == "order-3" {
					panic("no such order")
				}
			})
		}), time.Minute)
		require.NoError(t, err)
		why, failed := r.Failed()
		require.True(t, failed)
		require.Contains(t, why, "no such order at github.com/twiceless/twiceless/misbehave_test.go:")
	})
	t.Run("goexit", func(t *testing.T) {
		r, err := hostedRun(t, handlerOf(t, func(env *Env) Handler {
			return shopWith(env, func(m Message) {
				if m.Event == "order-3" {
					runtime.Goexit() // as t.FailNow and require do
				}
			})
		}), time.Minute)
		require.NoError(t, err)
		why, failed := r.Failed()
		require.True(t, failed)
		require.Contains(t, why, "ended its goroutine")
		require.Contains(t, why, "misbehave_test.go:")
	})
	t.Run("endless loop", func(t *testing.T) {
		var stop, stopped atomic.Bool
		_, err := hostedRun(t, handlerOf(t, func(env *Env) Handler {
			return shopWith(env, func(m Message) {
				if m.Event != "order-3" {
					return
				}
				for !stop.Load() {
					runtime.Gosched()
				}
				stopped.Store(true)
			})
		}), 300*time.Millisecond)
		crash, is := errors.AsType[*scenarios.Crash](err)
		require.True(t, is)
		require.Equal(t, "hang", crash.How)
		stop.Store(true) // so that it does not go on behind the other tests
		require.Eventually(t, stopped.Load, 10*time.Second, time.Millisecond)
	})
	t.Run("swallowed kill", func(t *testing.T) {
		r, err := hostedRun(t, handlerOf(t, func(env *Env) Handler {
			s := &shop{env.HTTP("payments"), env.HTTP("notifier")}
			return func(ctx context.Context, m Message) error {
				for { // a supervisor that begins again whatever becomes of the worker
					var wg sync.WaitGroup
					err := errors.New("the worker is gone")
					wg.Go(func() { err = s.handle(ctx, m) })
					wg.Wait()
					if err == nil {
						return nil
					}
				}
			}
		}), time.Minute, killInFirstCharge)
		require.NoError(t, err)
		why, failed := r.Failed()
		require.True(t, failed)
		require.Contains(t, why, "kill-swallowed")
	})
	t.Run("goroutines left behind", func(t *testing.T) {
		h := handlerOf(t, func(env *Env) Handler {
			jobs := make(chan Message)
			go func() { // a pool that nothing ends
				for range jobs {
				}
			}()
			return shopWith(env, func(m Message) { jobs <- m })
		})
		r, err := hostedRun(t, h, time.Minute, killInFirstCharge)
		require.NoError(t, err)
		_, failed := r.Failed()
		require.False(t, failed)
		require.Len(t, h.remarks, 1)
		require.Contains(t, h.remarks[0], "left behind")
		require.Contains(t, h.remarks[0], "misbehave_test.go:")
	})
	t.Run("deferred code meets a dead world", func(t *testing.T) {
		var after int
		r, err := hostedRun(t, handlerOf(t, func(env *Env) Handler {
			s := &shop{env.HTTP("payments"), env.HTTP("notifier")}
			return func(ctx context.Context, m Message) error {
				defer func() {
					_ = s.post(ctx, s.notifier, "http://notifier/v1/messages", m)
					if m.Event == "order-5" {
						after++
					}
				}()
				return s.post(ctx, s.payments, "http://payments/v1/charges", m)
			}
		}), time.Minute, killInFirstCharge)
		require.NoError(t, err)
		_, failed := r.Failed()
		require.False(t, failed)
		require.Equal(t, 1, after, "the dead process does not come past its call, its successor does")
	})
}

// Goroutines, mutexes and worker pools of a handler are its own business: as many runs as one likes are the same run.
func TestWorkersAreDeterministic(t *testing.T) {
	digests := map[uint64]int{}
	for _, procs := range []int{1, 2} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		runs := 100
		if testing.Short() {
			runs = 10
		}
		for range runs {
			r, err := hostedRunFor(t, handlerOf(t, func(env *Env) Handler {
				s := &shop{env.HTTP("payments"), env.HTTP("notifier")}
				var mu sync.Mutex
				seen := map[string]bool{}
				return func(ctx context.Context, m Message) error {
					var wg sync.WaitGroup
					errs := make([]error, 2)
					for i, send := range []struct {
						to  *http.Client
						url string
					}{{s.payments, "http://payments/charges"}, {s.notifier, "http://notifier/messages"}} {
						wg.Go(func() {
							errs[i] = s.post(ctx, send.to, send.url, m)
							mu.Lock()
							seen[m.Event] = true
							mu.Unlock()
						})
					}
					wg.Wait()
					time.Sleep(10 * time.Millisecond)
					return errors.Join(errs...)
				}
			}), 3*time.Second, time.Minute, killInFirstCharge)
			require.NoError(t, err)
			digests[r.Digest]++
		}
	}
	require.Len(t, digests, 1)
}
