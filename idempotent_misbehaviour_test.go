package twiceless_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twiceless/twiceless"
)

// Code that does not behave ends the check with a sentence that says what it did and where, and never the test binary.

func TestPanicIsNamed(t *testing.T) {
	text := fails(t, shopSystem(func(c *consumer, ctx context.Context, order string) error {
		if known, _ := c.known(ctx, order); known {
			return errors.New(c.shop.rows[1])
		}
		return c.insert(ctx, order)
	}), "order-1")
	says(t, text, "order-1: the handler panics: runtime error: index out of range [1] with length 1 (idempotent_misbehaviour_test.go:", "orders SELECT", "orders INSERT", "✗", "orders SELECT", "again  go test")
}

func TestGoexitIsNamed(t *testing.T) {
	inner := new(testing.T) // its FailNow marks nobody's test
	text := fails(t, shopSystem(func(*consumer, context.Context, string) error {
		inner.FailNow()
		return nil
	}), "order-1")
	says(t, text, "order-1: the handler ends its goroutine, as t.FailNow and runtime.Goexit do (idempotent_misbehaviour_test.go:", "undisturbed · again  go test")
}

func TestPanicsElsewhereAreNamed(t *testing.T) {
	sys := shopSystem(chargeThenInsert)
	sys.World = func() *shop { panic("no world") }
	says(t, fails(t, sys, "order-1"), "System.World panics: no world (idempotent_misbehaviour_test.go:")

	sys = shopSystem(chargeThenInsert)
	sys.State = func(*shop) any { runtime.Goexit(); return nil }
	says(t, fails(t, sys, "order-1"), "System.State ends its goroutine", "(idempotent_misbehaviour_test.go:")

	sys = shopSystem(chargeThenInsert)
	sys.Process = func(*shop, *twiceless.Cuts) func(context.Context, string) error { return nil }
	says(t, fails(t, sys, "order-1"), "a process panics: System.Process has returned no handler")
}

// An error that comes once more with every delivery is what a redelivered event ends as that meets its own row.
func TestErrorsWithoutEnd(t *testing.T) {
	text := fails(t, shopSystem(func(c *consumer, ctx context.Context, order string) error {
		if known, _ := c.known(ctx, order); known {
			return errors.New("duplicate key value violates unique constraint")
		}
		return c.insert(ctx, order)
	}), "order-1")
	says(t, text, "order-1: the handler returns an error 10 times in a row: duplicate key value", "lines more", "again  go test")

	text = fails(t, shopSystem(func(*consumer, context.Context, string) error { return errors.New("no") }), "order-1")
	says(t, text, "order-1: the handler returns an error though it is delivered once and undisturbed: no")
}

// What passes by itself within the pauses between deliveries is no failure: here a claim that a dead process left.
func TestErrorsThatPass(t *testing.T) {
	until := time.Time{}
	sys := shopSystem(func(c *consumer, ctx context.Context, order string) error {
		err := c.in.Call(ctx, "claim", func() error {
			if time.Now().Before(until) {
				return errors.New("claimed")
			}
			until = time.Now().Add(10 * time.Second)
			return nil
		})
		if err != nil {
			return err
		}
		if err := c.insert(ctx, order); err != nil {
			return err
		}
		return c.in.Call(ctx, "release", func() error { until = time.Time{}; return nil })
	})
	sys.World = func() *shop { until = time.Time{}; return newUniqueShop() }
	sys.Schedules = 400
	passes(t, sys, "order-1")
}

// The loop ends when the test does, or it would keep a processor.
func TestEndlessLoopIsFound(t *testing.T) {
	var stop atomic.Bool
	defer stop.Store(true)
	sys := shopSystem(func(c *consumer, ctx context.Context, order string) error {
		if known, _ := c.known(ctx, order); known {
			for !stop.Load() {
			}
		}
		return c.insert(ctx, order)
	})
	sys.Patience = 200 * time.Millisecond
	says(t, fails(t, sys, "order-1"), "no end after 200ms (1 at idempotent_misbehaviour_test.go:", ": an endless loop, or", "again  go test")
}

func TestMutexAcrossACallIsFound(t *testing.T) {
	sys := shopSystem(func(c *consumer, ctx context.Context, order string) error {
		var mu sync.Mutex
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				mu.Lock()
				defer mu.Unlock()
				_ = c.insert(ctx, order)
			})
		}
		both.Wait()
		return nil
	})
	sys.Patience = 200 * time.Millisecond
	says(t, fails(t, sys, "order-1"), "no end after 200ms (", " at idempotent_misbehaviour_test.go:", "a mutex that is held across a call")
}

func TestGoroutinesLeftBehindAreFound(t *testing.T) {
	text := fails(t, shopSystem(func(c *consumer, ctx context.Context, order string) error {
		go func() { <-make(chan int) }()
		return c.insert(ctx, order)
	}), "order-1")
	says(t, text, "goroutines are left behind when a process has ended (1 at idempotent_misbehaviour_test.go:", "should end with its context")
}

