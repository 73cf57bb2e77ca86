package command

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// maxRuns is the most runs of a cell.
const maxRuns = 1_000_000

// defaultHunts is the number of hunting runs of a stack when nothing is said.
const defaultHunts = 20

// defaultScenario is what is compared when nothing is named.
const defaultScenario = "payments"

// compareFlags are the flags of compare.
type compareFlags struct {
	stacks, faults []string
	sensitivity    []string
	runs, hunt     int
	precision      string
	seed           uint64
	workers        int
	shard          string
	resume         bool
	edges          edgeFlags
	report         reportFlags
}

// reportFlags are those of every command that ends in a table.
type reportFlags struct {
	out, format, exposure string
	strict, quiet, cost   bool
}

func (f *reportFlags) check() error {
	if !slices.Contains(reports.Formats(), f.format) {
		return failf(exitInput, "unknown format %q (%s)", f.format, hint(f.format, reports.Formats()))
	}
	return prepare(f.out)
}

func (a *app) compareCommand() *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare [SCENARIO]",
		Short: "Compare stacks under fault kinds, one fault a run",
		Long: `compare runs every stack of a scenario under every fault kind, one fault a run, prints what one fault does
to whom, and writes rows, results, plots, report.html and the cases of failing runs to --out. SCENARIO is a name of the
library or a file, - for standard input; the default is ` + a.team.usual() + `.

Run i of every cell has seed BASE+i, the same for all stacks and fault kinds. The control (no fault) is always run.

Then every stack is hunted: --hunt runs, also with the seeds from BASE on, of which the first has no fault and each
other one to three of the fault kinds, most of them at a hook point that this stack passes. They count for the
verdict on a contract and never for a cell, a rate or a plot; each way to break a promise leaves its case.

--edges measures how far each stated bound of an envelope (clock-skew, outage, redelivery-horizon, pause) is from
where a promise breaks: sizes of the fault kinds that load it, one fault a run, a grid up to a limit and then
bisection to 1 %. Of a wrong clock each run also has a consumer killed between an effect and its commit, because a
clock alone makes nobody do anything again. The limit is a week; twice the bound for outages and pauses, which are
executed event by event: --edge-limit 26h looks further, and takes its time. At the defaults it takes as long as the
comparison itself.

--exposure names a profile of how often faults happen. From 300 runs a cell on, the table has rates per day: the sum over
the compared kinds of frequency × damage per fault. --sensitivity simulates the rate of some stacks with all
frequencies multiplied, as many faults a run as then come: the slope is the number of faults that must coincide.
These runs have plan poisson in rows.jsonl, count for the verdict and never for a cell.

--precision 2% looks at each cell from 300 runs on and stops it when the shares of runs with a duplicate and with a
loss are known to ± 2 %; it says before how long that takes. The intervals hold however often one looks.

Exit codes: 1 a stack is broken inside its envelope or an expectation is contradicted; else 5 if a promised
property is unknown, or vacuous over all its cells; else 0. With --strict notes are 5 too.`,
		Example: `  simulate compare
  simulate compare payments --stacks at-least-once,key-event-stage --faults consumer-kill,pause --runs 300
  simulate compare payments --stacks dedup-durable --hunt 1000 --seed 7
  simulate compare --precision 2% --sensitivity at-least-once,key-event-stage --exposure my-exposure.yaml
  simulate compare my.yaml --faults all --out out/mine --format markdown
  simulate compare --runs 300 --shard 1/4 --out out/1     # then: simulate merge out/1 out/2 out/3 out/4 -o out/all`,
		Args: arguments(0, 1, "one scenario at most"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := a.team.usual()
			if len(args) > 0 {
				name = args[0]
			}
			for _, other := range []string{"runs", "shard"} {
				if cmd.Flags().Changed("precision") && cmd.Flags().Changed(other) {
					return failf(exitInput, "--precision decides how many runs each cell has; it cannot stand beside --%s", other)
				}
			}
			return a.compare(cmd.Context(), name, f)
		},
		ValidArgsFunction: a.completeScenario,
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.stacks, "stacks", nil, "stacks by name (default all of the scenario)")
	flags.StringSliceVar(&f.faults, "faults", nil, "fault kinds by name, or all (default the default kinds)")
	flags.IntVar(&f.runs, "runs", 20, "runs a cell")
	flags.StringVar(&f.precision, "precision", "", "runs until shares of runs are known to ± this, as in 2% (in place of --runs)")
	flags.StringSliceVar(&f.sensitivity, "sensitivity", nil, "stacks whose rate is simulated over multiples of all frequencies")
	flags.IntVar(&f.hunt, "hunt", defaultHunts, "hunting runs a stack, 0 for none")
	flags.Uint64Var(&f.seed, "seed", 1, "base seed")
	flags.IntVar(&f.workers, "workers", 0, "runs at a time (default one for each CPU)")
	flags.StringVar(&f.shard, "shard", "", "do the i-th of n parts, as in 1/4")
	flags.BoolVar(&f.edges.wanted, "edges", false, "also measure the bounds of the envelopes")
	flags.StringVar(&f.edges.limit, "edge-limit", "", "largest fault of --edges, as in 26h (default a week, or twice the bound)")
	flags.BoolVar(&f.resume, "resume", false, "keep the rows in --out that belong to this comparison")
	a.reportFlagsOf(cmd, &f.report, defaultExposure)
	completeFlag(cmd, "stacks", completeStacks(a, true))
	completeFlag(cmd, "sensitivity", completeStacks(a, true))
	completeFlag(cmd, "faults", completeFaults(true))
	return cmd
}

