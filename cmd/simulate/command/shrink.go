package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/twiceless/twiceless/internal/tell"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// Bounds of --runs of shrink: the first run, one step, and the two that prove the result.
const (
	minShrinkRuns = 4
	maxShrinkRuns = 1_000_000
)

func (a *app) shrinkCommand() *cobra.Command {
	var out string
	var runs int
	cmd := &cobra.Command{
		Use:   "shrink CASE [-o FILE]",
		Short: "The smallest case that still shows the finding of a case",
		Long: `shrink makes a case smaller as long as its run shows a finding of the same fingerprint: fewer faults, events,
members and partitions, shorter faults, hooks in place of times. It writes the smallest case, tells its story, and
searches what would have stopped it: each layer that the stack lacks is added, and the faults fall at every place where
they can. The same case gives the same bytes on every machine.

Exit codes are those of replay: 1 the smallest case shows the finding, 5 the given one no longer does.`,
		Example: `  simulate shrink out/cases/at-least-once.consumer-kill.0123456789ab.case
  simulate shrink my.case -o smallest.case --runs 2000`,
		Args:              arguments(1, 1, "one case file"),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.shrink(cmd.Context(), args[0], out, runs) },
		ValidArgsFunction: completeFiles("case"),
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file of the smallest case, - for standard output; by default beside the given one, named by its content")
	cmd.Flags().IntVar(&runs, "runs", scenarios.DefaultShrinkRuns, "most runs")
	return cmd
}

func (a *app) shrink(ctx context.Context, path, out string, runs int) error {
	if runs < minShrinkRuns || runs > maxShrinkRuns {
		return failf(exitInput, "--runs %d: from %d to %d", runs, minShrinkRuns, maxShrinkRuns)
	}
	name, c, err := a.readCase(path)
	if err != nil {
		return err
	}
	s, err := scenarios.Shrink(ctx, c, scenarios.ShrinkOptions{Runs: runs, Patience: patience})
	switch {
	case errors.Is(err, scenarios.ErrFindingGone):
		fmt.Fprintf(a.stdout, "stale: its finding is gone: %s\n\n", c.Intent.Fingerprint)
		a.reaim(c)
		return quietly(exitInconclusive)
	case err != nil:
		if _, crash := errors.AsType[*scenarios.Crash](err); crash {
			return err
		}
		return failf(exitInput, "%s: %v", name, err)
	case !s.Proof.Same:
		return failf(exitDrift, "%s: two runs of the smallest case differ\n%s", name, tell.Drift(s.Case, s.Proof.First, s.Proof.Second))
	}
	file, err := a.keepShrunk(path, out, s.Case)
	if err != nil {
		return err
	}
	if out == "-" { // the case is the result
		a = a.aside()
	}
	return a.tellShrunk(ctx, file, path, s, runs)
}

// keepShrunk writes the smallest case and says where.
func (a *app) keepShrunk(from, out string, c *scenarios.Case) (file string, err error) {
	if file = out; file == "" {
		dir := "."
		if from != "-" {
			dir = filepath.Dir(from)
		}
		file = filepath.Join(dir, path.Base(caseFile(c)))
	}
	return file, a.writeOutput(file, func(w io.Writer) error {
		_, err := w.Write(c.Encode())
		return err
	})
}

// tellShrunk prints the story of the smallest case, now in file, and what it took to shrink the one at from.
func (a *app) tellShrunk(ctx context.Context, file, from string, s *scenarios.Shrunk, runs int) error {
	c, r := s.Case, s.Proof.First
	found := r.Verdicts.Findings
	at := slices.IndexFunc(found, func(f history.Finding) bool { return f.Fingerprint() == c.Intent.Fingerprint })
	opt := a.storyOptions(file, c, r, found[at])
	if ctx.Err() == nil {
		opt.Would = a.would(c, "", shrinkRemedies)
	}
	opt.Likely = a.likely(from, c).String()
	if err := reports.WriteStory(a.stdout, r.History, found[at], opt); err != nil {
		return err
	}
	a.printOthers(found, found[at])
	line := func(head, text string) { fmt.Fprintf(a.stdout, "%-8s%s\n", head, text) }
	fmt.Fprintln(a.stdout)
	for _, fault := range c.Intent.Plan {
		line("fault", fault)
	}
	if less := shrunkBy(s.From, s.To); less != "" {
		line("less", less)
	}
	took := fmt.Sprintf("%d of at most %d", s.Runs, runs)
	if s.RanOut && ctx.Err() == nil {
		took += ": more may make it smaller (--runs)"
	}
	line("runs", took)
	if file != "-" {
		line("case", relative(file))
	}
	if ctx.Err() != nil {
		return failf(exitInterrupted, "interrupted; the case is the smallest so far")
	}
	return quietly(exitFinding)
}
