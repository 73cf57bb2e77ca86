package reports

import (
	"math"

	"github.com/twiceless/twiceless/sim/history"
)

// Sensitivity is level 3 of one stack: its rate when all frequencies of the profile are multiplied, simulated with as
// many faults as then come. Its fields are those of results.json.
type Sensitivity struct {
	Stack           string             `json:"stack"`
	Points          []SensitivityPoint `json:"points"`           // by multiplier
	DuplicatesSlope *Interval          `json:"duplicates_slope"` // null: too little damage to tell
	LossesSlope     *Interval          `json:"losses_slope"`
}

// SensitivityPoint is the rate at one multiplier, simulated, and what single faults add up to: the sum over the same
// kinds of multiplied frequency × damage per fault, null below 300 runs in a contributing cell. The two agree while one
// fault is over before the next one comes.
type SensitivityPoint struct {
	Multiplier       int64     `json:"multiplier"`
	FaultsPerRun     float64   `json:"faults_per_run"` // expected
	Runs             int       `json:"runs"`
	DuplicatesPerDay Interval  `json:"duplicates_per_day"`
	LossesPerDay     Interval  `json:"losses_per_day"`
	DuplicatesSingle *Interval `json:"duplicates_per_day_of_single_faults"`
	LossesSingle     *Interval `json:"losses_per_day_of_single_faults"`

	duplicates, losses moments
}

// Multiplied says which sensitivity an input holds rows of. The zero value is none.
type Multiplied struct {
	Stacks       []string
	Multipliers  []int64 // ascending
	FaultsPerRun float64 // expected at multiplier 1
	Runs         int     // that were asked for
}

// leastDamaged is the number of damaged runs below which a point says nothing of a slope: the logarithm of a mean of
// fewer is neither near its own expectation nor near normal.
const leastDamaged = 10

// Sensitivities returns one for each stack that was asked for, in the order of the stacks.
func Sensitivities(in Input) []Sensitivity { return sensitivitiesOf(&in, sums(in)) }

func sensitivitiesOf(in *Input, cells []cell) []Sensitivity {
	byPair := map[[2]string][]*history.Row{}
	for i := range in.Rows {
		if r := &in.Rows[i]; r.Plan == history.Poisson {
			pair := [2]string{r.Stack, r.Fault}
			byPair[pair] = append(byPair[pair], r)
		}
	}
	var out []Sensitivity
	for _, stack := range in.Multiplied.Stacks {
		s := Sensitivity{Stack: stack}
		duplicates, losses := in.singleFaults(cells, stack)
		for _, m := range in.Multiplied.Multipliers {
			rows := distinct(byPair[[2]string{stack, history.PoissonFault(m)}])
			p := SensitivityPoint{Multiplier: m, FaultsPerRun: rounded(in.Multiplied.FaultsPerRun * float64(m)), Runs: len(rows),
				duplicates: momentsOf(rows, criticalExcess), losses: momentsOf(rows, lostIntents),
				DuplicatesSingle: duplicates.scaled(float64(m)), LossesSingle: losses.scaled(float64(m))}
			p.DuplicatesPerDay, p.LossesPerDay = in.simulatedRate(rows, criticalExcess), in.simulatedRate(rows, lostIntents)
			s.Points = append(s.Points, p)
		}
		s.DuplicatesSlope = slopeOf(s.Points, func(p *SensitivityPoint) *moments { return &p.duplicates })
		s.LossesSlope = slopeOf(s.Points, func(p *SensitivityPoint) *moments { return &p.losses })
		out = append(out, s)
	}
	return out
}

// simulatedRate is the damage of a run by the time for which it was exposed: its load.
func (in *Input) simulatedRate(rows []*history.Row, count counter) Interval {
	if in.Exposed.Load <= 0 || len(rows) == 0 {
		return Interval{}
	}
	counts := make([]int64, len(rows))
	for i, r := range rows {
		counts[i] = count(r)
	}
	return mean(counts, len(rows)).times(float64(day) / float64(in.Exposed.Load))
}

// singleFaults is level 2 of a stack over the kinds that recur while there is load; nil without runs enough.
func (in *Input) singleFaults(cells []cell, stack string) (duplicates, losses *Interval) {
	var d, l []term
	for _, k := range in.exposedKinds() {
		c := findCell(cells, stack, k.Name)
		if k.After > 0 || c == nil || c.cannotHappen {
			continue
		}
		if c.Runs < decisiveRuns {
			return nil, nil
		}
		d, l = append(d, c.term(k.perDay, criticalExcess)), append(l, c.term(k.perDay, lostIntents))
	}
	if len(d) == 0 {
		return nil, nil
	}
	sumD, sumL := combined(d), combined(l)
	return &sumD, &sumL
}

func (iv *Interval) scaled(x float64) *Interval {
	if iv == nil {
		return nil
	}
	by := iv.times(x)
	return &by
}

// moments of a count over runs.
type moments struct {
	n, damaged     int
	mean, variance float64 // of one run
}

func momentsOf(rows []*history.Row, count counter) moments {
	m := moments{n: len(rows)}
	var sum, square float64
	for _, r := range rows {
		v := float64(count(r))
		sum, square = sum+v, square+v*v
		m.damaged += one(v > 0)
	}
	if n := float64(m.n); n > 1 {
		m.mean, m.variance = sum/n, (square-sum*sum/n)/(n-1)
	}
	return m
}

// slopeOf is the slope of log rate over log multiplier, a line fitted by least squares with the inverse variances of the
// logarithms as weights, and its 95 % interval. If k faults must coincide, a rate grows with the k-th power.
// Runs of different multipliers share their environment, which can only make the fit better than the interval says.
// nil: fewer than two points have damage enough.
func slopeOf(points []SensitivityPoint, of func(*SensitivityPoint) *moments) *Interval {
	var w, wx, wy, wxx, wxy float64
	used := 0
	for i := range points {
		m := of(&points[i])
		if m.damaged < leastDamaged || m.variance <= 0 {
			continue
		}
		x, y := math.Log(float64(points[i].Multiplier)), math.Log(m.mean)
		weight := m.mean * m.mean * float64(m.n) / m.variance
		w, wx, wy, wxx, wxy, used = w+weight, wx+weight*x, wy+weight*y, wxx+weight*x*x, wxy+weight*x*y, used+1
	}
	if used < 2 {
		return nil
	}
	spread := wxx - wx*wx/w
	slope, half := (wxy-wx*wy/w)/spread, 1.96/math.Sqrt(spread)
	return &Interval{rounded(slope), rounded(slope - half), rounded(slope + half)}
}
