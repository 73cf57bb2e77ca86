package scenarios

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/faults"
)

// reduce makes the case smaller until no step does, the biggest steps first. A step that was tried and failed is
// not done again, so that the last round costs few runs.
func (s *shrinker) reduce() {
	s.fewerFaults()
	s.isolate()
	for before := -1; before < s.steps && s.affords(); {
		before = s.steps
		s.fewerFaults()
		s.anchor()
		s.fewerMembers()
		s.fewerPartitions()
		s.shorterFaults()
		s.fewerEvents()
		s.fewerTargets()
		s.earlier()
		s.shorterChaos()
	}
}

// isolate keeps the events of one finding only, with the faults as they are, or at hooks of these events.
func (s *shrinker) isolate() {
	at := s.look()
	if at == nil {
		return
	}
	for _, story := range at.stories {
		k := s.now
		k.events = story
		if s.try(k) {
			return
		}
		for rank := range maxAnchors {
			var moved bool
			if k.plan, moved = at.anchored(s.now.plan, story, rank); !moved {
				break
			}
			if s.try(k) {
				return
			}
		}
	}
}

// maxAnchors is the number of hooks that are tried for a fault that has a time.
const maxAnchors = 16

// movable says whether a fault has a time that a hook can take the place of: after the drain nothing else happens.
func movable(f faults.Fault) bool { return f.Trigger.Timed() && !f.Trigger.Drained }

// anchored is a plan with each timed fault at the hit that is its rank-th nearest; moved is false if there is none.
func (at *sight) anchored(plan []faults.Fault, events []string, rank int) (out []faults.Fault, moved bool) {
	out = slices.Clone(plan)
	for i, f := range plan {
		if near := at.nearest(f, events); movable(f) && rank < len(near) {
			out[i], moved = faults.Anchor(f, near[rank]), true
		}
	}
	return out, moved
}

// nearest are hits of some events by their distance from the moment at which a timed fault took effect. Those that
// involve its target come first: where somebody dies says more than what others did meanwhile. Of one instant, a
// step of a call comes before one of a disk, and the last one first.
func (at *sight) nearest(f faults.Fault, events []string) []faults.ObservedHit {
	moment := f.Trigger.At
	if began, known := at.began[f.String()]; known {
		moment = began
	}
	far := func(h faults.ObservedHit) int64 { return max(h.At-moment, moment-h.At) }
	byDistance := func(a, b faults.ObservedHit) int {
		switch near := cmp.Compare(far(a), far(b)); {
		case near != 0 || a.ByRPC == b.ByRPC:
			return near
		case a.ByRPC:
			return -1
		}
		return 1
	}
	var involved, others []faults.ObservedHit
	for _, h := range slices.Backward(at.of(events)) {
		if f.Involves(h) {
			involved = append(involved, h)
		} else {
			others = append(others, h)
		}
	}
	slices.SortStableFunc(involved, byDistance)
	slices.SortStableFunc(others, byDistance)
	cut := min(len(involved), max(maxAnchors/2, maxAnchors-len(others)))
	return append(involved[:cut:cut], others[:min(len(others), maxAnchors-cut)]...)
}

// anchor ties timed faults to hooks of the kept events, so that what is cut away later does not move them.
func (s *shrinker) anchor() {
	for i := range s.now.plan {
		if !movable(s.now.plan[i]) {
			continue
		}
		at := s.look()
		if at == nil {
			return
		}
		events := at.events
		if len(at.stories) > 0 {
			events = at.stories[0]
		}
		for _, h := range at.nearest(s.now.plan[i], events) {
			if s.tryFault(i, faults.Anchor(s.now.plan[i], h)) {
				break
			}
		}
	}
}

// tryFault tries the smallest case with another i-th fault.
func (s *shrinker) tryFault(i int, f faults.Fault) bool {
	k := s.now
	k.plan = slices.Clone(k.plan)
	k.plan[i] = f
	return s.try(k)
}

// fewerFaults tries none, then removes by halves, then one by one.
func (s *shrinker) fewerFaults() {
	keeps := func(rest []faults.Fault) bool {
		k := s.now
		k.plan = rest
		return s.try(k)
	}
	if len(s.now.plan) > 0 && !keeps(nil) {
		minimise(s.now.plan, keeps)
	}
}

// fewerEvents keeps those of a finding, else removes by halves, then one by one.
func (s *shrinker) fewerEvents() {
	at := s.look()
	if at == nil {
		return
	}
	keeps := func(rest []string) bool {
		k := s.now
		k.events = rest
		return s.try(k)
	}
	for _, story := range at.stories {
		if len(story) < len(at.events) && keeps(story) {
			break
		}
	}
	if at = s.look(); at != nil {
		minimise(at.events, keeps)
	}
}

// minimise removes from a list, by halves first and by smaller and smaller parts, as long as the rest keeps what it
// must; one entry always stays. (Delta debugging, Zeller and Hildebrandt 2002, without its tests of single parts. It
// goes on behind a part that was removed: to begin anew each time costs the square of the length.)
func minimise[T any](list []T, keeps func(rest []T) bool) {
	for size := (len(list) + 1) / 2; len(list) > 1; {
		removed := false
		for from := 0; from < len(list) && len(list) > 1; {
			rest := slices.Concat(list[:from], list[min(len(list), from+size):])
			if len(rest) > 0 && keeps(rest) {
				list, removed = rest, true // what follows has moved up
			} else {
				from += size
			}
		}
		if !removed && size == 1 {
			return
		}
		size = max(1, size/2)
	}
}

