package scenarios

import (
	"slices"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// deathKind is the fault kind of a consumer's death.
const deathKind = "consumer-kill"

// Deaths are the steps of the calls that consumers made for an event in the run without faults, each once, in the order
// in which they were met first: where a process can be made to die. None if consumers are not to be killed.
func (h *Hunter) Deaths() []string {
	if !slices.Contains(h.kinds, deathKind) {
		return nil
	}
	var out []string
	for i := range h.hits {
		if hit := &h.hits[i]; dies(hit) && !slices.Contains(out, hit.Hook) {
			out = append(out, hit.Hook)
		}
	}
	return out
}

// dies says whether a consumer can die of a hit.
func dies(h *faults.ObservedHit) bool {
	return h.ByRPC && h.Event != "" && h.Role == faults.RoleConsumer
}

// Die is the case of a run with that seed in which the caller dies at that step, for an event that is chosen.
func (h *Hunter) Die(seed uint64, hook string, choices faults.Choices) *Case {
	var at []faults.ObservedHit
	for i := range h.hits {
		if hit := h.hits[i]; dies(&hit) && hit.Hook == hook {
			at = append(at, hit)
		}
	}
	c := h.calm(seed)
	if len(at) == 0 {
		return c
	}
	kind, _ := history.FaultKindByName(deathKind)
	kill := faults.Timed{Verb: kind.Verb, For: kind.For, Targets: []string{"consumer-1"}}.Fault()
	hit := at[rng.Below(choices.Uint64(), uint64(len(at)))]
	c.Intent.Plan = faults.Lines([]faults.Fault{faults.Place(kill, hit, "consumer-1")})
	return c
}
