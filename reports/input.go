package reports

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// Input is all that a report of a comparison is made of. Rows may hold anything that a sweep left: rows of stacks
// or faults that are not listed are not shown, rows of another scenario or epoch are an error.
type Input struct {
	Scenario      string // name
	ScenarioHash  string
	Epoch         int
	BaseSeed      uint64
	RunsPerCell   int
	HuntsPerStack int     // hunting runs that were asked for; 0 = none
	Exposed       Exposed // the exposure profile that rates rest on
	Multiplied    Multiplied
	Precision     float64 // ± of shares at which cells stopped; 0 = every cell has its runs

	Stacks []StackInfo         // rows of the table, in the order of the scenario
	Faults []history.FaultKind // columns, none included
	Rows   []history.Row

	Cases         map[[2]string]string // (stack, fault) → path of the case relative to --out
	CellContracts map[[2]string]string // (stack, fault) → held, broken, outside, vacuous or unknown
	CannotHappen  map[[2]string]bool   // (stack, fault) → there is nothing that this fault could hit

	RunTwice   int    // runs done twice with equal digests
	Elapsed    string // ready text, for instance "41 s"; "" = not told
	Load       string // ready line about load, utilisation and drain limit
	NotifyNote string // ready sentence about notify effects
	Again      string // command of the smallest break; "" = none
	Command    string // how this process was started, for printed commands

	Costs bool           // tables show costs too; the page always does
	Edges []history.Edge // measured bounds; nil = not looked for

	Stories     []Told   // of failing runs, the smallest break first; report.html tells them
	Judgement   []string // ready lines: broken promises, what is undecided, expectations
	NotModelled []string // what no run can show, one sentence each
}

// Told is a story with the facts that it is about.
type Told struct {
	History  *history.History
	Finding  history.Finding
	Options  StoryOptions
	Case     string // path of the case relative to --out
	Promised bool   // a promise inside the envelope does not allow it
}

// StackInfo is what a report says about one stack beyond its cells.
type StackInfo struct {
	Name               string
	Contract           history.Contract
	Verdict            string            // pass, fail, vacuous or unknown
	Promises           map[string]string // property → verdict
	HuntRuns           int
	HuntBreaches       int // of them broke a promise inside the envelope
	HuntOutside        int // of them lay outside the envelope
	PermittedNeverSeen []string
	Sentence           string   // the last column; "" = written from the cells
	Why                string   // what it is, for people; "" = not told
	Parts              []string // its engine, then its layers from the outermost
}

// Control is the fault kind that is no fault: a line, never a column.
const Control = "none"

// decisiveRuns is the number of runs a cell needs before its figures may decide something.
const decisiveRuns = 300

// check refuses rows that belong to another scenario or model epoch.
func (in *Input) check() error {
	if in.ScenarioHash == "" {
		return nil
	}
	for i := range in.Rows {
		r := &in.Rows[i]
		if r.Scenario != in.ScenarioHash || r.Epoch != in.Epoch {
			return fmt.Errorf("row %d (%s, %s, seed %d) is of scenario %s, epoch %d: this report is of %s, epoch %d",
				i, r.Stack, r.Fault, r.Seed, r.Scenario, r.Epoch, in.ScenarioHash, in.Epoch)
		}
	}
	return nil
}

// runsText says how many runs a cell has, and whether that is enough to decide something. Parts of a comparison that
// was split over machines have fewer than were asked for: the least counts.
func (in *Input) runsText() (text string, decisive bool) {
	least := in.RunsPerCell
	for _, c := range sums(*in) {
		least = min(least, c.Runs)
	}
	if in.Precision > 0 {
		return fmt.Sprintf("%d to %s a cell, until shares of runs were known to ± %s %%", least, count(in.RunsPerCell, "run"), percent(in.Precision)), least >= decisiveRuns
	}
	text = count(in.RunsPerCell, "run") + " a cell"
	if least < in.RunsPerCell {
		text = fmt.Sprintf("incomplete: only %d of %s in some cells", least, text)
	}
	return text, least >= decisiveRuns
}

// huntsText says how many hunting runs each stack has, the least if a part of a comparison has fewer; "" = none.
func (in *Input) huntsText() string {
	least := in.HuntsPerStack
	for i := range in.Stacks {
		least = min(least, in.Stacks[i].HuntRuns)
	}
	text := count(in.HuntsPerStack, "hunting run") + " a stack"
	switch {
	case in.HuntsPerStack == 0:
		return ""
	case least < in.HuntsPerStack:
		return fmt.Sprintf("incomplete: only %d of %s in some", least, text)
	}
	return text
}

// columns are the fault kinds without the control.
func (in *Input) columns() []history.FaultKind {
	var kinds []history.FaultKind
	for _, k := range in.Faults {
		if k.Name != Control {
			kinds = append(kinds, k)
		}
	}
	return kinds
}
