package command

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/internal/tell"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

func (a *app) replayCommand() *cobra.Command {
	var f replayFlags
	cmd := &cobra.Command{
		Use:   "replay CASE",
		Short: "Do a case again, twice, bit for bit, and tell its story",
		Long: `replay does the run of a case twice and tells its story. If the two runs differ, the simulator is not
deterministic: exit 4. If they are equal but their digest is not the case's, the case is stale. Of a small case
it searches what would have stopped it; simulate shrink makes a case small.

Exit codes: 1 the case reproduces (or is stale and shows its finding again), 5 a stale case that no longer shows
it, 0 a case without a finding that has none.`,
		Example: `  simulate replay out/cases/at-least-once.consumer-kill.0123456789ab.case
  simulate replay my.case --history facts.jsonl
  simulate replay my.case --timeline story.svg`,
		Args:              arguments(1, 1, "one case file"),
		RunE:              func(_ *cobra.Command, args []string) error { return a.replay(args[0], f) },
		ValidArgsFunction: completeFiles("case"),
	}
	cmd.Flags().StringVar(&f.history, "history", "", "write the facts of the run to this file, - for standard output")
	cmd.Flags().StringVar(&f.timeline, "timeline", "", "draw the story as an SVG sequence diagram into this file, - for standard output")
	completeFlag(cmd, "timeline", completeFiles("svg"))
	return cmd
}

// replayFlags are the files that replay writes beside its story; "" = none.
type replayFlags struct{ history, timeline string }

// readCase reads a case with its code, and says by which name messages call its file.
func (a *app) readCase(path string) (name string, c *scenarios.Case, err error) {
	name, src, err := a.readInput(path)
	if err != nil {
		return name, nil, err
	}
	if c, err = scenarios.DecodeCase(name, src); err != nil {
		return name, nil, err
	}
	file := path
	if path == "-" {
		file = ""
	}
	bound, tested, why := a.bindCase(c, file)
	if why != nil {
		return name, nil, failf(exitInput, "%s: %v", name, why)
	}
	if tested {
		fmt.Fprintf(a.stderr, "note: this case is of the test %s; it is done with the stages of this program\n", c.Intent.Owner)
	}
	return name, bound, nil
}

func (a *app) replay(path string, f replayFlags) error {
	if f.history == "-" && f.timeline == "-" {
		return failf(exitInput, "--history and --timeline cannot both be standard output")
	}
	name, c, err := a.readCase(path)
	if err != nil {
		return err
	}
	if _, err := scenarios.Plan(c); err != nil {
		return failf(exitInput, "%s: %v", name, err)
	}
	twice, err := scenarios.Replay(c, patience)
	if crash, ok := errors.AsType[*scenarios.Crash](err); ok {
		return failf(exitSimulator, "%s: the run ended outside the rules: %v", name, crash)
	} else if err != nil {
		return failf(exitInput, "%s: %v", name, err)
	}
	if !twice.Same {
		return failf(exitDrift, "%s: two runs of this case differ: %016x and %016x\n%s", name, twice.First.Digest, twice.Second.Digest,
			tell.Drift(c, twice.First, twice.Second))
	}
	out := a
	if f.history != "" {
		if err := a.writeOutput(f.history, twice.First.History.Write); err != nil {
			return err
		}
	}
	if f.history == "-" || f.timeline == "-" { // the facts, or the picture, are the result
		out = a.aside()
	}
	if why, bad := twice.First.Failed(); bad {
		return failf(exitSimulator, "%s: the run ended outside the rules: %s", name, why)
	}
	if f.timeline != "" {
		if err := a.drawTimeline(f.timeline, path, c, twice.First); err != nil {
			return err
		}
	}
	return out.tell(path, c, twice)
}

// drawTimeline draws the story that tell prints.
func (a *app) drawTimeline(file, path string, c *scenarios.Case, r *scenarios.Result) error {
	story, _, some := storyOf(c, r)
	if !some {
		fmt.Fprintf(a.stderr, "%s is not written: a run without a finding has no story\n", file)
		return nil
	}
	return a.writeOutput(file, func(w io.Writer) error {
		return reports.WriteTimeline(w, r.History, story, a.storyOptions(path, c, r, story))
	})
}

// storyOf is the finding that a case's story is about: the one that it was saved for, else the gravest. again says
// whether the run shows that one, some whether it shows any.
func storyOf(c *scenarios.Case, r *scenarios.Result) (story history.Finding, again, some bool) {
	found := r.Verdicts.Findings
	want := slices.IndexFunc(found, func(f history.Finding) bool { return f.Fingerprint() == c.Intent.Fingerprint })
	if want >= 0 {
		return found[want], true, true
	}
	story, some = tell.Gravest(found, checker.Promised(contractOf(c)))
	return story, false, some
}

