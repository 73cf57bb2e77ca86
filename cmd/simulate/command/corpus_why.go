package command

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

func (a *app) corpusWhyCommand(f *corpusFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "why CASE",
		Short: "What a case is, what it shows today, and whether the corpus needs it",
		Long: `why takes the name of a case, a beginning of one (then all such cases), or a file. It says what the case is, what it
was recorded with, what it shows today, which other cases show the same, and what prune would do with it; then it tells
the story.

Exit codes: 1 a case still shows its finding, 5 a stale one no longer does, or an anchor is gone, else 0.`,
		Example: "  simulate corpus why 0123\n  simulate corpus why payments/0123456789ab",
		Args:    arguments(1, 1, "the name of a case"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.whyCase(cmd.Context(), f, args[0])
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
			corpus, err := f.open()
			if err != nil || len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var words []string
			for _, s := range named(corpus.Cases(), prefix) {
				words = append(words, title(&s)+"\t"+s.Case.Intent.Stack+": "+findingOf(&s.Case.Intent))
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// named are the cases that a word means: by the beginning of the name, with or without the scenario, or by the file.
func named(saved []scenarios.Saved, word string) (out []scenarios.Saved) {
	for i := range saved {
		s := &saved[i]
		if strings.HasPrefix(s.Name, word) || strings.HasPrefix(title(s), word) || filepath.Clean(word) == filepath.Clean(s.File) {
			out = append(out, *s)
		}
	}
	return out
}

func (a *app) whyCase(ctx context.Context, f *corpusFlags, word string) error {
	corpus, err := f.open()
	if err != nil {
		return err
	}
	wanted := named(corpus.Cases(), word)
	if len(wanted) == 0 {
		return failf(exitInput, "no case of %s begins with %q (%s)", f.dir, word, f.command(a, "list"))
	}
	cases := a.judgeAll(ctx, alike(corpus.Cases(), wanted))
	decided := scenarios.Prune(judged(cases))
	var codes []int
	for i := range cases {
		j := &cases[i]
		if !slices.ContainsFunc(wanted, func(s scenarios.Saved) bool { return s.File == j.File }) {
			continue
		}
		if len(codes) > 0 {
			fmt.Fprintln(a.stdout)
		}
		codes = append(codes, j.caseCode())
		a.printCase(j)
		a.printAlike(j, cases)
		fmt.Fprintf(a.stdout, "%-10s%s\n", "prune", j.decision(decided[i]))
		if err := a.tellCase(j); err != nil {
			return err
		}
	}
	return quietly(worstCode(codes))
}

// alike are the cases that share a finding with one of those wanted: all that pruning looks at.
func alike(saved, wanted []scenarios.Saved) (out []scenarios.Saved) {
	for _, s := range saved {
		if slices.ContainsFunc(wanted, func(w scenarios.Saved) bool { return findingOf(&w.Case.Intent) == findingOf(&s.Case.Intent) }) {
			out = append(out, s)
		}
	}
	return out
}

// printCase says what a case is and what it shows today.
func (a *app) printCase(j *judgedCase) {
	c, in, w := j.Case, &j.Case.Intent, &j.Case.Witness
	line := func(head, format string, args ...any) {
		fmt.Fprintf(a.stdout, "%-10s%s\n", head, fmt.Sprintf(format, args...))
	}
	line("case", "%s", relative(j.File))
	line("finding", "%s%s", findingOf(in), promisedNot(c))
	line("stack", "%s: %s", in.Stack, strings.Join(parts((&comparison{sc: in.Scenario}).stack(in.Stack)), " + "))
	for _, fault := range in.Plan {
		line("fault", "%s", fault)
	}
	for _, bug := range in.Planted {
		line("planted", "%s", bug)
	}
	seed := fmt.Sprintf("seed %d", w.Seed)
	if j.Judgement != nil {
		seed += " · " + count(j.Size.Events, "event")
	}
	line("run", "%s", seed)
	recorded := fmt.Sprintf("at model epoch %d with %s", w.Epoch, w.Go)
	if from := w.Shrunk; from != nil {
		recorded += fmt.Sprintf(" · shrunk from %s (%s, %s)", from.Case, count(int64(from.Faults), "fault"), count(from.Events, "event"))
	}
	line("recorded", "%s", recorded)
	if paths := c.Missing(); len(paths) > 0 {
		line("", "%s", missingFields(paths))
	}
	line("today", "%s", j.outcome())
}

// promisedNot says how the finding of a case stands to the contract of its stack.
func promisedNot(c *scenarios.Case) string {
	property := history.Property(c.Intent.Property)
	switch {
	case slices.Contains(checker.Guaranteed(), property):
		return " (guaranteed not to be)"
	case slices.Contains(checker.Promised(contractOf(c)), property):
		return " (promised not to be)"
	}
	return " (permitted)"
}

// printAlike lists the other cases of the same fingerprint. Those of other stacks are other weaknesses, and say so.
func (a *app) printAlike(j *judgedCase, cases []judgedCase) {
	head := "alike"
	for i := range cases {
		o := &cases[i]
		if o.File == j.File || findingOf(&o.Case.Intent) != findingOf(&j.Case.Intent) {
			continue
		}
		text := fmt.Sprintf("%s · %s · %s", title(&o.Saved), o.Case.Intent.Stack, count(int64(len(o.Case.Intent.Plan)), "fault"))
		if o.Judgement != nil {
			text += " · " + count(o.Size.Events, "event")
		}
		fmt.Fprintf(a.stdout, "%-10s%s · %s\n", head, text, o.outcome())
		head = ""
	}
}

// tellCase tells the story of the run that shows the finding today, if one does.
func (a *app) tellCase(j *judgedCase) error {
	if j.Judgement == nil || j.Shown() == nil {
		return nil
	}
	file := j.File
	if j.Moved != nil {
		file = "" // no file holds that run
	}
	c := j.Shown()
	r, err := scenarios.Supervise(c, &scenarios.Memory{}, patience)
	if err != nil {
		return err
	}
	story, _, _ := storyOf(c, r)
	fmt.Fprintln(a.stdout)
	return reports.WriteStory(a.stdout, r.History, story, a.storyOptions(file, c, r, story))
}
