package twiceless

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// idemCheck is one call of CheckIdempotent.
type idemCheck struct {
	t     *testing.T
	sub   *idemSubject
	again string // the command that does it again

	once []*idemOnce // by number of events
	ran  int         // schedules
	seen int         // schedules that were run or are known to follow from those
}

// idemSchedule is one way of delivering the first so many events.
type idemSchedule struct {
	events int
	turns  []turn
}

// idemFailure is a schedule that should not leave what it left.
type idemFailure struct {
	run   *idemRun // nil if it never ended
	why   string   // "": another end state
	state any      // that of once
}

// search runs the schedules from the smallest up, then some drawn ones if there are too many.
func (c *idemCheck) search() (text string, ok bool) {
	c.once = make([]*idemOnce, len(c.sub.names)+1)
	var queue []idemSchedule
	for n := 1; n <= len(c.sub.names); n++ {
		if text := c.deliverOnce(n); text != "" {
			return text, false
		}
		queue = append(queue, idemSchedule{events: n})
	}
	c.seen = len(queue)
	inOrder := c.sub.schedules - c.sub.schedules/4
	whole := -1 // departures up to which every schedule is run
	for c.ran < inOrder && len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		run, failure := c.try(s.events, exactly(s.turns))
		c.ran++
		if failure != nil {
			return c.report(failure, fmt.Sprintf("schedule %d of at least %d", c.ran, c.seen)), false
		}
		next := departures(s, run)
		c.seen += len(next)
		room := max(0, inOrder-c.ran-len(queue))
		if len(next) > room && whole < 0 {
			whole = len(s.turns)
		}
		queue = append(queue, next[:min(len(next), room)]...)
	}
	if c.seen == c.ran {
		return c.praise(fmt.Sprintf("all %d schedules", c.ran)), true
	}
	return c.draw(whole)
}

// draw runs what is left of the schedules allowed, deeper ones.
func (c *idemCheck) draw(whole int) (text string, ok bool) {
	n := len(c.sub.names)
	deep := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) turn {
		return turn{at: rapid.IntRange(0, 40).Draw(t, "decisions passed"), option: rapid.IntRange(0, 11).Draw(t, "option")}
	}), 2, 8)
	drawn := c.sub.schedules - c.ran
	for seed := 1; seed <= drawn; seed++ {
		if _, failure := c.try(n, roughly(deep.Example(seed))); failure != nil {
			from, which := failure.departures(), fmt.Sprintf("drawn schedule %d", seed)
			if failure = c.shrink(n, failure); failure.departures() < from {
				which += fmt.Sprintf(", shrunk from %d departures to %d", from, failure.departures())
			}
			return c.report(failure, which), false
		}
	}
	return c.praise(fmt.Sprintf("the first %d of at least %d schedules (all with up to %d departures) and %d deeper ones drawn", c.ran, c.seen, max(0, whole), drawn)), true
}

func (c *idemCheck) praise(which string) string {
	limit := c.limit(len(c.sub.names))
	return fmt.Sprintf("each event delivered up to %s, cut at every call: %s leave the end state of once", timesWord(limit), which)
}

// exactly takes the given departures.
func exactly(turns []turn) func(int, []turnKind) int {
	return func(at int, kinds []turnKind) int {
		for _, t := range turns {
			if t.at == at && t.option < len(kinds) {
				return t.option
			}
		}
		return 0
	}
}

// roughly passes so many decisions at which there is a choice, then departs, and so on.
func roughly(turns []turn) func(int, []turnKind) int {
	passed := 0
	return func(_ int, kinds []turnKind) int {
		if len(turns) == 0 || len(kinds) < 2 {
			return 0
		}
		t := turns[0]
		if passed < t.at {
			passed++
			return 0
		}
		turns, passed = turns[1:], 0
		return 1 + t.option%(len(kinds)-1)
	}
}

// departures are the schedules with one more departure than s, each after those of s, so that each schedule has one
// origin. The simplest kinds come first.
func departures(s idemSchedule, run *idemRun) (list []idemSchedule) {
	from := 0
	if len(s.turns) > 0 {
		from = s.turns[len(s.turns)-1].at + 1
	}
	for kind := goesOn + 1; kind < turnKinds; kind++ {
		for at := from; at < len(run.decisions); at++ {
			for option, k := range run.decisions[at] {
				if k == kind {
					list = append(list, idemSchedule{s.events, append(slices.Clip(s.turns), turn{at, option})})
				}
			}
		}
	}
	return list
}

func (c *idemCheck) limit(events int) int {
	switch {
	case c.sub.deliveries > 0:
		return c.sub.deliveries
	case events == 1:
		return 3
	default:
		return 2
	}
}

