package twiceless_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twiceless/twiceless"
)

// shop is a world: a payments service, which can be given a key to charge by only once, and a table of orders.
type shop struct {
	charged int
	keys    map[string]bool
	log     []string // the keys of all requests, in order
	rows    []string
	unique  bool
}

func newShop() *shop       { return &shop{keys: map[string]bool{}} }
func newUniqueShop() *shop { return &shop{keys: map[string]bool{}, unique: true} }

func (s *shop) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	key := req.Header.Get("Idempotency-Key")
	s.log = append(s.log, key)
	if key == "" || !s.keys[key] {
		s.charged++
		s.keys[key] = true
	}
	w.WriteHeader(http.StatusOK)
}

func (s *shop) has(order string) bool {
	return strings.Contains(strings.Join(s.rows, " "), order)
}

type shopState struct{ Charged, Rows int }

func (s *shop) state() any { return shopState{s.charged, len(s.rows)} }

// consumer is a process over the shop.
type consumer struct {
	shop     *shop
	in       *twiceless.Cuts
	payments *http.Client
}

func newConsumer(s *shop, in *twiceless.Cuts) *consumer {
	return &consumer{s, in, in.HTTP("payments", s)}
}

func (c *consumer) charge(ctx context.Context, key string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://payments/charges", strings.NewReader("40.00"))
	if err != nil {
		return err
	}
	req.Header.Set("Idempotency-Key", key)
	res, err := c.payments.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, res.Body)
	return res.Body.Close()
}

func (c *consumer) known(ctx context.Context, order string) (known bool, err error) {
	err = c.in.Call(ctx, "orders SELECT", func() error { known = c.shop.has(order); return nil })
	return known, err
}

func (c *consumer) insert(ctx context.Context, order string) error {
	return c.in.Call(ctx, "orders INSERT", func() error {
		if c.shop.unique && c.shop.has(order) {
			return nil
		}
		c.shop.rows = append(c.shop.rows, order)
		return nil
	})
}

func shopSystem(handle func(c *consumer, ctx context.Context, order string) error) twiceless.System[*shop, string] {
	return twiceless.System[*shop, string]{
		World: newShop,
		Process: func(s *shop, in *twiceless.Cuts) func(context.Context, string) error {
			c := newConsumer(s, in)
			return func(ctx context.Context, order string) error { return handle(c, ctx, order) }
		},
		State: (*shop).state,
	}
}

// fails returns what is said of a handler that must not pass.
func fails[W, E any](t *testing.T, sys twiceless.System[W, E], events ...E) string {
	t.Helper()
	text, ok := twiceless.Verdict(t, sys, events...)
	if ok {
		t.Fatalf("passes: %s", text)
	}
	if n := strings.Count(text, "\n") + 1; n > 25 {
		t.Errorf("%d lines are too many to read:\n%s", n, text)
	}
	return text
}

func passes[W, E any](t *testing.T, sys twiceless.System[W, E], events ...E) string {
	t.Helper()
	text, ok := twiceless.Verdict(t, sys, events...)
	if !ok {
		t.Fatal(text)
	}
	return text
}

// says checks that a text has all the parts, in this order.
func says(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, p := range parts {
		i := strings.Index(rest, p)
		if i < 0 {
			t.Fatalf("%q is missing, or not where it should be, in\n%s", p, text)
		}
		rest = rest[i+len(p):]
	}
}

func chargeThenInsert(c *consumer, ctx context.Context, order string) error {
	if err := c.charge(ctx, ""); err != nil {
		return err
	}
	return c.insert(ctx, order)
}

