package reports

import (
	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim/history"
)

// Rate is what a stack does to a system that is exposed to faults as a profile says: the sum over fault kinds of
// frequency × parties × damage per fault. Its fields are those of results.json.
//
// Value is of all compared kinds that the profile has a frequency for, under the assumption that faults come one at a
// time; kinds without a column add nothing and are named beside the table. For intervals see combined; a cell of zeros
// adds its bound to hi, counted as one effect in each such run. Damage is measured under the scenario's load, which
// ends with the chaos phase: of a fault that lasts longer the part beyond it met nobody, and the rate is low by that.
type Rate struct {
	Stack                string   `json:"stack"`
	DuplicatesPerMillion Interval `json:"duplicates_per_million"` // per 10^6 intents offered
	LossesPerMillion     Interval `json:"losses_per_million"`
	DuplicatesPerDay     float64  `json:"duplicates_per_day"`
	LossesPerDay         float64  `json:"losses_per_day"`

	duplicatesDay, lossesDay Interval // for tables
}

// Exposed is a profile as it meets the system of a scenario.
type Exposed struct {
	faults.Exposure
	Origin   string           // ready text: where its lines can be read, for instance a command
	Parties  map[string]int64 // by fault kind: how many parties its frequency is counted for
	Interval int64            // mean ns between two intents; 0 = no rate can be told
	Load     int64            // ns of chaos, in which intents are offered
}

const day = 86_400_000_000_000 // ns

// exposedKind is a column that a rate is made of.
type exposedKind struct {
	history.FaultKind
	perDay float64 // faults
}

// exposedKinds are the compared kinds that the profile says happen, in the order of the columns.
func (in *Input) exposedKinds() []exposedKind {
	var kinds []exposedKind
	for _, k := range in.columns() {
		for _, line := range in.Exposed.Lines {
			if line.Kind != k.Name {
				continue
			}
			if num, den := line.Rate.PerDay(in.Exposed.Parties[k.Name]); num > 0 {
				kinds = append(kinds, exposedKind{k, float64(num) / float64(den)})
			}
		}
	}
	return kinds
}

// Rates returns one rate per stack, or none: when a contributing cell has fewer than 300 runs, when the profile names
// none of the compared kinds, or when the input says nothing of the load.
func Rates(in Input) []Rate { return newTable(in).rates() }

func ratesOf(in *Input, cells []cell) []Rate {
	kinds := in.exposedKinds()
	if len(kinds) == 0 || in.Exposed.Interval <= 0 {
		return nil
	}
	rates := make([]Rate, 0, len(in.Stacks))
	for _, s := range in.Stacks {
		var duplicates, losses []term
		for _, k := range kinds {
			c := findCell(cells, s.Name, k.Name)
			if c.cannotHappen {
				continue
			}
			if c.Runs < decisiveRuns {
				return nil
			}
			duplicates = append(duplicates, c.term(k.perDay, criticalExcess))
			losses = append(losses, c.term(k.perDay, lostIntents))
		}
		r := Rate{Stack: s.Name, duplicatesDay: combined(duplicates), lossesDay: combined(losses)}
		million := 1e6 / (float64(day) / float64(in.Exposed.Interval)) // days in which a million intents are offered
		r.DuplicatesPerMillion, r.LossesPerMillion = r.duplicatesDay.times(million), r.lossesDay.times(million)
		r.DuplicatesPerDay, r.LossesPerDay = rounded(r.duplicatesDay.Value), rounded(r.lossesDay.Value)
		rates = append(rates, r)
	}
	return rates
}

// findCell finds the cell of a listed stack and fault; there always is one.
func findCell(cells []cell, stack, fault string) *cell {
	for i := range cells {
		if c := &cells[i]; c.Stack == stack && c.Fault == fault {
			return c
		}
	}
	return nil
}

// times scales an interval, rounded as results are.
func (iv Interval) times(x float64) Interval {
	return Interval{rounded(iv.Value * x), rounded(iv.Lo * x), rounded(iv.Hi * x)}
}