// A kill can leave a goroutine waiting for one that was killed, which is no fault of the code.
func TestGoroutinesThatAKillLeavesAreFine(t *testing.T) {
	sys := shopSystem(func(c *consumer, ctx context.Context, order string) error {
		done := make(chan error)
		go func() { done <- c.insert(ctx, order) }()
		return <-done
	})
	sys.World = newUniqueShop
	says(t, passes(t, sys, "order-1"), "all ")
}

func TestWaitingForNothingIsFound(t *testing.T) {
	text := fails(t, shopSystem(func(c *consumer, ctx context.Context, order string) error {
		if known, _ := c.known(ctx, order); known {
			select {}
		}
		return c.insert(ctx, order)
	}), "order-1")
	says(t, text, "order-1: the handler waits for something that never comes (1 at idempotent_misbehaviour_test.go:")
}

func TestCallsWithoutEndAreFound(t *testing.T) {
	text := fails(t, shopSystem(func(c *consumer, ctx context.Context, order string) error {
		for {
			_, _ = c.known(ctx, order)
		}
	}), "order-1")
	says(t, text, "order-1: the handler does not end: more than 10 000 calls in one schedule")
}

// A goroutine for each attempt hides from its starter that it was killed.
func TestSwallowedKillIsFound(t *testing.T) {
	text := fails(t, shopSystem(func(c *consumer, ctx context.Context, order string) error {
		for attempts := 0; ; attempts++ {
			ok := false
			var attempt sync.WaitGroup
			attempt.Go(func() { ok = c.insert(context.Background(), order) == nil })
			attempt.Wait()
			if ok {
				return nil
			}
		}
	}), "order-1")
	says(t, text, "a process goes on after its death, call by call (", " at idempotent_misbehaviour_test.go:", "orders INSERT")
}

func TestStatesThatNeverAgree(t *testing.T) {
	runs := 0
	sys := shopSystem(chargeThenInsert)
	sys.State = func(*shop) any { runs++; return map[string]any{"id": runs, "same": []int{1}} }
	says(t, fails(t, sys, "order-1"), "two undisturbed runs leave different end states", "first:  {id: 1, same: [1]}", "second:  {id: 2, same: [1]}")
}

// Of a large state only what differs is shown.
func TestLargeStatesAreShownWhereTheyDiffer(t *testing.T) {
	sys := shopSystem(chargeThenInsert)
	sys.State = func(s *shop) any {
		return map[string]any{"filler": strings.Repeat("long ", 40), "payments": []shopState{{Rows: 7}, {Charged: s.charged}}}
	}
	text := fails(t, sys, "order-1")
	says(t, text, "end state\n", "payments[1].Charged   once: 1   here: 2\n")
	if strings.Contains(text, "long") || strings.Contains(text, "Rows") {
		t.Errorf("shows what is the same:\n%s", text)
	}
}

func TestEveryProblemOfTheInputIsListed(t *testing.T) {
	text, _ := twiceless.Verdict(t, twiceless.System[int, int]{Deliveries: -1, Schedules: -2, Patience: -3})
	says(t, text, "System.World", "System.Process", "System.State", "no events", "Deliveries is -1", "Schedules is -2", "Patience is -3ns")
}

// Deadlines and pauses of the code run in virtual time.
func TestSleepCostsNothing(t *testing.T) {
	sys := shopSystem(func(c *consumer, ctx context.Context, order string) error {
		time.Sleep(time.Hour / 2)
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		return c.insert(ctx, order)
	})
	sys.World = newUniqueShop
	start := time.Now()
	passes(t, sys, "order-1")
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

const childVariable = "TWICELESS_CHILD"

// TestChild is run by TestARealTestFails in a process of its own.
func TestChild(t *testing.T) {
	switch os.Getenv(childVariable) {
	case "bug":
		twiceless.CheckIdempotent(t, shopSystem(chargeThenInsert), "order-1")
	case "failnow":
		twiceless.CheckIdempotent(t, shopSystem(func(*consumer, context.Context, string) error { t.FailNow(); return nil }), "order-1")
	case "good":
		twiceless.CheckIdempotent(t, shopSystem(func(*consumer, context.Context, string) error { return nil }), "order-1")
	default:
		t.Skip("for TestARealTestFails")
	}
}

func TestARealTestFails(t *testing.T) {
	for _, c := range []struct {
		mode string
		says []string
		ok   bool
	}{
		{"bug", []string{"idempotent_misbehaviour_test.go:", "order-1 delivered twice", "-run '^TestChild$' -count=1", "--- FAIL: TestChild"}, false},
		{"failnow", []string{"the handler ends its goroutine", "--- FAIL: TestChild"}, false},
		{"good", []string{"all ", "schedules leave the end state of once", "--- PASS: TestChild"}, true},
	} {
		child := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v", "-test.count=1")
		child.Env = append(os.Environ(), childVariable+"="+c.mode)
		out, err := child.CombinedOutput()
		if (err == nil) != c.ok {
			t.Errorf("%s: %v\n%s", c.mode, err, out)
		}
		says(t, string(out), c.says...)
	}
}
