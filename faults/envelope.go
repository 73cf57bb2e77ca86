package faults

import (
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// Inside says whether a plan lies inside an envelope, and if not, the first bound that it exceeds. It looks at the
// plan only, so it is the same before and after the run. A dimension that has no bound does not restrict.
//
//	clock-skew          |by| of skews and jumps; those in effect together on one target add up, and so do the node that is
//	                    furthest ahead and the one furthest behind
//	pause               duration of pauses; overlapping or touching ones of one target are one long one
//	delay               by of holds and slows; those that may be in effect together on one target add up
//	outage              the same for kill, power-loss, partition, drop-inbound and refuse together
//	power-loss          targets without power at once, each counted once
//	faults              faults of the plan
//	redelivery-horizon  how long after the drain the latest replay comes, and a nanosecond: every event was
//	                    delivered before the drain ended. How long before, a plan does not say: who knows the
//	                    phases takes that room off the bound, as Scenario.Inside does
//
// Where a plan leaves open what happens, the worst is assumed, so that a stack is called broken only where it was
// surely inside: "until heal" lasts for ever; a fault at a hook may meet every other fault; $caller, $node and
// $leader may be any node; a role may be all of its nodes, so power lost by a role exceeds every bound; of more
// than 100 faults that load one dimension all are taken to coincide.
func Inside(plan []Fault, bounds []history.Bound) (bool, history.Dimension) {
	for _, b := range bounds {
		if loadOf(plan, b.Dimension) > b.Max {
			return false, b.Dimension
		}
	}
	return true, ""
}

// maxExact is the number of faults up to which overlaps are looked at one by one: that costs its third power.
const maxExact = 100

// loadOf is the most that a plan loads a dimension: ns, or a count.
func loadOf(plan []Fault, d history.Dimension) int64 {
	if d == history.FaultCount {
		return int64(len(plan))
	}
	var loading []Fault
	for _, f := range plan {
		if v, ok := verbByName(f.Verb); ok && v.load(d) {
			loading = append(loading, f)
		}
	}
	if d == history.RedeliveryHorizon {
		return horizonOf(loading)
	}
	if len(loading) > maxExact {
		return sumOf(loading, d)
	}
	var most int64
	for _, f := range loading {
		switch d {
		case history.ClockSkew:
			most = max(most, spreadAt(f, loading))
		case history.Delay:
			most = max(most, delayAt(f, loading))
		case history.PowerLoss:
			most = max(most, darkAt(f, loading))
		default:
			most = max(most, lengthWith(f, loading))
		}
	}
	return most
}

// horizonOf is the latest replay.
func horizonOf(replays []Fault) (latest int64) {
	for _, f := range replays {
		latest = max(latest, add(f.Trigger.At, 1))
	}
	return latest
}

// sumOf is the load if everything coincides.
func sumOf(all []Fault, d history.Dimension) int64 {
	var sum int64
	for _, f := range all {
		switch d {
		case history.ClockSkew, history.Delay:
			sum = add(sum, max(f.By, -f.By))
		case history.PowerLoss:
			sum = add(sum, countOf(f.Targets))
		default:
			sum = add(sum, f.length())
		}
	}
	return sum
}

// length of a fault, ns.
func (f Fault) length() int64 {
	if f.UntilHeal {
		return forever
	}
	return f.For
}

// span is when a timed fault is in effect: [from, to].
func (f Fault) span() (from, to int64) { return f.Trigger.At, add(f.Trigger.At, f.length()) }

// during says whether g may be in effect when f begins. What is most at any time is most when some fault begins;
// one at a hook may be in effect whenever another begins, so that it need not be looked at from its own side.
func (g Fault) during(f Fault) bool {
	if !g.Trigger.Timed() {
		return true
	}
	from, to := g.span()
	return f.Trigger.Timed() && from <= f.Trigger.At && f.Trigger.At <= to
}

// shares says whether two faults may concern one node or service.
func (f Fault) shares(g Fault) bool {
	for _, a := range [...][]string{f.Targets, f.From} {
		for _, b := range [...][]string{g.Targets, g.From} {
			if anySame(a, b) {
				return true
			}
		}
	}
	return false
}

func anySame(list, other []string) bool {
	for _, a := range list {
		for _, b := range other {
			if sameNode(a, b) {
				return true
			}
		}
	}
	return false
}

// sameNode says whether two targets may mean one node.
func sameNode(a, b string) bool {
	if a == b || strings.HasPrefix(a, "$") || strings.HasPrefix(b, "$") {
		return true
	}
	roleA, _ := roleOf(a)
	roleB, _ := roleOf(b)
	return roleA == b || roleB == a
}

// spreadAt is how far two wall clocks may be from each other when f begins.
func spreadAt(f Fault, all []Fault) int64 {
	var ahead, behind int64
	for _, g := range all {
		if !g.during(f) {
			continue
		}
		var forward, back int64
		for _, h := range all {
			if h.during(f) && h.shares(g) {
				forward = add(forward, max(h.By, 0))
				back = add(back, max(-h.By, 0))
			}
		}
		ahead, behind = max(ahead, forward), max(behind, back)
	}
	return add(ahead, behind)
}

// delayAt is how much later a message may arrive than usual when f begins. Which messages a hold is about no plan says, so
// it may meet every slow link.
func delayAt(f Fault, all []Fault) (sum int64) {
	for _, g := range all {
		if g.during(f) && g.shares(f) {
			sum = add(sum, g.By)
		}
	}
	return sum
}

// darkAt counts the targets that may be without power when f begins.
func darkAt(f Fault, all []Fault) int64 {
	var dark []string
	for _, g := range all {
		if !g.during(f) {
			continue
		}
		for _, t := range g.Targets {
			if !contains(dark, t) {
				dark = append(dark, t)
			}
		}
	}
	return countOf(dark)
}

// countOf is the number of nodes that targets mean; a role is more than any bound.
func countOf(targets []string) int64 {
	for _, t := range targets {
		if _, isNode := roleOf(t); !isNode && !strings.HasPrefix(t, "$") {
			return forever
		}
	}
	return int64(len(targets))
}

// lengthWith is how long a target of f may be affected without a break.
func lengthWith(f Fault, all []Fault) int64 {
	var related []Fault
	var sum int64
	timed := true
	for _, g := range all {
		if g.shares(f) {
			related = append(related, g)
			sum = add(sum, g.length())
			timed = timed && g.Trigger.Timed()
		}
	}
	if !timed { // a hook may fill every gap
		return sum
	}
	from, to := f.span()
	for grown := true; grown; {
		grown = false
		for _, g := range related {
			a, b := g.span()
			if a <= to && from <= b && (a < from || b > to) {
				from, to, grown = min(from, a), max(to, b), true
			}
		}
	}
	if to == forever {
		return forever
	}
	return to - from
}

// add is a+b, both at least 0, at most forever.
func add(a, b int64) int64 {
	if a > forever-b {
		return forever
	}
	return a + b
}
