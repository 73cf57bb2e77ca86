package scenarios

import (
	"errors"
	"slices"
	"time"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/sim/history"
)

// maxRemedyFaults is the most faults of a case for which remedies are searched: the placements of three are too many.
const maxRemedyFaults = 2

// ErrTooLarge says that a case has too many faults, or that its search would take more than was allowed.
var ErrTooLarge = errors.New("too large to search what would help")

// RemedyLimits bound the search for what would help.
type RemedyLimits struct {
	Runs     int           // most runs for each stack; at least 2. Beyond them every k-th placement is tried
	Intents  int64         // most intents that the case offers; 0 = no limit
	Events   int64         // most kernel events of the whole search, by an estimate made before it; 0 = no limit
	Patience time.Duration // for one run; 0 waits for ever
}

// Remedies says what each layer that the stack of a case could have besides its own would do to the case's finding.
type Remedies struct {
	Faults int    // of the case's plan
	AsIs   Remedy // the stack without another layer
	Layers []Remedy
	Runs   int
}

// Remedy is what the faults of a case do to one stack, wherever they fall on the hooks that its kept events pass.
type Remedy struct {
	Layer      string // added with its default parameters; "" = none
	Placements int    // ways in which all faults can be placed
	Tried      int    // of them
	Met        int    // tried ones in which every fault took effect: the others say nothing
	Held       int    // met ones that do not violate the property of the case
	Undecided  int    // held ones in which the property could not be decided
	Breaks     []string
}

// Broken is the number of placements that violate the property. The plan of the first is in Breaks.
func (r *Remedy) Broken() int { return r.Met - r.Held }

// FindRemedies adds each layer of the table, alone and with default parameters, to the stack of a case, as far
// inside as its check lets it stand, and lets the faults of the case fall at every hook that the kept events pass in
// that stack. The services and the rest of the environment are those of the case. Nothing is guessed, so a layer
// that holds here holds against these faults and these events, and not against everything.
func FindRemedies(c *Case, limits RemedyLimits) (*Remedies, error) {
	plan, err := Plan(c)
	if err != nil {
		return nil, err
	}
	s := &search{c: c, plan: plan, limits: limits, mem: &Memory{}}
	stacks := s.stacks()
	if err := s.begin(int64(len(stacks))); err != nil {
		return nil, err
	}
	out := &Remedies{Faults: len(plan)}
	for _, with := range stacks {
		r, err := s.remedy(with)
		if err != nil {
			return nil, err
		}
		if with.layer == "" {
			out.AsIs = *r
		} else {
			out.Layers = append(out.Layers, *r)
		}
	}
	out.Runs = s.runs
	return out, nil
}

// search tries the faults of a case on several stacks.
type search struct {
	c       *Case
	plan    []faults.Fault
	victims []string // by fault: the node that it struck in the run of the case
	limits  RemedyLimits
	mem     *Memory
	runs    int
}

// variant is the case's scenario with a layer more.
type variant struct {
	layer string
	sc    *Scenario
}

// stacks are the stack as it is and those with one layer more, in the order of the table.
func (s *search) stacks() []variant {
	sc := s.c.Intent.Scenario
	out := []variant{{"", sc}}
	for _, kind := range stack.Layers() {
		if with, ok := sc.withLayer(s.c.Intent.Stack, kind); ok {
			out = append(out, variant{kind.Name, with})
		}
	}
	return out
}