func (a *app) reportFlagsOf(cmd *cobra.Command, f *reportFlags, usual string) {
	if cmd.Flags().Lookup("out") == nil {
		cmd.Flags().StringVarP(&f.out, "out", "o", "out", "directory of the report")
	}
	a.tableFlagsOf(cmd, f, usual)
}

// tableFlagsOf are the flags of a table, wherever its report lies. The usual exposure profile is "" for that of the
// comparison which is read.
func (a *app) tableFlagsOf(cmd *cobra.Command, f *reportFlags, usual string) {
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "text", "form of the table: "+strings.Join(reports.Formats(), ", "))
	text := "profile of fault frequencies for rates per day: a name or a file"
	if usual == "" {
		text += " (default that of the comparison)"
	}
	flags.StringVar(&f.exposure, "exposure", usual, text)
	flags.BoolVar(&f.cost, "cost", false, "a second table: what each stack costs")
	flags.BoolVar(&f.strict, "strict", false, "notes end in exit code 5")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress")
	completeFlag(cmd, "format", completeWords(reports.Formats()))
	completeFlag(cmd, "exposure", completeExposure)
}

// comparisonOf checks what was asked for.
func (a *app) comparisonOf(name string, f *compareFlags) (*comparison, error) {
	sc, err := a.load(name)
	if err != nil {
		return nil, err
	}
	c := &comparison{sc: sc, runs: f.runs, base: f.seed, precision: f.precision}
	if c.handlers, err = a.team.handlersOf(sc); err != nil {
		return nil, err
	}
	precision, err := parsePrecision(f.precision)
	if err != nil {
		return nil, err
	}
	if precision > 0 {
		c.runs = last(looks(precision))
	}
	if c.stacks, err = pickStacks(sc, f.stacks); err != nil {
		return nil, err
	}
	if c.faults, err = pickFaults(f.faults); err != nil {
		return nil, err
	}
	switch {
	case f.runs < 1 || f.runs > maxRuns:
		return nil, failf(exitInput, "--runs %d: from 1 to %d", f.runs, maxRuns)
	case f.hunt < 0 || f.hunt > maxRuns:
		return nil, failf(exitInput, "--hunt %d: from 0 to %d", f.hunt, maxRuns)
	case f.seed > math.MaxUint64-uint64(max(c.runs, f.hunt)):
		return nil, failf(exitInput, "--seed %d: too large for %d runs", f.seed, max(c.runs, f.hunt))
	case f.workers < 0 || f.workers > 4096:
		return nil, failf(exitInput, "--workers %d: from 1 to 4096", f.workers)
	case f.workers == 0:
		f.workers = runtime.NumCPU()
	}
	c.hunt(f.hunt)
	if c.exposure, err = a.loadExposure(f.report.exposure); err != nil {
		return nil, err
	}
	if err := c.sensitise(f.sensitivity); err != nil {
		return nil, err
	}
	return c, f.report.check()
}

func last(list []int) int { return list[len(list)-1] }

// load reads a scenario by its name or from a file, - being standard input, and gives it the stages that the program has.
func (a *app) load(name string) (*scenarios.Scenario, error) {
	sc, err := a.readScenario(name)
	if err != nil {
		return nil, err
	}
	return a.team.bind(sc)
}

func (a *app) readScenario(name string) (*scenarios.Scenario, error) {
	if own := a.team.carries(name); own != nil {
		return own, nil
	}
	if name != "-" {
		return scenarios.Load(name)
	}
	file, src, err := a.readInput(name)
	if err != nil {
		return nil, err
	}
	return scenarios.Decode(file, src)
}

// pickStacks are the named stacks in the order of the scenario, all if none is named.
func pickStacks(sc *scenarios.Scenario, asked []string) ([]string, error) {
	return pick("stack", stackNames(sc), asked, stackNames(sc))
}

// pickFaults are the named kinds in the order of the table, the control always among them.
func pickFaults(asked []string) ([]string, error) {
	var usual []string
	for _, k := range history.FaultKinds() {
		if k.Default || k.Name == reports.Control {
			usual = append(usual, k.Name)
		}
	}
	if slices.Contains(asked, "all") {
		asked, usual = nil, faultNames()
	}
	picked, err := pick("fault kind", faultNames(), asked, usual)
	if err == nil && !slices.Contains(picked, reports.Control) {
		picked = append([]string{reports.Control}, picked...)
	}
	return picked, err
}

