package command

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twiceless/twiceless/scenarios"
)

func (a *app) corpusListCommand(f *corpusFlags) *cobra.Command {
	var format string
	var run bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the cases, and with --run what each shows today",
		Long: `list prints every case of the corpus: stack, finding, size of the plan and seed. With --run it does each and says
what that shows.

Exit codes: 0 without --run. With it 1 a case still shows its finding (as replay says it), 5 a stale case no longer does,
or an anchor is gone, else 0. Cases of code that this program does not have are listed with the command line that does
them, and change no exit code.`,
		Example: "  simulate corpus list\n  simulate corpus list --run --format json",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			formats := listFormats()
			if !slices.Contains(formats, format) {
				return failf(exitInput, "unknown format %q (%s)", format, hint(format, formats))
			}
			corpus, err := f.open()
			if err != nil {
				return err
			}
			cases := a.claim(corpus.Cases())
			if run {
				cases = a.judgeAll(cmd.Context(), corpus.Cases())
			}
			return a.listCorpus(f, corpus, cases, run, format)
		},
	}
	cmd.Flags().BoolVar(&run, "run", false, "do each case and say what it shows today")
	cmd.Flags().StringVar(&format, "format", "text", "form of the list: "+strings.Join(listFormats(), ", "))
	completeFlag(cmd, "format", completeWords(listFormats()))
	return cmd
}

func listFormats() []string { return []string{"json", "text"} }

func (a *app) listCorpus(f *corpusFlags, corpus *scenarios.Corpus, cases []judgedCase, ran bool, format string) error {
	codes := make([]int, len(cases))
	rows := make([]entryLine, len(cases))
	for i := range cases {
		codes[i] = cases[i].caseCode()
		rows[i] = cases[i].row(corpus, ran)
	}
	switch {
	case format == "json":
		if err := a.listJSON(cases, ran); err != nil {
			return err
		}
	case len(cases) == 0:
		a.noCases(f)
	default:
		printTable(a.stdout, rows)
		fmt.Fprintf(a.stdout, "\n%s\n", caseTally(cases))
	}
	if !ran {
		return nil
	}
	return quietly(worstCode(codes))
}

// noCases says how a corpus begins.
func (a *app) noCases(f *corpusFlags) {
	fmt.Fprintf(a.stderr, "no cases in %s; to keep one copy it there, then: %s\n", f.dir, f.command(a, "refresh"))
}

// row is a case in one line.
func (j *judgedCase) row(corpus *scenarios.Corpus, ran bool) entryLine {
	in := &j.Case.Intent
	parts := []string{in.Stack, findingOf(in), count(int64(len(in.Plan)), "fault"), fmt.Sprintf("seed %d", j.Case.Witness.Seed)}
	if ran || j.foreign != nil {
		parts = append(parts, j.outcome())
	}
	if paths := j.Case.Missing(); len(paths) > 0 {
		parts = append(parts, missingFields(paths))
	}
	if filepath.Clean(j.File) != corpus.Place(j.Case) {
		parts = append(parts, "lies in "+relative(j.File)+" until it is refreshed")
	}
	return entryLine{title(&j.Saved), strings.Join(parts, " · ")}
}

// findingOf names what a case was saved for: a run that did not end by the rules has no fingerprint.
func findingOf(in *scenarios.Intent) string {
	if in.Fingerprint != "" {
		return in.Fingerprint
	}
	return in.Property
}

// listedCase is a case in the list for programs.
type listedCase struct {
	File        string   `json:"file"`
	Scenario    string   `json:"scenario"`
	Name        string   `json:"name"`
	Stack       string   `json:"stack"`
	Fault       string   `json:"fault"`
	Plan        []string `json:"plan"`
	Property    string   `json:"property"`
	Fingerprint string   `json:"fingerprint"`
	Seed        string   `json:"seed"` // decimal
	Epoch       int      `json:"epoch"`
	Owner       string   `json:"owner,omitempty"`
	Command     string   `json:"command,omitempty"` // that runs a case of code that this program does not have
	Missing     []string `json:"missing,omitempty"`

	// With --run, of cases that were judged.
	Outcome string   `json:"outcome,omitempty"` // fails, passes, anchor-gone or error
	Stale   bool     `json:"stale,omitempty"`
	Moved   []string `json:"moved,omitempty"` // plan that shows the finding now, if it is another one
	Gone    []string `json:"gone,omitempty"`  // lines of the plan whose hooks are not passed
	Faults  int      `json:"faults,omitempty"`
	Events  int64    `json:"events,omitempty"` // offered
	Error   string   `json:"error,omitempty"`
}

func (a *app) listJSON(cases []judgedCase, ran bool) error {
	listed := make([]listedCase, len(cases))
	for i := range cases {
		j := &cases[i]
		in := &j.Case.Intent
		l := listedCase{File: filepath.ToSlash(j.File), Scenario: in.Scenario.Name, Name: j.Name, Stack: in.Stack, Fault: in.Fault,
			Plan: append([]string{}, in.Plan...), Property: in.Property, Fingerprint: in.Fingerprint,
			Seed: strconv.FormatUint(j.Case.Witness.Seed, 10), Epoch: j.Case.Witness.Epoch, Owner: in.Owner, Missing: j.Case.Missing()}
		if j.foreign != nil {
			l.Command = j.foreign.command
		}
		switch {
		case j.err != nil:
			l.Outcome, l.Error = "error", j.outcome()
		case ran && j.Judgement != nil:
			l.Outcome = [...]string{scenarios.StillFails: "fails", scenarios.Passes: "passes", scenarios.AnchorGone: "anchor-gone"}[j.Aim]
			l.Stale, l.Gone, l.Faults, l.Events = j.Stale, j.Gone, j.Size.Faults, j.Size.Events
			if j.Moved != nil {
				l.Moved = j.Moved.Intent.Plan
			}
		}
		listed[i] = l
	}
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Version int          `json:"version"`
		Cases   []listedCase `json:"cases"`
	}{1, listed})
}