// What a failure looks like, to the letter but for the lines of this file.
func TestChargeBeforeInsertChargesTwice(t *testing.T) {
	text := fails(t, shopSystem(chargeThenInsert), "order-1")
	want := `order-1 delivered twice leaves another end state than delivered once
  idempotent_test.go:NN   payments POST /charges   → 200
                          ✗ the process dies here, before it sees the reply
  idempotent_test.go:NN   payments POST /charges   → 200   (second delivery, new process)
  idempotent_test.go:NN   orders INSERT            → ok
end state   once:  {Charged: 1, Rows: 1}
            here:  {Charged: 2, Rows: 1}
schedule 3 of at least 19 · again  go test github.com/twiceless/twiceless -run '^TestChargeBeforeInsertChargesTwice$' -count=1`
	if got := regexp.MustCompile(`\.go:\d+`).ReplaceAllString(text, ".go:NN"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The key alone leaves two rows, the unique row alone two charges; together they hold in every schedule.
func TestKeyAndUniqueRowHold(t *testing.T) {
	if testing.Short() {
		t.Skip("a long search")
	}
	keyed := func(c *consumer, ctx context.Context, order string) error {
		if err := c.charge(ctx, order); err != nil {
			return err
		}
		return c.insert(ctx, order)
	}
	says(t, fails(t, shopSystem(keyed), "order-1"), "here:  {Charged: 1, Rows: 2}")

	sys := shopSystem(keyed)
	sys.World = newUniqueShop
	text := passes(t, sys, "order-1", "order-2")
	says(t, text, "each event delivered up to twice, cut at every call: the first 1500 of at least", "(all with up to 3 departures)", "500 deeper ones drawn")

	sys = shopSystem(chargeThenInsert)
	sys.World = newUniqueShop
	says(t, fails(t, sys, "order-1"), "here:  {Charged: 2, Rows: 1}")
}

// A system small enough is searched through.
func TestSmallSystemsAreExhausted(t *testing.T) {
	sys := shopSystem(func(c *consumer, ctx context.Context, order string) error { return c.charge(ctx, order) })
	text := passes(t, sys, "order-1")
	says(t, text, "each event delivered up to 3 times, cut at every call: all ", " schedules leave the end state of once")
}

// To look and then to act stands every crash; it takes a successor that acts between the two.
func TestSelectThenInsertLosesToAZombie(t *testing.T) {
	text := fails(t, shopSystem(func(c *consumer, ctx context.Context, order string) error {
		known, err := c.known(ctx, order)
		if err != nil || known {
			return err
		}
		return c.insert(ctx, order)
	}), "order-1")
	says(t, text,
		"process 1", "orders SELECT", "loses its partition here and does not know",
		"process 2", "orders SELECT", "second delivery, new process", "orders INSERT",
		"process 1", "orders INSERT",
		"here:  {Charged: 0, Rows: 2}")
}

// Two events may be delivered again although the second one only was in flight: commits come in batches.
func TestASuffixIsDeliveredAgain(t *testing.T) {
	sys := shopSystem(func(c *consumer, ctx context.Context, order string) error {
		return c.in.Call(ctx, "append", func() error {
			if n := len(c.shop.rows); n == 0 || c.shop.rows[n-1] != order { // knows only the latest
				c.shop.rows = append(c.shop.rows, order)
			}
			return nil
		})
	})
	passes(t, sys, "order-1")
	says(t, fails(t, sys, "order-1", "order-2"),
		"order-1 delivered twice, order-2 delivered twice: another end state than with each event delivered once",
		"append", "(order-1)", "append", "(order-2)", "append", "(order-1, second delivery", "Rows: 4")
}

// A memory of the process is enough when a commit is lost, and gone when the process dies.
func TestMemoryOfAProcessDiesWithIt(t *testing.T) {
	sys := shopSystem(nil)
	sys.Process = func(s *shop, in *twiceless.Cuts) func(context.Context, string) error {
		c, seen := newConsumer(s, in), map[string]bool{}
		return func(ctx context.Context, order string) error {
			if seen[order] {
				return nil
			}
			seen[order] = true
			return c.insert(ctx, order)
		}
	}
	says(t, fails(t, sys, "order-1"), "✗ the process dies here", "(second delivery, new process)")
}

// What a process gathers over several deliveries is lost with it, though each event was delivered once.
func TestABatchInMemoryIsLost(t *testing.T) {
	sys := shopSystem(nil)
	sys.Process = func(s *shop, in *twiceless.Cuts) func(context.Context, string) error {
		c, batch := newConsumer(s, in), []string(nil)
		return func(ctx context.Context, order string) error {
			if batch = append(batch, order); len(batch) < 2 {
				return nil
			}
			return c.insert(ctx, strings.Join(batch, " "))
		}
	}
	sys.Deliveries = 1
	says(t, fails(t, sys, "order-1", "order-2"),
		"each event delivered once, but not undisturbed", "order-1: makes no call", "✗ the process dies here, after the commit", "Rows: 0")
}

// An effect that is left to a goroutine is lost when the process dies after the commit.
func TestAnEffectAfterTheDeliveryIsLost(t *testing.T) {
	sys := shopSystem(func(c *consumer, ctx context.Context, order string) error {
		go func() {
			time.Sleep(time.Second)
			_ = c.insert(ctx, order)
		}()
		return nil
	})
	sys.World = newUniqueShop
	says(t, fails(t, sys, "order-1"), "orders INSERT   ✗ the process dies before it sends this   (after the delivery has ended)", "once:  {Charged: 0, Rows: 1}", "here:  {Charged: 0, Rows: 0}")
}

// order is an event with a key.
type order struct{ id, customer string }

func (o order) String() string { return o.id }

// A group promises no order between keys: a list of what came when may have either order, a lost update may not be.
func TestKeysSideBySide(t *testing.T) {
	type ledger struct {
		list  []string
		total int
	}
	system := func(handle func(w *ledger, in *twiceless.Cuts, ctx context.Context, o order) error) twiceless.System[*ledger, order] {
		return twiceless.System[*ledger, order]{
			World: func() *ledger { return &ledger{} },
			Process: func(w *ledger, in *twiceless.Cuts) func(context.Context, order) error {
				return func(ctx context.Context, o order) error { return handle(w, in, ctx, o) }
			},
			State: func(w *ledger) any { return *w },
			Key:   func(o order) string { return o.customer },
		}
	}
	events := []order{{"order-1", "ann"}, {"order-2", "bob"}, {"order-3", "ann"}}
	listed := system(func(w *ledger, in *twiceless.Cuts, ctx context.Context, o order) error {
		return in.Call(ctx, "list", func() error {
			if !slices.Contains(w.list, o.id) {
				w.list = append(w.list, o.id)
			}
			return nil
		})
	})
	listed.Schedules = 400
	passes(t, listed, events...)

	added := system(func(w *ledger, in *twiceless.Cuts, ctx context.Context, o order) error {
		var total int
		if err := in.Call(ctx, "SELECT total", func() error { total = w.total; return nil }); err != nil {
			return err
		}
		return in.Call(ctx, "UPDATE total", func() error { w.total = total + 1; return nil })
	})
	added.Deliveries = 1
	says(t, fails(t, added, events...), "each event delivered once, but not undisturbed", "process 1", "process 2", "total: 1")
}

// Who waits for a lock that another process holds across its calls is not stuck.
func TestALockOfTheWorldHolds(t *testing.T) {
	var lock chan bool
	sys := shopSystem(func(c *consumer, ctx context.Context, order string) error {
		select {
		case lock <- true:
		case <-ctx.Done():
			return ctx.Err()
		}
		defer func() { <-lock }()
		known, err := c.known(ctx, order)
		if err != nil || known {
			return err
		}
		return c.insert(ctx, order)
	})
	sys.World = func() *shop { lock = make(chan bool, 1); return newShop() }
	says(t, passes(t, sys, "order-1"), "all ")
}

// The sequences in which a key's events are delivered are those that a group allows, all of them and no other.
func TestSequencesAreThoseOfAGroup(t *testing.T) {
	for _, c := range []struct{ events, limit int }{{3, 2}, {2, 3}} {
		seen, allowed := map[string]bool{}, map[string]bool{}
		sys := twiceless.System[*[]int, int]{
			World: func() *[]int { return &[]int{} },
			Process: func(w *[]int, in *twiceless.Cuts) func(context.Context, int) error {
				return func(_ context.Context, event int) error { *w = append(*w, event); return nil }
			},
			State:      func(w *[]int) any { seen[fmt.Sprint(*w)] = true; return nil },
			Deliveries: c.limit,
			Schedules:  20_000,
		}
		says(t, passes(t, sys, []int{0, 1, 2}[:c.events]...), "all ")
		for n := range c.events {
			sequences(n+1, c.limit, 0, nil, allowed)
		}
		for s := range allowed {
			if !seen[s] {
				t.Errorf("%s is never delivered", s)
			}
		}
		for s := range seen {
			if !allowed[s] {
				t.Errorf("%s is delivered, which a group does not do", s)
			}
		}
	}
}

// sequences adds those that deliver n events each up to limit times: after each delivery the next event comes, or one from
// the last known commit on, which is known then.
func sequences(n, limit, commit int, sofar []int, to map[string]bool) {
	last := -1
	if len(sofar) > 0 {
		last = sofar[len(sofar)-1]
	}
	if last == n-1 {
		to[fmt.Sprint(sofar)] = true
	}
	deliver := func(event, commit int) {
		count := 0
		for _, e := range sofar {
			if e == event {
				count++
			}
		}
		if count < limit {
			sequences(n, limit, commit, append(slices.Clip(sofar), event), to)
		}
	}
	if last+1 < n {
		deliver(last+1, commit)
	}
	for event := commit; event <= last; event++ {
		deliver(event, event)
	}
}

func TestTheExampleHolds(t *testing.T) {
	passes(t, twiceless.System[*bank, string]{
		World: func() *bank { return &bank{charges: map[string]int{}} },
		Process: func(b *bank, in *twiceless.Cuts) func(context.Context, string) error {
			return (&charger{in.HTTP("payments", b)}).handle
		},
		State:     func(b *bank) any { return b.charges },
		Schedules: 200,
	}, "order-1", "order-2")
}

// What fails only far from the undisturbed run is found by drawing, and shown without what it does not need.
func TestDrawnSchedulesAreShrunk(t *testing.T) {
	sys := shopSystem(nil)
	processes := 0
	sys.World = func() *shop { processes = 0; return newUniqueShop() }
	sys.Process = func(s *shop, in *twiceless.Cuts) func(context.Context, string) error {
		processes++
		c, me := newConsumer(s, in), processes
		return func(ctx context.Context, order string) error {
			if err := c.charge(ctx, order); err != nil {
				return err
			}
			if me == 1 && processes == 4 { // a zombie whose successor died twice
				s.rows = append(s.rows, "broken")
			}
			return c.insert(ctx, order)
		}
	}
	sys.Deliveries, sys.Schedules = 3, 400
	says(t, fails(t, sys, "order-1", "order-2", "order-3"),
		"order-2 delivered twice, order-3 delivered 3 times: another end state", "drawn schedule", "shrunk from 4 departures to 3")
}

// The same code says the same, whatever the Go scheduler does with the calls that it makes at once: here three requests
// that differ in a header only.
func TestVerdictsAreTheSameEveryTime(t *testing.T) {
	sys := shopSystem(func(c *consumer, ctx context.Context, order string) error {
		var all sync.WaitGroup
		for i := range 3 {
			all.Go(func() { _ = c.charge(ctx, fmt.Sprint(order, "/", i)) })
		}
		all.Wait()
		return c.insert(ctx, strings.Join(c.shop.log, " "))
	})
	sys.State = func(s *shop) any { return s.rows }
	first := fails(t, sys, "order-1", "order-2")
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for i := range 20 {
		runtime.GOMAXPROCS(1 + i%2)
		if text := fails(t, sys, "order-1", "order-2"); text != first {
			t.Fatalf("first\n%s\nthen\n%s", first, text)
		}
	}
}

// Of two calls that are open at once either may be the first.
func TestOpenCallsComeInAnyOrder(t *testing.T) {
	sys := shopSystem(func(c *consumer, ctx context.Context, order string) error {
		var both sync.WaitGroup
		both.Go(func() { _ = c.in.Call(ctx, "a", func() error { c.shop.charged = 1; return nil }) })
		both.Go(func() {
			_ = c.in.Call(ctx, "b", func() error { c.shop.rows = slices.Repeat([]string{order}, c.shop.charged); return nil })
		})
		both.Wait()
		return nil
	})
	sys.Deliveries = 1
	says(t, fails(t, sys, "order-1"), "b   → ok", "a   → ok", "here:  {Charged: 1, Rows: 0}")
}

// Who sleeps may wake while another is between two calls, and not only after it.
func TestSleepersWakeAtAnyMoment(t *testing.T) {
	sys := shopSystem(func(c *consumer, ctx context.Context, order string) error {
		if order == "late" {
			time.Sleep(time.Second)
		}
		var was int
		if err := c.in.Call(ctx, "read", func() error { was = c.shop.charged; return nil }); err != nil {
			return err
		}
		return c.in.Call(ctx, "write", func() error { c.shop.charged = was + 1; return nil })
	})
	sys.Key = func(order string) string { return order }
	sys.Deliveries = 1
	says(t, fails(t, sys, "late", "early"), "process 1", "read", "(late)", "process 2", "read", "(early)", "write", "process 1", "write", "here:  {Charged: 1, Rows: 0}")
}

// What is delivered again because of an error does not count against the deliveries.
func TestDeliveriesAfterAnErrorAreNotCounted(t *testing.T) {
	sys := shopSystem(func(c *consumer, ctx context.Context, order string) error {
		if err := c.insert(ctx, order); err != nil {
			return err
		}
		if len(c.shop.rows) == 2 {
			return errors.New("once more")
		}
		return nil
	})
	says(t, fails(t, sys, "order-1"), "order-1 delivered twice", "the delivery ends in an error: once more", "(second delivery, after the error)", "here:  {Charged: 0, Rows: 3}")
}