func pick(what string, known, asked, usual []string) ([]string, error) {
	if len(asked) == 0 {
		return usual, nil
	}
	wanted := map[string]bool{}
	for _, name := range asked {
		name = strings.TrimSpace(name)
		if !slices.Contains(known, name) {
			return nil, failf(exitInput, "unknown %s %q (%s)", what, name, hint(name, known))
		}
		wanted[name] = true
	}
	return slices.DeleteFunc(slices.Clone(known), func(name string) bool { return !wanted[name] }), nil
}

// parseShard reads i/n; 0/0 is everything.
func parseShard(text string) (shard [2]int, err error) {
	if text == "" {
		return shard, nil
	}
	left, right, _ := strings.Cut(text, "/")
	i, errI := strconv.Atoi(left)
	n, errN := strconv.Atoi(right)
	if errI != nil || errN != nil || n < 1 || i < 1 || i > n || n > maxRuns {
		return shard, failf(exitInput, "--shard %s: want i/n with i from 1 to n, as in 1/4", text)
	}
	return [2]int{i, n}, nil
}

// compare sweeps and reports.
func (a *app) compare(ctx context.Context, name string, f compareFlags) error {
	c, err := a.comparisonOf(name, &f)
	if err != nil {
		return err
	}
	shard, err := parseShard(f.shard)
	if err != nil {
		return err
	}
	limit, err := f.edges.upTo()
	if err != nil {
		return err
	}
	kept, err := a.kept(c, &f)
	if err != nil {
		return err
	}
	have := map[history.Key]bool{}
	for i := range kept {
		have[kept[i].Key()] = true
	}
	started, bar := time.Now(), a.newProgress(f.report.quiet)
	sweep := &scenarios.Sweep{Scenario: c.sc, Stacks: c.stacks, Faults: c.faults, Runs: c.runs, Base: c.base, Hunts: c.hunts, Prey: c.prey,
		Poisson: c.poisson, Workers: f.workers, Shard: shard, Have: have, Progress: bar.tell}
	swept, err := a.sweep(ctx, c, sweep, kept, bar)
	bar.end()
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	rows, merging := history.MergeRows(kept, swept.Rows)
	if merging != nil {
		return merging
	}
	done := finished{comparison: c, rows: rows, out: f.report.out, twice: swept.Twice, workers: f.workers}
	if err == nil && f.edges.wanted {
		if err = a.findEdges(ctx, &done, limit, shard, f.report.quiet); err != nil && !errors.Is(err, context.Canceled) {
			return errors.Join(err, done.save(nil))
		}
	}
	done.elapsed = spell(time.Since(started))
	if err != nil {
		return a.interrupted(&done, f.resume)
	}
	if err := a.finish(&done, &f.report); err != nil {
		if e, ok := errors.AsType[*exit](err); !ok || e.message != "" || len(swept.Crashes)+len(swept.Drifted) == 0 {
			return err
		}
	}
	return a.accidents(&done, swept)
}

// sweep does the runs that are asked for, or as many as the precision needs.
func (a *app) sweep(ctx context.Context, c *comparison, s *scenarios.Sweep, kept []history.Row, bar *progress) (*scenarios.Swept, error) {
	if c.precision == "" {
		return s.Do(ctx)
	}
	return a.untilPrecise(ctx, c, s, kept, bar)
}

// kept are the rows of an earlier comparison that this one does not do again.
func (a *app) kept(c *comparison, f *compareFlags) ([]history.Row, error) {
	if !f.resume {
		return nil, nil
	}
	rows, err := readRows(f.report.out)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	before, _, err := readAbout(f.report.out)
	if errors.Is(err, errNoComparison) {
		return nil, failf(exitInput, "--resume: %s lies beside no %s, so that nobody can say what its rows are rows of",
			filepath.Join(f.report.out, rowsFile), aboutFile)
	} else if err != nil {
		return nil, err
	}
	if before.sc.Hash() == c.sc.Hash() && !before.handlers.equal(c.handlers) {
		return nil, failf(exitInput, "--resume: the rows in %s were made with %s; this program has %s. Without --resume they are replaced",
			f.report.out, before.handlers, c.handlers)
	}
	own := c.own(rows)
	if before.base != c.base {
		own = nil
	}
	if !slices.Equal(before.prey, c.prey) { // the same seed means another plan
		own = slices.DeleteFunc(own, func(r history.Row) bool { return r.Plan == history.Hunting })
	}
	if !before.samePoisson(c) {
		own = slices.DeleteFunc(own, func(r history.Row) bool { return r.Plan == history.Poisson })
	}
	if gone := len(rows) - len(own); gone > 0 && !f.report.quiet {
		fmt.Fprintf(a.stderr, "%d rows of another scenario, base seed, model epoch, hunt or exposure in %s are replaced\n", gone, f.report.out)
	}
	return own, nil
}

// interrupted saves what is finished and says how to go on.
func (a *app) interrupted(done *finished, resuming bool) error {
	clearOut(done.out)
	if err := done.save(nil); err != nil {
		return err
	}
	args := a.args
	if !resuming {
		args = append(slices.Clone(args), "--resume")
	}
	return failf(exitInterrupted, "interrupted; %d finished runs are in %s. To go on:\n  %s",
		len(done.rows), filepath.Join(relative(done.out), rowsFile), a.command(args...))
}