// withLayer is the scenario with one more layer in a stack, where the scenario's checks let it stand: as far inside
// as they do, next to what it guards.
func (s *Scenario) withLayer(name string, kind stack.LayerKind) (*Scenario, bool) {
	i := slices.IndexFunc(s.Stacks, func(st Stack) bool { return st.Name == name })
	layers := s.Stacks[i].Layers
	if slices.Contains(kindsOf(layers), kind.Name) {
		return nil, false
	}
	layer := Layer{Kind: kind.Name}
	for _, p := range kind.Params {
		if p.Default != "" {
			if layer.With == nil {
				layer.With = map[string]string{}
			}
			layer.With[p.Name] = p.Default
		}
	}
	for at := len(layers); at >= 0; at-- {
		with := *s
		with.Stacks = slices.Clone(s.Stacks)
		with.Stacks[i].Layers = slices.Insert(slices.Clone(layers), at, layer)
		if len(checkScenario(&with)) == 0 {
			with.Phases.Chain = max(s.Phases.Chain, with.chain())
			with.Phases.Drain = max(s.Phases.Drain, with.drainFloor())
			return &with, true
		}
	}
	return nil, false
}

// begin does the run of the case: whom its faults struck, and whether the search is affordable.
func (s *search) begin(stacks int64) error {
	r, hits, err := observe(s.c, s.mem, s.limits.Patience)
	if err != nil {
		return err
	}
	s.runs++
	ways := int64(1)
	for range s.plan {
		ways *= int64(len(keyed(hits)))
	}
	ways = min(ways, int64(s.limits.Runs))
	if len(s.plan) > maxRemedyFaults || above(r.Row.Offered, s.limits.Intents) || above(ways*stacks*r.Row.Events, s.limits.Events) {
		return ErrTooLarge
	}
	for _, f := range s.plan {
		s.victims = append(s.victims, struck(r.History, f))
	}
	return nil
}

func above(n, limit int64) bool { return limit > 0 && n > limit }

// struck is the node at which a fault began; "" = it did not.
func struck(h *history.History, f faults.Fault) string {
	for i := range h.Facts {
		if fact := &h.Facts[i]; fact.Kind == history.KindFaultBegan && fact.Note == f.String() {
			return fact.Node
		}
	}
	return ""
}

// keyed are the hits that have an event: what the kept events pass, as opposed to heartbeats and polls.
func keyed(hits []faults.ObservedHit) []faults.ObservedHit {
	return slices.DeleteFunc(slices.Clone(hits), func(h faults.ObservedHit) bool { return h.Event == "" })
}

// remedy tries one stack at the hooks that it passes without faults.
func (s *search) remedy(with variant) (*Remedy, error) {
	c := *s.c
	c.Intent.Scenario, c.Intent.Plan = with.sc, nil
	_, all, err := observe(&c, s.mem, s.limits.Patience)
	if err != nil {
		return nil, err
	}
	s.runs++
	hits := keyed(all)
	r := &Remedy{Layer: with.layer, Placements: 1}
	for range s.plan {
		r.Placements *= len(hits)
	}
	tries := min(r.Placements, max(2, s.limits.Runs)-1)
	for i := range tries {
		c.Intent.Plan = faults.Lines(s.placement(hits, i*r.Placements/tries))
		if err := s.judge(&c, r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// placement is the number-th way to place the faults.
func (s *search) placement(hits []faults.ObservedHit, number int) []faults.Fault {
	out := make([]faults.Fault, len(s.plan))
	for i, f := range s.plan {
		out[i] = faults.Place(f, hits[number%len(hits)], s.victims[i])
		number /= len(hits)
	}
	return out
}

// judge does one run.
func (s *search) judge(c *Case, into *Remedy) error {
	s.runs++
	r, err := Supervise(c, s.mem, s.limits.Patience)
	if err != nil {
		return err
	}
	if why, bad := r.Failed(); bad {
		return &Crash{How: "panic", Detail: why}
	}
	into.Tried++
	missed := slices.ContainsFunc(r.History.Facts, func(f history.Fact) bool { return f.Kind == history.KindFaultMissed })
	if missed {
		return nil
	}
	into.Met++
	property := history.Property(c.Intent.Property)
	switch {
	case slices.ContainsFunc(r.Verdicts.Findings, func(f history.Finding) bool { return f.Property == property }):
		if into.Breaks == nil {
			into.Breaks = c.Intent.Plan
		}
		return nil
	case r.Verdicts.Undecided[property] > 0:
		into.Undecided++
	}
	into.Held++
	return nil
}