// fewerMembers keeps the first ones. A fault that names a member who is gone strikes the first.
func (s *shrinker) fewerMembers() {
	for n := 1; n < s.now.members; n *= 2 {
		k := s.now
		k.members, k.plan = n, renamed(s.now.plan, n)
		if s.try(k) {
			return
		}
	}
}

// renamed is a plan for n members.
func renamed(plan []faults.Fault, n int) []faults.Fault {
	name := func(names []string) (out []string) {
		for _, t := range names {
			var number int
			if _, err := fmt.Sscanf(t, "consumer-%d", &number); err == nil && number > n {
				t = "consumer-1"
			}
			if !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
		return out
	}
	out := slices.Clone(plan)
	for i := range out {
		out[i].Targets, out[i].From = name(out[i].Targets), name(out[i].From)
	}
	return out
}

// fewerPartitions keeps the first ones of the workload's topic; keys spread over what is left.
func (s *shrinker) fewerPartitions() {
	for n := 1; n < s.now.partitions; n *= 2 {
		k := s.now
		k.partitions = n
		if s.try(k) {
			return
		}
	}
}

// fewerTargets removes targets of faults that have several.
func (s *shrinker) fewerTargets() {
	for i := range s.now.plan {
		minimise(s.now.plan[i].Targets, func(rest []string) bool {
			f := s.now.plan[i]
			f.Targets = rest
			return s.tryFault(i, f)
		})
		minimise(s.now.plan[i].From, func(rest []string) bool {
			f := s.now.plan[i]
			f.From = rest
			return s.tryFault(i, f)
		})
	}
}

// roundLengths are durations that people would choose, ns.
var roundLengths = []int64{nsMillisecond, 10 * nsMillisecond, 100 * nsMillisecond, nsSecond, 2 * nsSecond, 5 * nsSecond, 10 * nsSecond,
	20 * nsSecond, 30 * nsSecond, nsMinute, 2 * nsMinute, 3 * nsMinute, 5 * nsMinute, 7 * nsMinute, 10 * nsMinute, 15 * nsMinute,
	30 * nsMinute, 60 * nsMinute, 12 * 60 * nsMinute}

// shortest finds the shortest round length below a present one that holds, if what holds also holds for longer ones.
func shortest(present int64, holds func(ns int64) bool) {
	all := roundLengths[:0:0]
	for _, d := range roundLengths {
		if d < present {
			all = append(all, d)
		}
	}
	if len(all) == 0 || holds(all[0]) {
		return
	}
	for low, high := 0, len(all); high-low > 1; { // low fails, high holds
		if middle := (low + high) / 2; holds(all[middle]) {
			high = middle
		} else {
			low = middle
		}
	}
}

// shorterFaults makes faults end earlier, and skews and the waits of a deploy smaller.
func (s *shrinker) shorterFaults() {
	for i := range s.now.plan {
		f := s.now.plan[i]
		s.shorterField(i, lengthOf(f, s.now.chaos), func(f *faults.Fault, ns int64) { f.For, f.UntilHeal = ns, false })
		s.shorterField(i, max(f.By, -f.By), func(f *faults.Fault, ns int64) {
			if f.By < 0 {
				ns = -ns
			}
			f.By = ns
		})
		s.shorterField(i, f.Grace, func(f *faults.Fault, ns int64) { f.Grace = ns })
		s.shorterField(i, f.Pause, func(f *faults.Fault, ns int64) { f.Pause = ns })
	}
}

// shorterField tries shorter values of one field of a fault.
func (s *shrinker) shorterField(i int, present int64, set func(f *faults.Fault, ns int64)) {
	shortest(present, func(ns int64) bool {
		f := s.now.plan[i]
		set(&f, ns)
		return s.tryFault(i, f)
	})
}

// earlier makes the times of faults round, by making them earlier, and takes the first hit of a hook.
func (s *shrinker) earlier() {
	for i := range s.now.plan {
		f := s.now.plan[i]
		switch {
		case f.Trigger.Drained: // how late a replay is, is what it is about, and quiet time costs nothing
		case f.Trigger.Timed():
			s.rounder(i, f)
		case f.Trigger.Nth > 1:
			f.Trigger.Nth = 1
			s.tryFault(i, f)
		}
	}
}

// rounder tries times of a fault that people would choose.
func (s *shrinker) rounder(i int, f faults.Fault) {
	present := f.Trigger.At
	for _, unit := range []int64{nsMinute, 10 * nsSecond, nsSecond, 100 * nsMillisecond, 10 * nsMillisecond, nsMillisecond} {
		f.Trigger.At = present / unit * unit
		if f.Trigger.At < present && s.tryFault(i, f) {
			return
		}
	}
}

// shorterChaos ends the chaos phase soon after the last kept event has arrived.
func (s *shrinker) shorterChaos() {
	at := s.look()
	if at == nil {
		return
	}
	least := max(nsSecond, roundUp(at.last+1-s.from.Intent.Scenario.Phases.WarmUp, nsSecond))
	for _, more := range []int64{0, nsSecond, 2 * nsSecond, 5 * nsSecond, 10 * nsSecond, 20 * nsSecond} {
		k := s.now
		if k.chaos = least + more; k.chaos < s.now.chaos && s.try(k) {
			return
		}
	}
}
