package scenarios

import (
	"slices"
	"time"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim/history"
)

// sight is what a run shows of what may be cut away. It is a copy: the history goes with the next run.
type sight struct {
	hits    []faults.ObservedHit
	events  []string         // offered
	last    int64            // ns; latest intended arrival
	offered int64            //
	stories [][]string       // for findings of the fingerprint: the events that each is about
	began   map[string]int64 // ns; when the fault of a line took effect, looked up only
}

// maxStories is the number of findings that are tried as the one to keep.
const maxStories = 4

// observe does one run of a case and collects the hooks that it passes.
func observe(c *Case, mem *Memory, patience time.Duration) (r *Result, hits []faults.ObservedHit, err error) {
	var o *faults.Observer
	r, err = finished(c, mem, patience, func() (*Result, error) {
		plan, err := Plan(c)
		if err != nil {
			return nil, err
		}
		w := build(c, plan, mem)
		defer w.sim.Close()
		o = faults.Observe(w.sim)
		return w.finish(c), nil
	})
	if err != nil {
		return nil, nil, err // an abandoned run may still write to o
	}
	return r, o.Hits(), nil
}

// first looks at the given case, which must show its finding.
func (s *shrinker) first() error {
	s.runs++
	c := s.caseOf(&s.now)
	r, hits, err := observe(c, s.mem, s.opt.Patience)
	if err != nil {
		return err
	}
	if !shows(r, c.Intent.Fingerprint) {
		return ErrFindingGone
	}
	s.outside, s.seen = r.Row.Outside, sightOf(r, hits, c.Intent.Fingerprint)
	return nil
}

// look is the sight of the smallest case so far, by a run if need be; nil = the budget is spent.
func (s *shrinker) look() *sight {
	if s.seen != nil || !s.affords() {
		return s.seen
	}
	s.runs++
	c := s.caseOf(&s.now)
	r, hits, err := observe(c, s.mem, s.opt.Patience)
	if err != nil {
		s.mem = &Memory{}
		return nil
	}
	s.seen = sightOf(r, hits, c.Intent.Fingerprint)
	return s.seen
}

func sightOf(r *Result, hits []faults.ObservedHit, fingerprint string) *sight {
	at := &sight{hits: hits, offered: r.Row.Offered, began: map[string]int64{}}
	for i := range r.History.Facts {
		switch f := &r.History.Facts[i]; f.Kind {
		case history.KindOffered:
			at.events = append(at.events, f.Event)
			at.last = max(at.last, f.Until)
		case history.KindFaultBegan:
			at.began[f.Note] = f.Time
		}
	}
	for i := range r.Verdicts.Findings {
		f := &r.Verdicts.Findings[i]
		if f.Fingerprint() != fingerprint || len(at.stories) == maxStories {
			continue
		}
		if events := eventsOf(r.History, f); len(events) > 0 {
			at.stories = append(at.stories, events)
		}
	}
	return at
}

// eventsOf a finding: its own first, then those of its evidence, such as the one that overtook it.
func eventsOf(h *history.History, f *history.Finding) []string {
	var out []string
	add := func(event string) {
		if event != "" && !slices.Contains(out, event) {
			out = append(out, event)
		}
	}
	add(f.Event)
	for _, id := range f.Evidence {
		if id >= 1 && id <= int64(h.Len()) {
			add(h.At(id).Event)
		}
	}
	return out
}

// of are the hits of some events.
func (at *sight) of(events []string) []faults.ObservedHit {
	var out []faults.ObservedHit
	for _, h := range at.hits {
		if slices.Contains(events, h.Event) {
			out = append(out, h)
		}
	}
	return out
}
