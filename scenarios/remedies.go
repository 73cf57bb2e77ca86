package scenarios

import (
	"errors"
	"slices"
	"time"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim/history"
)

// maxRemedyFaults is the most faults of a case for which remedies are searched: the placements of three are too many.
const maxRemedyFaults = 2

// ErrTooLarge says that a case has too many faults, or that its search would take more than was allowed.
var ErrTooLarge = errors.New("too large to search what would help")

// RemedyLimits bound the search for what would help.
type RemedyLimits struct {
	Runs     int           // most placements that are tried of each stack, evenly spread; at least 1
	Intents  int64         // most that the case may offer; 0 = no limit
	Events   int64         // most kernel events of the whole search, by an estimate made before it; 0 = no limit
	Patience time.Duration // for one run; 0 waits for ever
}

// minTries is the fewest placements that say anything of a stack that has more.
const minTries = 8

// Remedies says what each change to the stack of a case would do to the case's finding.
type Remedies struct {
	Faults  int      // of the case's plan
	AsIs    Remedy   // the stack without a change
	Changes []Remedy // one layer more, or another value of one parameter of a layer
	Runs    int
}

// Remedy is what the faults of a case do to one stack, wherever they fall on the hooks that its kept events pass.
type Remedy struct {
	Change     string // dedup-store(durable), idempotency-key with keep: for ever; "" = none
	Layer      string // kind of the layer that is added or changed; "" = none
	Added      bool   // the stack lacks it
	Placements int    // ways in which all faults can be placed
	Tried      int    // of them
	Met        int    // tried ones in which every fault took effect: the others say nothing
	Held       int    // met ones that do not violate the property of the case
	Undecided  int    // held ones in which the property could not be decided
	Lost       int    // held ones that lose an intent: to do nothing at all is no remedy
	Parked     int    // held ones that leave one to a person
	Breaks     []string
}

// Broken is the number of placements that violate the property. The plan of the first is in Breaks.
func (r Remedy) Broken() int { return r.Met - r.Held }

// FindRemedies changes the stack of a case, one change at a time, and lets the faults of the case fall at every hook
// that the kept events pass in that stack; what comes after the drain stays there. The changes come from the table of
// layers: each layer that the stack lacks, as far inside as its check lets it stand, with its defaults and with each
// alternative of one parameter; and of the layers that it has, each alternative of one parameter. Services and the
// rest of the environment are those of the case, but all members take part if the finding is there with them, too: what
// a lone consumer keeps in its memory it finds again, whatever the group does. Nothing is guessed, so a change that holds here holds against these
// faults and these events, and not against everything.
func FindRemedies(c *Case, limits RemedyLimits) (*Remedies, error) {
	plan, err := Plan(c)
	if err != nil {
		return nil, err
	}
	s := &search{c: c, plan: plan, limits: limits, mem: &Memory{}}
	stacks := c.Intent.Scenario.variants(c.Intent.Stack)
	if err := s.begin(int64(len(stacks))); err != nil {
		return nil, err
	}
	out := &Remedies{Faults: len(plan)}
	for i, with := range stacks {
		if with.beyond != "" && slices.ContainsFunc(out.Changes, func(r Remedy) bool { return r.Change == with.beyond && r.Met > 0 && r.Broken() == 0 }) {
			continue
		}
		r, err := s.remedy(with)
		if _, crash := errors.AsType[*Crash](err); crash && c.Intent.Scenario.code != nil && i > 0 {
			continue // a layer that does not fit what the team's code does, such as an outbox around two calls of one stage
		}
		if err != nil {
			return nil, err
		}
		if i == 0 {
			out.AsIs = *r
		} else {
			out.Changes = append(out.Changes, *r)
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
	tries   int // most placements of each stack
	mem     *Memory
	runs    int
}

// begin does the run of the case, with all members if they change nothing: whom its faults struck, and whether the
// search is affordable.
func (s *search) begin(stacks int64) error {
	r, hits, err := s.withAllMembers()
	if err == nil && r == nil {
		r, hits, err = observe(s.c, s.mem, s.limits.Patience)
		s.runs++
	}
	if err != nil {
		return err
	}
	ways := s.ways(keyed(hits))
	s.tries = max(1, s.limits.Runs)
	if len(s.plan) > maxRemedyFaults || s.limits.Intents > 0 && r.Row.Offered > s.limits.Intents {
		return ErrTooLarge
	}
	if s.limits.Events > 0 {
		most := int(s.limits.Events / (stacks * r.Row.Events))
		if most < min(ways, s.tries, minTries) {
			return ErrTooLarge
		}
		s.tries = min(s.tries, most)
	}
	for _, f := range s.plan {
		s.victims = append(s.victims, struck(r.History, f))
	}
	return nil
}

// withAllMembers makes the case one of the whole group, if that shows the finding; nil otherwise.
func (s *search) withAllMembers() (*Result, []faults.ObservedHit, error) {
	if s.c.Intent.Reductions == nil || s.c.Intent.Reductions.KeepNodes == nil {
		return nil, nil, nil
	}
	c, kept := *s.c, *s.c.Intent.Reductions
	kept.KeepNodes = nil
	c.Intent.Reductions = &kept
	s.runs++
	r, hits, err := observe(&c, s.mem, s.limits.Patience)
	if err != nil || !shows(r, c.Intent.Fingerprint) {
		return nil, nil, err
	}
	s.c = &c
	return r, hits, nil
}

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
	r := &Remedy{Change: with.change, Layer: with.layer, Added: with.added, Placements: s.ways(hits)}
	tries := min(r.Placements, s.tries)
	for i := range tries {
		c.Intent.Plan = faults.Lines(s.placement(hits, i*r.Placements/tries))
		if err := s.judge(&c, r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// ways to place all faults.
func (s *search) ways(hits []faults.ObservedHit) int {
	ways := 1
	for _, f := range s.plan {
		ways *= len(hits)*count(!f.Trigger.Drained) + count(f.Trigger.Timed())
	}
	return ways
}

// count is 1 for what is so.
func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// placement is the number-th way to place the faults. One that has a time may also stay at its time: what it does there
// need not be what it does at any hook, as for an outage that begins before the event.
func (s *search) placement(hits []faults.ObservedHit, number int) []faults.Fault {
	out := slices.Clone(s.plan)
	for i, f := range s.plan {
		own := count(f.Trigger.Timed())
		places := len(hits)*count(!f.Trigger.Drained) + own
		if at := number % places; at >= own {
			out[i] = faults.Place(f, hits[at-own], s.victims[i])
		}
		number /= places
	}
	return out
}

// judge does one run.
func (s *search) judge(c *Case, into *Remedy) error {
	s.runs++
	into.Tried++
	r, err := Supervise(c, s.mem, s.limits.Patience)
	if _, crash := errors.AsType[*Crash](err); crash {
		return err
	} else if err != nil {
		return nil // the changed stack has no node of that name, such as a store: the fault cannot happen to it
	}
	if why, bad := r.Failed(); bad {
		return &Crash{How: "panic", Detail: why}
	}
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
	if r.Row.Losses() > 0 {
		into.Lost++
	}
	if slices.ContainsFunc(r.History.Facts, func(f history.Fact) bool { return f.Kind == history.KindParked }) {
		into.Parked++
	}
	return nil
}
