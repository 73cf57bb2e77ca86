package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/twiceless/twiceless/scenarios"
)

func (a *app) corpusCommand() *cobra.Command {
	f := &corpusFlags{}
	subs := []*cobra.Command{a.corpusListCommand(f), a.corpusRefreshCommand(f), a.corpusPruneCommand(f), a.corpusWhyCommand(f)}
	var names []string
	for _, sub := range subs {
		names = append(names, sub.Name())
	}
	cmd := &cobra.Command{
		Use:   "corpus " + strings.Join(names, "|"),
		Short: "The saved cases of a repository: what they show today, and which it still needs",
		Long: `corpus looks after the cases that a repository keeps, the files <scenario>/<name>.case below --dir. To keep a case
copy it anywhere below that directory; corpus refresh puts it in its place.

A case whose digest has changed, because a model has, is stale. It is done as it is; if its finding is gone, its faults
are aimed anew, by their anchors and at the places near them. So it still fails, or it passes with its anchors hit, or
an anchor is gone, and then nothing was tested. Cases of a team's own code are done if this program has that code; if not, the
go test or the program that they belong to is named.`,
		Example: "  cp out/cases/at-least-once.consumer-kill.0123456789ab.case " + scenarios.DefaultCorpus + "/\n" +
			"  simulate corpus refresh\n  simulate corpus list --run",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return failf(exitInput, "corpus takes one of %s (simulate corpus --help)", strings.Join(names, ", "))
			}
			return failf(exitInput, "unknown command corpus %q (%s)", args[0], hint(args[0], names))
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.AddCommand(subs...)
	cmd.PersistentFlags().StringVar(&f.dir, "dir", scenarios.DefaultCorpus, "directory of the corpus")
	completeFlag(cmd, "dir", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	})
	return cmd
}

type corpusFlags struct{ dir string }

// open reads the corpus. The usual directory need not be there yet.
func (f *corpusFlags) open() (*scenarios.Corpus, error) {
	if _, err := os.Stat(f.dir); errors.Is(err, fs.ErrNotExist) && f.dir != scenarios.DefaultCorpus {
		return nil, failf(exitInput, "%s: no such directory", f.dir)
	}
	return scenarios.OpenCorpus(f.dir)
}

// command is a printed command on the same corpus.
func (f *corpusFlags) command(a *app, args ...string) string {
	args = append([]string{"corpus"}, args...)
	if f.dir != scenarios.DefaultCorpus {
		args = append(args, "--dir", relative(f.dir))
	}
	return a.command(args...)
}

// judgedCase is a case of the corpus with what it shows, or with what kept it from being judged.
type judgedCase struct {
	scenarios.Judged
	foreign *foreign // why this program cannot run it; nil = it can
	tested  bool     // it belongs to a test, and this program has stages for it
	err     error
}

// claim gives cases their code, as far as this program has it.
func (a *app) claim(saved []scenarios.Saved) []judgedCase {
	out := make([]judgedCase, len(saved))
	for i := range out {
		j := &out[i]
		j.Saved = saved[i]
		var c *scenarios.Case
		if c, j.tested, j.foreign = a.bindCase(j.Case, ""); c != nil {
			j.Case = c
		}
	}
	return out
}

// judgeAll does the cases that this program can run, several at once. When ctx is done, the rest has its error.
func (a *app) judgeAll(ctx context.Context, saved []scenarios.Saved) []judgedCase {
	out := a.claim(saved)
	if slices.ContainsFunc(out, func(j judgedCase) bool { return j.tested }) {
		fmt.Fprintln(a.stderr, "note: cases of native tests are done with the stages of this program")
	}
	next := make(chan *judgedCase)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(saved)) {
		wg.Go(func() {
			for j := range next {
				if j.err = ctx.Err(); j.err == nil {
					j.Judgement, j.err = scenarios.Judge(j.Case, patience)
				}
			}
		})
	}
	for i := range out {
		if out[i].foreign == nil {
			next <- &out[i]
		}
	}
	close(next)
	wg.Wait()
	return out
}

