package command

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/internal/tell"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// finished is a comparison whose runs are done, here or elsewhere.
type finished struct {
	*comparison
	rows    []history.Row // perhaps more than asked for
	out     string
	twice   int    // runs done twice
	elapsed string // "" = not told
	workers int
}

// finish writes the report and prints the table. What it returns is the exit code of the verdict.
func (a *app) finish(done *finished, f *reportFlags) error {
	rows := done.asked(done.rows)
	cases, err := done.cases(rows)
	if err != nil {
		return errors.Join(err, done.save(nil)) // no run is lost
	}
	atEdges, err := done.edgeCases()
	if err != nil {
		return errors.Join(err, done.save(nil))
	}
	in := done.input(rows, cases)
	in.Command, in.Again = a.self, a.again(done, cases)
	in.Exposed, in.Costs = a.exposed(done.comparison), f.cost
	j := done.judge(in)
	notify := done.notifyStatement(measured(rows))
	in.Judgement = append(slices.Clone(j.lines), notify...) // the page may be moved: what is hunted comes after, with its paths
	if in.Stories, err = done.stories(cases); err != nil {
		return errors.Join(err, done.save(nil))
	}
	j.prey(a, done, cases)
	clearOut(done.out)
	if err := done.save(append(cases, atEdges...)); err != nil {
		return err
	}
	plots, err := done.writeReport(in)
	if err != nil {
		return err
	}
	if err := reports.WriteTable(a.stdout, in, f.format); err != nil {
		return err
	}
	below := append(j.lines, "report          "+relative(filepath.Join(done.out, reportFile)), "plots           "+strings.Join(plots, " "))
	below = append(below, notify...)
	to, lead := a.stdout, ""
	switch {
	case f.format == "json" && f.quiet:
		to = io.Discard
	case f.format == "json":
		to = a.stderr
	case f.format == "markdown":
		lead = "- "
		fmt.Fprintln(to)
	}
	for _, line := range below {
		switch words := strings.Join(strings.Fields(line), " "); {
		case lead == "":
		case strings.HasPrefix(line, " "): // goes on
			line = "  " + words
		default:
			line = lead + words
		}
		fmt.Fprintln(to, line)
	}
	return quietly(j.code(f.strict))
}

// save writes the rows, the cases and what they are of.
func (done *finished) save(cases []savedCase) error {
	var names []string
	for i := range cases {
		names = append(names, cases[i].file)
		if err := writeFile(filepath.Join(done.out, cases[i].file), cases[i].c.Encode()); err != nil {
			return err
		}
	}
	if err := writeRows(done.out, done.rows); err != nil {
		return err
	}
	return writeFile(filepath.Join(done.out, aboutFile), done.encode(names))
}

// writeReport writes the plots, results.json and report.html, and returns the paths of the vector plots.
func (done *finished) writeReport(in reports.Input) (shown []string, err error) {
	for _, p := range reports.Plots() {
		for _, format := range reports.PlotFormats() {
			path := filepath.Join(done.out, p.Name+"."+format)
			var b bytes.Buffer
			if err := reports.WritePlot(&b, in, p.Name, format); err != nil {
				return nil, err
			}
			if err := writeFile(path, b.Bytes()); err != nil {
				return nil, err
			}
			if format == "svg" {
				shown = append(shown, relative(path))
			}
		}
	}
	var results, page bytes.Buffer
	if err := errors.Join(reports.WriteResults(&results, in), reports.WriteHTML(&page, in)); err != nil {
		return nil, err
	}
	return shown, errors.Join(writeFile(filepath.Join(done.out, resultsFile), results.Bytes()),
		writeFile(filepath.Join(done.out, reportFile), page.Bytes()))
}

// plotFiles are the names of all plots.
func plotFiles() []string {
	var names []string
	for _, p := range reports.Plots() {
		for _, format := range reports.PlotFormats() {
			names = append(names, p.Name+"."+format)
		}
	}
	return names
}

// accidents reports the runs that ended outside the rules, or differed from themselves, with a case each.
func (a *app) accidents(done *finished, swept *scenarios.Swept) error {
	var lines []string
	add := func(c *scenarios.Case, why string) error {
		if len(c.Witness.Digest) == 0 {
			c.Witness = blankWitness(c.Witness.Seed)
		}
		c.Intent.Property, c.Intent.Expected = string(history.PropHarness), "fail"
		path := filepath.Join(done.out, caseFile(c))
		if len(lines) < maxAccidents {
			lines = append(lines, fmt.Sprintf("%s under %s, seed %d: %s\n  %s", c.Intent.Stack, c.Intent.Fault, c.Witness.Seed, why,
				a.command("replay", relative(path))))
		}
		return writeFile(path, c.Encode())
	}
	for i := range swept.Crashes {
		if err := add(swept.Crashes[i].Case, swept.Crashes[i].Err.Error()); err != nil {
			return err
		}
	}
	for _, c := range swept.Drifted {
		why := "two runs of one case differ"
		if twice, err := scenarios.Replay(c, patience); err == nil && !twice.Same {
			why += "\n" + tell.Drift(c, twice.First, twice.Second)
		}
		if err := add(c, why); err != nil {
			return err
		}
	}
	text := strings.Join(lines, "\n")
	switch {
	case len(swept.Crashes) > 0:
		return failf(exitSimulator, "%d of the runs ended outside the rules\n%s", len(swept.Crashes), text)
	case len(swept.Drifted) > 0:
		return failf(exitDrift, "%d of the runs done twice are not deterministic\n%s", len(swept.Drifted), text)
	}
	return nil
}

// maxAccidents is the number of accidents that are printed.
const maxAccidents = 5
