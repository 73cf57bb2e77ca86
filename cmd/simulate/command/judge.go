package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// contract of a stack.
func (c *comparison) contract(stack string) history.Contract { return c.stack(stack).Contract }

// stack by its name; an empty one if the scenario has none.
func (c *comparison) stack(name string) *scenarios.Stack {
	for i := range c.sc.Stacks {
		if c.sc.Stacks[i].Name == name {
			return &c.sc.Stacks[i]
		}
	}
	return &scenarios.Stack{}
}

// parts are the engine of a stack, then its layers.
func parts(st *scenarios.Stack) []string {
	names := []string{st.Engine}
	for i := range st.Layers {
		names = append(names, st.Layers[i].Kind)
	}
	return names
}

// input is what the report is made of, a function of the rows but for the time that it took.
func (done *finished) input(rows []history.Row, cases []savedCase) reports.Input {
	in := reports.Input{
		Scenario: done.sc.Name, ScenarioHash: done.sc.Hash(), Epoch: scenarios.Epoch, BaseSeed: done.base, RunsPerCell: done.most(rows), HuntsPerStack: done.hunts,
		Rows: rows, Cases: map[[2]string]string{}, CellContracts: map[[2]string]string{},
		CannotHappen: map[[2]string]bool{}, Multiplied: done.multiplied(), Precision: done.within(), Edges: done.edges,
		RunTwice: done.twice, Elapsed: done.elapsed, Load: done.load(rows), NotModelled: scenarios.NotModelled(),
	}
	for _, f := range done.faults {
		kind, _ := history.FaultKindByName(f)
		in.Faults = append(in.Faults, kind)
	}
	for _, s := range done.stacks {
		contract := done.contract(s)
		v := checker.Judge(rowsOf(rows, s), contract)
		info := reports.StackInfo{Name: s, Contract: contract, Verdict: v.Verdict.String(), Promises: map[string]string{},
			Why: done.stack(s).Why, Parts: parts(done.stack(s))}
		info.HuntRuns, info.HuntBreaches, info.HuntOutside = hunted(rowsOf(rows, s), checker.Promised(contract))
		for _, p := range v.Properties {
			info.Promises[string(p.Property)] = p.Verdict.String()
		}
		for _, p := range v.PermittedButNeverSeen {
			info.PermittedNeverSeen = append(info.PermittedNeverSeen, string(p))
		}
		in.Stacks = append(in.Stacks, info)
		for _, f := range done.faults {
			in.CellContracts[[2]string{s, f}] = checker.CellContract(cellOf(rows, s, f), contract)
			in.CannotHappen[[2]string{s, f}] = !done.sc.CanHappen(s, f)
		}
	}
	for i := range cases {
		if r := &cases[i].row; r.Plan == history.Measuring {
			in.Cases[[2]string{r.Stack, r.Fault}] = cases[i].file
		}
	}
	return in
}

func rowsOf(rows []history.Row, stack string) []history.Row {
	var out []history.Row
	for i := range rows {
		if rows[i].Stack == stack {
			out = append(out, rows[i])
		}
	}
	return out
}

// load says what the runs carried: "load 4/s through 90 s of chaos, 3 consumers 33 % busy · drain limit 15m …".
func (done *finished) load(rows []history.Row) string {
	sc := done.sc
	rate := sc.Workload.Arrival
	if _, inner, ok := strings.Cut(rate, "("); ok {
		rate = strings.TrimSuffix(inner, ")")
	}
	members := fmt.Sprintf("%d consumers", sc.Consumers.Members)
	if sc.Consumers.Members == 1 {
		members = "1 consumer"
	}
	return fmt.Sprintf("load %s through %s of chaos, %s %s busy · drain limit %s (longest timeout chain %s)",
		rate, seconds(sc.Phases.Chaos), members, done.busy(rows), rng.FormatDuration(sc.Phases.Drain), rng.FormatDuration(sc.Phases.Chain))
}

// seconds writes ns with a blank before the unit.
func seconds(ns int64) string {
	if ns%1_000_000_000 == 0 && ns <= 120_000_000_000 {
		return fmt.Sprintf("%d s", ns/1_000_000_000)
	}
	return rng.FormatDuration(ns)
}