// judged is the part that pruning is decided by.
func judged(cases []judgedCase) (out []scenarios.Judged) {
	for i := range cases {
		out = append(out, cases[i].Judged)
	}
	return out
}

// caseCode is the exit code that one case asks for, as replay does; 0 also for one that this program cannot run.
func (j *judgedCase) caseCode() int {
	switch {
	case errors.Is(j.err, context.Canceled):
		return exitInterrupted
	case errors.Is(j.err, scenarios.ErrNotDeterministic):
		return exitDrift
	case j.err != nil:
		return exitSimulator
	case j.Judgement == nil:
		return 0
	case j.Aim == scenarios.StillFails:
		return exitFinding
	case j.Stale, j.Aim == scenarios.AnchorGone:
		return exitInconclusive
	}
	return 0
}

// worstCode is the gravest code of some cases: what says that this program is wrong before what it found.
func worstCode(codes []int) int {
	order := []int{exitInterrupted, exitSimulator, exitDrift, exitFinding, exitInconclusive, 0}
	return slices.MinFunc(append(codes, 0), func(x, y int) int { return cmp.Compare(slices.Index(order, x), slices.Index(order, y)) })
}

// outcome says what a case shows today.
func (j *judgedCase) outcome() string {
	switch {
	case errors.Is(j.err, context.Canceled):
		return "not judged: interrupted"
	case errors.Is(j.err, scenarios.ErrNotDeterministic):
		return "not deterministic: " + j.err.Error()
	case j.err != nil:
		return "the run ended outside the rules: " + firstLine(j.err.Error())
	case j.foreign != nil:
		return j.foreign.outcome()
	}
	text := j.Aim.String()
	switch {
	case j.Moved != nil:
		text += " where its faults are aimed anew: " + cmp.Or(strings.Join(j.Moved.Intent.Plan, "; "), "no fault")
	case len(j.Gone) > 0 && j.Aim == scenarios.AnchorGone:
		text += ": " + strings.Join(j.Gone, "; ")
	}
	if j.Stale {
		return "stale, " + text
	}
	return text
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// ofProgram says whether a case with an owner belongs to a program, and no test.
func (j *judgedCase) ofProgram() bool {
	owner, err := scenarios.ParseOwner(j.Case.Intent.Owner)
	return err == nil && owner.Program()
}

// title names a case among those of all scenarios.
func title(s *scenarios.Saved) string { return path.Join(s.Case.Intent.Scenario.Name, s.Name) }

// caseTally counts what cases show: "5 cases · 3 still fail · 2 pass".
func caseTally(cases []judgedCase) string {
	parts := []string{count(int64(len(cases)), "case")}
	for _, of := range []struct {
		text string
		is   func(j *judgedCase) bool
	}{
		{"still failing", func(j *judgedCase) bool { return j.Judgement != nil && j.Aim == scenarios.StillFails }},
		{"passing", func(j *judgedCase) bool { return j.Judgement != nil && j.Aim == scenarios.Passes }},
		{"with an anchor gone", func(j *judgedCase) bool { return j.Judgement != nil && j.Aim == scenarios.AnchorGone }},
		{"of go tests", func(j *judgedCase) bool { return j.foreign != nil && !j.ofProgram() }},
		{"of programs", func(j *judgedCase) bool { return j.foreign != nil && j.ofProgram() }},
		{"not judged", func(j *judgedCase) bool { return j.err != nil }},
	} {
		n := 0
		for i := range cases {
			if of.is(&cases[i]) {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, of.text))
		}
	}
	return strings.Join(parts, " · ")
}

// missingFields names what the file of a case lacks, at most so many.
func missingFields(paths []string) string {
	const most = 3
	short := make([]string, 0, most)
	for _, p := range paths[:min(most, len(paths))] {
		short = append(short, strings.TrimPrefix(p, "intent.scenario."))
	}
	text := fmt.Sprintf("%s of later models at their defaults: %s", count(int64(len(paths)), "field"), strings.Join(short, ", "))
	if more := len(paths) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
