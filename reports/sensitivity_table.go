package reports

import (
	"fmt"
	"strings"
)

// sensitivitySheet is the rates over a common multiplier of all frequencies; nil when none were asked for.
func (t *table) sensitivitySheet() *sheet {
	all := sensitivitiesOf(&t.in, t.cells)
	if len(all) == 0 || len(all[0].Points) == 0 {
		return nil
	}
	runs := count(t.in.Multiplied.Runs, "run") + " each"
	if t.in.Multiplied.Runs < decisiveRuns {
		runs += fmt.Sprintf(" (a first look; decide with --runs %d)", decisiveRuns)
	}
	out := &sheet{above: "Sensitivity: damage a day when every frequency of " + t.in.Exposed.Name + " is multiplied, simulated with as many faults as then come, " + runs}
	out.heads = []string{"slope (95 %)"}
	for _, p := range all[0].Points {
		out.heads = append(out.heads, fmt.Sprintf("×%d %s/run", p.Multiplier, brief(p.FaultsPerRun)))
	}
	for i := range all {
		s := &all[i]
		out.addSensitivity(s.Stack+" duplicates", s.Points, s.DuplicatesSlope, func(p *SensitivityPoint) (Interval, *Interval) { return p.DuplicatesPerDay, p.DuplicatesSingle })
		out.addSensitivity(s.Stack+" lost", s.Points, s.LossesSlope, func(p *SensitivityPoint) (Interval, *Interval) { return p.LossesPerDay, p.LossesSingle })
	}
	out.notes = append(out.notes, note{"slope", "how many faults must coincide for the damage: 1 = a single fault does it, 2 = it takes two at a time"},
		note{"×, /run", "what every frequency is multiplied by, and how many faults a run then has on average"},
		note{"singly", "the sum over fault kinds of multiplied frequency × damage per fault; it agrees while faults are over before the next one comes" + t.afterwards()})
	return out
}

// addSensitivity adds the simulated line, and that of single faults where it is known.
func (s *sheet) addSensitivity(name string, points []SensitivityPoint, slope *Interval, of func(*SensitivityPoint) (Interval, *Interval)) {
	simulated, singly := make([]string, 0, len(points)+1), make([]string, 0, len(points)+1)
	known, damaged := false, false
	for i := range points {
		p := &points[i]
		rate, single := of(p)
		damaged = damaged || rate.Value > 0
		text, below := "·", ""
		if p.Runs > 0 {
			text = rateText(rate)
		}
		if single != nil {
			known, below = true, rateText(*single)
		}
		simulated, singly = append(simulated, text), append(singly, below)
	}
	text := "too little"
	if slope != nil {
		text = fmt.Sprintf("%.2f (%.2f–%.2f)", slope.Value, slope.Lo, slope.Hi)
	}
	s.names, s.rows = append(s.names, name), append(s.rows, append([]string{text}, simulated...))
	if known && damaged {
		s.names, s.rows = append(s.names, "  singly"), append(s.rows, append([]string{""}, singly...))
	}
}

// afterwards names what has a frequency and is not among the faults of these runs.
func (t *table) afterwards() string {
	var names []string
	for _, k := range t.in.exposedKinds() {
		if k.After > 0 {
			names = append(names, k.Title)
		}
	}
	return prefixed("; not among them, because it comes after the load: ", strings.Join(names, ", "))
}