// busy is the share of their time that consumers worked in the control, or would by mean times if it was not run.
func (done *finished) busy(rows []history.Row) string {
	var busy, runs int64
	for i := range rows {
		if rows[i].Fault == reports.Control {
			busy += rows[i].BusyTime
			runs++
		}
	}
	permille := done.sc.Utilisation()
	if all := runs * int64(done.sc.Consumers.Members) * (done.sc.Phases.Chaos / 1_000_000); all > 0 {
		permille = (busy/1_000_000*1000 + all/2) / all
	}
	return fmt.Sprintf("%d %%", (permille+5)/10)
}

// notifyStatement says that no stack here delivers notifications exactly once, if that is so: each stack in which work
// is done again, or recognised as a repetition, repeats notifications.
func (done *finished) notifyStatement(rows []history.Row) []string {
	repeating := 0
	for _, s := range done.stacks {
		var again, notified int64
		for _, r := range rowsOf(rows, s) {
			again += r.Suppressed
			for _, n := range r.Excess {
				again += n
			}
			notified += r.Excess[history.Notify]
		}
		if again > 0 && notified == 0 {
			return nil
		}
		if again > 0 {
			repeating++
		}
	}
	if repeating == 0 {
		return nil
	}
	return []string{"notify effects: no stack here delivers them exactly once: the notification service takes no key and answers no query"}
}

// judgement is what the exit code of a comparison is made of, with the lines that say so.
type judgement struct {
	broken, open, noted bool
	lines               []string
}

// code is the exit code.
func (j *judgement) code(strict bool) int {
	switch {
	case j.broken:
		return exitFinding
	case j.open, strict && j.noted:
		return exitInconclusive
	}
	return 0
}

func (j *judgement) say(head, format string, args ...any) {
	for _, line := range wrap(fmt.Sprintf(format, args...), pageWidth-16) {
		j.lines = append(j.lines, fmt.Sprintf("%-16s%s", head, line))
		head = ""
	}
}

// judge weighs contracts and expectations.
func (done *finished) judge(in reports.Input) *judgement {
	j := &judgement{}
	if h := done.handlers; h != nil {
		j.say("code", "%s of %s, version %s; the other stages do what the file says", strings.Join(h.Stages, ", "), h.program(), h.Version)
	}
	for i := range in.Stacks {
		s := &in.Stacks[i]
		v := checker.Judge(rowsOf(in.Rows, s.Name), s.Contract)
		for _, p := range v.Properties {
			switch p.Verdict {
			case checker.Fail:
				j.breach(s.Name, fmt.Sprintf("%s promises no %s: %d inside its envelope (%s)", s.Name, p.Property, p.Violations, done.brokenUnder(in, s, p.Property)),
					breaches(rowsOf(in.Rows, s.Name), p.Property), done.sc.Accepted())
			case checker.Unknown:
				j.open = true
				j.say("undecided", "%s: %s could not be decided on %d intents", s.Name, p.Property, p.Undecided)
			case checker.Vacuous:
				j.open = true
				j.say("says nothing", "%s: %s was never exercised", s.Name, p.Property)
			case checker.Pass:
			}
		}
		j.noted = j.noted || len(s.PermittedNeverSeen) > 0
	}
	for _, s := range done.stacks {
		for _, f := range done.faults {
			runs := len(cellOf(in.Rows, s, f))
			cell := [2]string{s, f}
			j.noted = j.noted || runs > 0 && !in.CannotHappen[cell] && in.CellContracts[cell] == "vacuous"
		}
	}
	j.edges(in.Edges)
	j.expectations(done.sc.Expect, in)
	return j
}

// brokenUnder lists the fault kinds under which a promise was broken.
func (done *finished) brokenUnder(in reports.Input, s *reports.StackInfo, p history.Property) string {
	var kinds []string
	for _, f := range done.faults {
		for _, r := range cellOf(in.Rows, s.Name, f) {
			if !r.Outside && r.Violations[string(p)] > 0 {
				kinds = append(kinds, f)
				break
			}
		}
	}
	for _, many := range []struct{ plan, name string }{{history.Hunting, "a hunt"}, {history.Poisson, "faults as often as the sensitivity has them"}} {
		if slices.ContainsFunc(rowsOf(in.Rows, s.Name), func(r history.Row) bool { return r.Plan == many.plan && breach(&r, p) }) {
			kinds = append(kinds, many.name)
		}
	}
	return strings.Join(kinds, ", ")
}
