package command

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/twiceless/twiceless/scenarios"
)

func (a *app) corpusRefreshCommand(f *corpusFlags) *cobra.Command {
	var reaim bool
	cmd := &cobra.Command{
		Use:   "refresh",
		Short: "Bring the witnesses of all cases up to date after a model has changed",
		Long: `refresh does every case and writes the digests of its present run where they have changed, writes out what an older
file lacks, and puts files in their place: <scenario>/<name>.case, where the name is that of what is run. What is run
stays what it was. A case that passes is kept: it fails again when its finding is back.

With --reaim a case whose finding shows only where its faults are aimed anew is replaced by the one that shows it.

Exit codes: 0, or 5 if a stale case did not show its finding as it was; once its witness is written it is not stale.`,
		Example: "  simulate corpus refresh\n  simulate corpus refresh --reaim",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.refreshCorpus(cmd.Context(), f, reaim)
		},
	}
	cmd.Flags().BoolVar(&reaim, "reaim", false, "replace cases that fail only where their faults are aimed anew")
	return cmd
}

// judgeCorpus does all cases of the corpus. Without any it says how a corpus begins.
func (a *app) judgeCorpus(ctx context.Context, f *corpusFlags) (*scenarios.Corpus, []judgedCase, error) {
	corpus, err := f.open()
	if err != nil {
		return nil, nil, err
	}
	cases := a.judgeAll(ctx, corpus.Cases())
	if len(cases) == 0 {
		a.noCases(f)
	}
	return corpus, cases, nil
}

func (a *app) refreshCorpus(ctx context.Context, f *corpusFlags, reaim bool) error {
	corpus, cases, err := a.judgeCorpus(ctx, f)
	if err != nil || len(cases) == 0 {
		return err
	}
	var codes []int
	written := 0
	for i := range cases {
		j := &cases[i]
		if j.Judgement == nil {
			codes = append(codes, j.caseCode())
			if j.err != nil {
				fmt.Fprintf(a.stdout, "%-10s%s: %s\n", "left", relative(j.File), j.outcome())
			}
			continue
		}
		done, err := corpus.Refresh(j.Saved, j.Judgement, reaim)
		if err != nil {
			return err
		}
		codes = append(codes, refreshCode(j, reaim))
		if done.Written {
			written++
		}
		a.printRefreshed(j, &done)
	}
	fmt.Fprintf(a.stdout, "%s · %s written\n", caseTally(cases), count(int64(written), "file"))
	return quietly(worstCode(codes))
}

// refreshCode is that of a case without what is as it should be: that it still fails.
func refreshCode(j *judgedCase, reaim bool) int {
	code := j.caseCode()
	switch {
	case code == exitFinding && j.Moved != nil && !reaim:
		return exitInconclusive
	case code == exitFinding:
		return 0
	}
	return code
}

// printRefreshed says what became of a case, if anything.
func (a *app) printRefreshed(j *judgedCase, done *scenarios.Refreshed) {
	line := func(head, text string) { fmt.Fprintf(a.stdout, "%-10s%s\n", head, text) }
	switch {
	case done.Left != "":
		line("left", relative(j.File)+": "+j.outcome())
		return
	case !done.Written:
		return
	case done.File != j.File:
		line("moved", relative(j.File)+" → "+relative(done.File)+": "+j.outcome())
	default:
		line("written", relative(done.File)+": "+j.outcome())
	}
	if len(done.Missing) > 0 {
		line("", missingFields(done.Missing))
	}
}

func (a *app) corpusPruneCommand(f *corpusFlags) *cobra.Command {
	var remove bool
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Say which cases the corpus can do without; with --delete, delete them",
		Long: `prune does every case and says which ones can go, and why: a case that passes with its anchors hit, and one whose
finding another case of the same stack shows with fewer faults or events and more of neither. What still fails is never
left without a case. A case that passes guards against the return of what it found: it goes when that is not worth a run.

Exit codes: 0, whether there is anything to prune or not.`,
		Example: "  simulate corpus prune\n  simulate corpus prune --delete",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.pruneCorpus(cmd.Context(), f, remove)
		},
	}
	cmd.Flags().BoolVar(&remove, "delete", false, "delete the cases that can go")
	return cmd
}

func (a *app) pruneCorpus(ctx context.Context, f *corpusFlags, remove bool) error {
	corpus, cases, err := a.judgeCorpus(ctx, f)
	if err != nil || len(cases) == 0 {
		return err
	}
	if ctx.Err() != nil {
		return failf(exitInterrupted, "interrupted; nothing is deleted unless all cases are judged")
	}
	var rows []entryLine
	var codes []int
	dropped := 0
	for i, d := range scenarios.Prune(judged(cases)) {
		j := &cases[i]
		rows = append(rows, entryLine{title(&j.Saved), j.decision(d)})
		if j.Judgement == nil {
			codes = append(codes, j.caseCode())
		}
		if !d.Drop {
			continue
		}
		dropped++
		if remove {
			if err := corpus.Remove(j.Saved); err != nil {
				return err
			}
		}
	}
	printTable(a.stdout, rows)
	fmt.Fprintf(a.stdout, "\n%s\n", a.pruned(f, len(cases), dropped, remove))
	return quietly(worstCode(codes))
}

// decision is what pruning does with a case and why.
func (j *judgedCase) decision(d scenarios.Decision) string {
	switch {
	case d.Drop:
		return "drop: " + d.Why
	case j.Judgement == nil:
		return "keep: " + j.outcome()
	}
	return "keep: " + d.Why
}

func (a *app) pruned(f *corpusFlags, all, dropped int, removed bool) string {
	of := fmt.Sprintf("%d of %s", dropped, count(int64(all), "case"))
	switch {
	case removed:
		return of + " deleted"
	case dropped > 0:
		return of + " can go: " + f.command(a, "prune", "--delete")
	}
	return of + " can go"
}
