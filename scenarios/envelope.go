package scenarios

import (
	"slices"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim/history"
)

// Inside says whether a plan lies inside a stack's envelope, and if not, the first bound that it exceeds: a function of
// scenario, stack and plan, the same before and after the run.
//
// A redelivery horizon counts from an event's first delivery, a replay from the end of the drain, and only the scenario
// knows how far these may be apart. That room is taken off the bound: a key that is kept for a day does not stand a
// replay a day after the drain, and without the room its contract of a day would be called broken by two minutes.
func (s *Scenario) Inside(stack string, plan []faults.Fault) (bool, history.Dimension) {
	bounds := slices.Clone(s.stackNamed(stack).Contract.Envelope)
	for i := range bounds {
		if b := &bounds[i]; b.Dimension == history.RedeliveryHorizon {
			b.Max -= s.replayRoom(plan)
		}
	}
	return faults.Inside(plan, bounds)
}

// replayRoom is the longest that an event's last delivery may come after its first, ns, beyond the time between the end
// of the drain and the last replay: chaos, the faults that the heal waits for and the first drain before it, and after
// each replay a drain that may take a chaos phase longer. A plan without a replay needs none: a bound of 0s forbids replays,
// not every plan.
func (s *Scenario) replayRoom(plan []faults.Fault) int64 {
	round := s.Phases.Chaos + s.Phases.Drain
	room, replays := round, false
	for i := range plan {
		f := &plan[i]
		if f.Trigger.Drained {
			replays = true
			room += round
		}
		room += min(f.For, faults.MaxTime) + int64(s.Consumers.Members)*(f.Grace+f.Pause)
	}
	if !replays {
		return 0
	}
	return room
}