// tell prints the story and says whether it is the case's.
func (a *app) tell(path string, c *scenarios.Case, twice *scenarios.Replayed) error {
	r := twice.First
	for _, bug := range c.Intent.Planted {
		fmt.Fprintf(a.stdout, "planted: this world was built with the bug %s\n", bug)
	}
	fresh := twice.Fresh && fmt.Sprintf("%016x", r.History.Digest()) == c.Witness.HistoryDigest
	story, again, some := storyOf(c, r)
	if !fresh {
		a.stale(c, r, again)
	}
	if !fresh && !again && c.Intent.Fingerprint != "" {
		a.reaim(c)
	}
	opt := a.storyOptions(path, c, r, story)
	if again {
		opt.Would, opt.Likely = a.would(c, path, replayRemedies), a.likely(path, c).String()
	}
	if !some {
		fmt.Fprintf(a.stdout, "%s · %s · %s · seed %d: no finding\n", c.Intent.Scenario.Name, c.Intent.Stack, c.Intent.Fault, c.Witness.Seed)
	} else if err := reports.WriteStory(a.stdout, r.History, story, opt); err != nil {
		return err
	}
	a.printOthers(r.Verdicts.Findings, story)
	switch {
	case again:
		return quietly(exitFinding)
	case c.Intent.Fingerprint == "" && c.Intent.Expected != checker.Fail.String() && fresh:
		return nil
	case c.Intent.Fingerprint == "" && some && fresh:
		return quietly(exitFinding)
	}
	return quietly(exitInconclusive)
}

// printOthers counts the findings beside the one that was told, by fingerprint.
func (a *app) printOthers(found []history.Finding, told history.Finding) {
	counts := map[string]int{}
	for i := range found {
		counts[found[i].Fingerprint()]++
	}
	counts[told.Fingerprint()]--
	var parts []string
	for _, print := range history.SortedKeys(counts) {
		if n := counts[print]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d × %s", n, print))
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(a.stdout, "also    %s\n", strings.Join(parts, "\n        "))
	}
}

// stale says that a run is no longer the recorded one.
func (a *app) stale(c *scenarios.Case, r *scenarios.Result, again bool) {
	w := &c.Witness
	why := fmt.Sprintf("recorded at model epoch %d with %s, this is epoch %d", w.Epoch, w.Go, scenarios.Epoch)
	switch {
	case w.Epoch == scenarios.Epoch && c.Intent.Owner != "":
		why = fmt.Sprintf("recorded at this model epoch (%d), so that the handlers have changed, or depend on what is not simulated", w.Epoch)
	case w.Epoch == scenarios.Epoch:
		why = fmt.Sprintf("recorded at this model epoch (%d), so that the case was edited or a model changed without saying so", w.Epoch)
	}
	fmt.Fprintf(a.stdout, "stale: the digest is %016x, the case has %s; %s\n", r.Digest, w.Digest, why)
	if paths := c.Missing(); len(paths) > 0 {
		fmt.Fprintf(a.stdout, "stale: %s\n", missingFields(paths))
	}
	fmt.Fprintf(a.stdout, "stale: the run parts from the recorded one within the %d events from %d on\n", tell.MarkEvery, tell.Parting(r.Marks, w.Checkpoints))
	if again {
		fmt.Fprintf(a.stdout, "stale: its finding is still there: %s\n\n", c.Intent.Fingerprint)
		return
	}
	fmt.Fprintf(a.stdout, "stale: its finding is gone: %s\n\n", c.Intent.Fingerprint)
}

// reaim says whether a stale case fails when its faults are aimed anew.
func (a *app) reaim(c *scenarios.Case) {
	re, err := scenarios.Reaim(c, 0, patience)
	switch {
	case err != nil:
		fmt.Fprintf(a.stdout, "stale: its faults cannot be aimed anew: %v\n\n", err)
	case re.Aim == scenarios.StillFails:
		fmt.Fprintf(a.stdout, "stale: %s when its faults are aimed anew: %s\n\n", re.Aim, cmp.Or(strings.Join(re.Case.Intent.Plan, "; "), "no fault"))
	case len(re.Gone) > 0:
		fmt.Fprintf(a.stdout, "stale: %s: %s (%d runs)\n\n", re.Aim, strings.Join(re.Gone, "; "), re.Runs)
	default:
		fmt.Fprintf(a.stdout, "stale: %s, and near them (%d runs)\n\n", re.Aim, re.Runs)
	}
}

// storyOptions are the words around a story.
func (a *app) storyOptions(path string, c *scenarios.Case, r *scenarios.Result, f history.Finding) reports.StoryOptions {
	opt := reports.StoryOptions{Stack: c.Intent.Stack, Fault: c.Intent.Fault, Seed: c.Witness.Seed, Amount: tell.Amount(c, r.History, f),
		Digest: fmt.Sprintf("%016x", r.Digest), Epoch: scenarios.Epoch}
	if from := c.Witness.Shrunk; from != nil {
		opt.Shrunk = fmt.Sprintf("shrunk from %s to %d, from %s to %d", count(int64(from.Faults), "fault"), len(c.Intent.Plan),
			count(from.Events, "event"), r.Row.Offered)
	}
	if path != "-" && path != "" {
		opt.Again = a.command("replay", relative(path))
	}
	return opt
}

// count writes a number with its noun.
func count(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
