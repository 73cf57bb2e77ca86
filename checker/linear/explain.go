package linear

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	maxInvolved  = 16    // operations that a violation names
	maxMet       = 4     // states that a sentence names
	maxExplained = 20000 // steps that finding those states may take
	maxOpen      = 64    // operations open at once, for that
)

// explain tells of a piece that no order explains, by the first completion that could not be explained when it came.
func (s *search) explain(r *Result, all []entry) {
	p, culprit := s.wrong, s.first
	r.Culprit, r.Involved = culprit.number, involved(culprit, all)
	what := s.object.Describe(&culprit.Action, true)
	switch met := s.met(p, culprit); {
	case len(met) == 0:
		r.Because = fmt.Sprintf("no order of the operations explains that %s", what)
	case len(met) == 1:
		r.Because = fmt.Sprintf("no order of the operations explains that %s: the only state that it may have met is %s", what, met[0])
	default:
		more := ""
		if len(met) > maxMet {
			met, more = met[:maxMet], " and others"
		}
		r.Because = fmt.Sprintf("no order of the operations explains that %s: it may have met %s%s", what, strings.Join(met, ", "), more)
	}
}

// culprit is the operation whose completion was the first that no order explains together with what came before it. What
// explains a history explains what was known of it earlier, so it is found by halving. If the budget ends meanwhile, it is
// the latest completion that is known to be too much.
func (s *search) culprit(p *piece) *entry {
	completions := make([]*entry, 0, len(p.entries))
	for i := range p.entries {
		if e := &p.entries[i]; !e.Pending() {
			completions = append(completions, e)
		}
	}
	slices.SortFunc(completions, func(a, b *entry) int { return cmp.Compare(a.Return, b.Return) })
	low, high := 0, len(completions)-1
	for low < high {
		if middle := (low + high) / 2; s.decide(p, completions[middle].Return) == Violated {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return completions[high]
}

// involved are the culprit, what was open with it, and the latest that had returned before: at most maxInvolved, ascending.
func involved(culprit *entry, all []entry) []int {
	var seen []*entry
	for i := range all {
		if e := &all[i]; e != culprit && e.Call < culprit.Return {
			seen = append(seen, e)
		}
	}
	slices.SortStableFunc(seen, func(a, b *entry) int { return cmp.Compare(b.Return, a.Return) })
	out := []int{culprit.number}
	for _, e := range seen[:min(len(seen), maxInvolved-1)] {
		out = append(out, e.number)
	}
	slices.Sort(out)
	return out
}

// config is a way in which the operations so far may have taken place.
type config struct {
	state  State
	done   uint64 // which of those that are open have taken place
	met    State  // the state that the culprit met
	placed bool   // it did meet one
}

// met are the states in which the culprit may have taken place, so that every answer before its own is explained, for
// people, sorted; none if there are too many to say. All ways are followed at once, from return to return.
func (s *search) met(p *piece, culprit *entry) []string {
	f := frontier{search: s, culprit: culprit, configs: []config{{state: p.from}}}
	for _, e := range p.events(culprit.Return) {
		if e.returns {
			f.placed(e.entry)
		} else {
			f.open = append(f.open, e.entry)
		}
		if len(f.open) > maxOpen || f.steps > maxExplained {
			return nil
		}
	}
	var out []string
	for _, c := range f.configs {
		out = append(out, s.object.Show(c.met))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

type event struct {
	*entry
	at      int64
	returns bool
}

// events are the calls and returns of a piece up to a position, in order.
func (p *piece) events(until int64) []event {
	var out []event
	for i := range p.entries {
		e := &p.entries[i]
		if e.Call < until {
			out = append(out, event{e, e.Call, false})
		}
		if e.Return <= until {
			out = append(out, event{e, e.Return, true})
		}
	}
	slices.SortFunc(out, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	return out
}

// frontier holds all ways up to a position.
type frontier struct {
	*search
	culprit *entry
	open    []*entry // bit i of config.done is open[i]
	configs []config
	steps   int64
}

// placed is the return of an operation: the ways on in which it has taken place.
func (f *frontier) placed(e *entry) {
	at := slices.Index(f.open, e)
	work, known := f.configs, map[config]bool{}
	f.configs = nil
	for len(work) > 0 && f.steps <= maxExplained {
		c := work[len(work)-1]
		work = work[:len(work)-1]
		if known[c] {
			continue
		}
		known[c] = true
		if c.done>>at&1 == 1 {
			c.done = c.done&(1<<at-1) | c.done>>(at+1)<<at
			f.configs = append(f.configs, c)
			continue
		}
		work = f.next(work, c)
	}
	f.open = slices.Delete(f.open, at, at+1)
}

// next are the ways on by one more operation. The answers of those that return after the culprit are not known yet.
func (f *frontier) next(work []config, c config) []config {
	for i, o := range f.open {
		if c.done>>i&1 == 1 {
			continue
		}
		f.steps++
		known := o != f.culprit && o.Return <= f.culprit.Return
		after, possible := f.object.Step(c.state, &o.Action, known)
		if !possible {
			continue
		}
		n := config{after, c.done | 1<<i, c.met, c.placed}
		if o == f.culprit {
			n.met, n.placed = c.state, true
		}
		work = append(work, n)
	}
	return work
}
