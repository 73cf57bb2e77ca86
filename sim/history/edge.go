package history

// Edge is how much of one kind of fault a stack stands, measured against one bound of its envelope. Sizes are ns: of
// what the fault kind states about itself, so the By of a skew, the duration of an outage, the time from the end of the
// drain to a replay.
type Edge struct {
	Stack     string    `json:"stack"`
	Dimension Dimension `json:"dimension"`
	Fault     string    `json:"fault"` // fault kind that loads the dimension
	Plan      string    `json:"plan"`  // measuring, or hunting with a companion

	Declared int64 `json:"declared_ns"` // the bound as it is stated
	Inside   int64 `json:"inside_ns"`   // the largest such fault that the envelope admits; 0 = none
	Holds    int64 `json:"holds_ns"`    // no run broke a promise here or at any smaller size that was tried; 0 = it broke at the smallest
	Breaks   int64 `json:"breaks_ns"`   // the smallest size at which a run broke one; 0 = none did
	Again    int64 `json:"again_ns"`    // the largest size above Breaks at which no run broke one: the response is not monotone; 0 = none
	Limit    int64 `json:"limit_ns"`    // of the search

	Runs      int      `json:"runs"`      // at each size, the same seeds at every size
	Seed      uint64   `json:"seed"`      // of the first of them; run i has Seed+i
	Targets   []string `json:"targets"`   // whom the runs took in turn
	Companion string   `json:"companion"` // what each run has besides; "" = nothing

	Breaches int         `json:"breaches"` // runs that broke a promise inside the envelope
	Case     *string     `json:"case"`     // of the smallest seed at Breaks, relative to the directory of the report
	Probes   []EdgeProbe `json:"probes"`   // every size that was tried, ascending
}

// EdgeProbe is what the runs at one size showed.
type EdgeProbe struct {
	Size      int64    `json:"size_ns"`
	Runs      int      `json:"runs"`
	Touched   int      `json:"touched"`           // runs whose faults met work in flight
	Broken    int      `json:"broken"`            // runs that broke a promise
	Breaches  int      `json:"breaches"`          // of these, inside the envelope
	Undecided int      `json:"undecided"`         // runs that broke none, but not every promise could be decided
	Seed      uint64   `json:"seed,omitempty"`    // the smallest that broke a promise
	Targets   []string `json:"targets,omitempty"` // whom the fault hit in the runs that broke
}

// Held says whether every run kept every promise.
func (p *EdgeProbe) Held() bool { return p.Broken == 0 && p.Undecided == 0 }

// At finds the probe of a size; an empty one if it was not tried.
func (e *Edge) At(size int64) EdgeProbe {
	for _, p := range e.Probes {
		if p.Size == size {
			return p
		}
	}
	return EdgeProbe{}
}

// Conclude fills in what follows from the probes.
func (e *Edge) Conclude() {
	e.Holds, e.Breaks, e.Again, e.Breaches = 0, 0, 0, 0
	held := true
	for _, p := range e.Probes {
		held = held && p.Held()
		if held {
			e.Holds = p.Size
		}
		switch {
		case p.Broken > 0 && e.Breaks == 0:
			e.Breaks = p.Size
		case p.Held() && e.Breaks > 0:
			e.Again = p.Size
		}
		e.Breaches += p.Breaches
	}
}

// The standings of a declared bound.
const (
	BoundTrue      = "true"      // everything that it admits held, as far as it was tried
	BoundWrong     = "wrong"     // a promise broke inside it
	BoundDoubtful  = "doubtful"  // what it surely admits held, but a promise broke before the bound as it is stated
	BoundUndecided = "undecided" // runs inside it could not be decided
	BoundEmpty     = "empty"     // it admits no fault of this kind
)

// Standing says what the search says about the declared bound.
func (e *Edge) Standing() string {
	switch {
	case e.Breaches > 0:
		return BoundWrong
	case e.Inside == 0:
		return BoundEmpty
	case e.Holds < e.Inside:
		return BoundUndecided
	case e.Breaks > 0 && e.Breaks < e.Declared:
		return BoundDoubtful
	}
	return BoundTrue
}