// try runs one schedule and judges it.
func (c *idemCheck) try(events int, choose func(int, []turnKind) int) (*idemRun, *idemFailure) {
	r := &idemRun{sub: c.sub, rank: upTo(events), limit: c.limit(events), choose: choose}
	if end := c.inBubble(r); end.hung != "" {
		return nil, &idemFailure{why: end.hung}
	}
	if r.fault != "" {
		return r, &idemFailure{run: r, why: r.fault}
	}
	if !c.accepts(events, r.state) {
		return r, &idemFailure{run: r, state: c.once[events].states[0]}
	}
	return r, nil
}

func upTo(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// bubbleEnd says how a bubble ended that did not end well.
type bubbleEnd struct {
	hung string // why it never did
	left bool   // goroutines stayed behind
}

// inBubble executes a run in a bubble of its own. The watchdog is outside, where time is real: code that never blocks
// keeps its bubble, and a processor, for ever, and the test ends without it.
func (c *idemCheck) inBubble(r *idemRun) bubbleEnd {
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		synctest.Test(c.t, func(*testing.T) { r.execute() })
	}()
	watchdog := time.NewTimer(c.sub.patience)
	defer watchdog.Stop()
	select {
	case problem := <-done:
		return leaving(problem)
	case <-watchdog.C:
		return bubbleEnd{hung: fmt.Sprintf("no end after %v%s: an endless loop, or a mutex that is held across a call", c.sub.patience, r.places())}
	}
}

// leaving explains what synctest says at the end of a bubble. Goroutines that stay behind are stopped for ever. After a
// kill that is nobody's fault: what waits for a killed goroutine of its own process waits in vain.
func leaving(problem any) bubbleEnd {
	if problem == nil {
		return bubbleEnd{}
	}
	if err, ok := problem.(error); !ok || err.Error() != leftBehind {
		panic(problem)
	}
	return bubbleEnd{left: true}
}

// maxOrders bounds how many orders of the events of several keys are delivered once to find an end state.
const maxOrders = 120

// idemOnce are the end states of delivering the first so many events once each.
type idemOnce struct {
	states []any   // the first is that of the order given
	orders [][]int // ranks not tried yet
}

// deliverOnce delivers the first n events once and undisturbed, twice over.
func (c *idemCheck) deliverOnce(n int) (problem string) {
	first, problem := c.undisturbed(upTo(n))
	if problem != "" {
		return problem
	}
	second, problem := c.undisturbed(upTo(n))
	if problem != "" {
		return problem
	}
	if !reflect.DeepEqual(first.state, second.state) {
		lines := append([]string{"two undisturbed runs leave different end states: System.State has something random in it, or a World shares data with an earlier one"},
			stateLines("first:", "second:", first.state, second.state)...)
		return strings.Join(append(lines, "again  "+c.again), "\n")
	}
	c.once[n] = &idemOnce{states: []any{first.state}, orders: c.orders(n)[1:]}
	return ""
}

func (c *idemCheck) undisturbed(rank []int) (*idemRun, string) {
	r := &idemRun{sub: c.sub, rank: rank, limit: 1, strict: true, choose: exactly(nil)}
	switch end := c.inBubble(r); {
	case end.hung != "":
		return r, c.report(&idemFailure{why: end.hung}, "undisturbed")
	case r.fault != "":
		return r, c.report(&idemFailure{run: r, why: r.fault}, "undisturbed")
	case end.left:
		why := "goroutines are left behind when a process has ended" + r.places() + ": they should end with its context, or System.World started them"
		return r, c.report(&idemFailure{run: r, why: why}, "undisturbed")
	}
	return r, ""
}

// accepts says whether some order of once leaves this state. Other orders than the given one are tried when needed.
func (c *idemCheck) accepts(n int, state any) bool {
	once := c.once[n]
	same := func(s any) bool { return reflect.DeepEqual(s, state) }
	if slices.ContainsFunc(once.states, same) {
		return true
	}
	for len(once.orders) > 0 {
		rank := once.orders[0]
		once.orders = once.orders[1:]
		if r, problem := c.undisturbed(rank); problem == "" {
			once.states = append(once.states, r.state)
			if same(r.state) {
				return true
			}
		}
	}
	return false
}

// orders are the orders of the first n events that keep that of each key, as ranks; the order given is the first.
func (c *idemCheck) orders(n int) (list [][]int) {
	rank, taken := make([]int, n), make([]bool, n)
	var place func(at int)
	place = func(at int) {
		if at == n {
			list = append(list, slices.Clone(rank))
			return
		}
		used := map[int]bool{} // keys whose first event left was looked at
		for e := range n {
			if len(list) == maxOrders {
				return
			}
			if taken[e] || used[c.sub.keys[e]] {
				continue
			}
			used[c.sub.keys[e]] = true
			taken[e], rank[e] = true, at
			place(at + 1)
			taken[e] = false
		}
	}
	place(0)
	return list
}
