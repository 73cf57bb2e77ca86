package command

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

func (a *app) mergeCommand() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "merge DIR… -o DIR",
		Short: "One report of the rows of several shards",
		Long: `merge writes the union of the rows of several comparisons, as if one machine had done them all, with results,
plots, report.html and cases. The comparisons must be of one scenario, base seed and model epoch, and those that hunted
of the same fault kinds. Two different rows of one run are non-determinism: exit 4. Otherwise the exit code is that of
compare.`,
		Example: "  simulate merge out/1 out/2 out/3 -o out/all",
		Args:    arguments(1, 10_000, "the directories of comparisons"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("out") {
				return failf(exitInput, "merge needs -o DIR for the result")
			}
			return a.merge(args, &f)
		},
	}
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "directory of the result (required)")
	a.reportFlagsOf(cmd, &f, "")
	return cmd
}

func (a *app) merge(dirs []string, f *reportFlags) error {
	var all *comparison
	var sets [][]history.Row
	for _, dir := range dirs {
		c, rows, err := a.readComparison(dir)
		if err != nil {
			return err
		}
		if all == nil {
			all = c
		} else if err := all.join(c, dirs[0], dir); err != nil {
			return err
		} else if f.exposure == "" && !all.exposure.equal(c.exposure) {
			return failf(exitInput, "%s and %s rest on different exposure profiles: %s, but %s; name one with --exposure",
				dirs[0], dir, all.exposure.profile.Name, c.exposure.profile.Name)
		}
		sets = append(sets, rows)
	}
	rows, err := history.MergeRows(sets...)
	if err != nil {
		return err
	}
	if err := errors.Join(a.expose(all, f), f.check()); err != nil {
		return err
	}
	return a.finish(&finished{comparison: all, rows: rows, out: f.out, workers: runtime.NumCPU()}, f)
}

// readComparison reads a directory that compare or merge has written at this model epoch, with the stages that this
// program has.
func (a *app) readComparison(dir string) (*comparison, []history.Row, error) {
	c, about, rows, err := readSaved(dir)
	if err == nil && about.Epoch != scenarios.Epoch {
		err = failf(exitInput, "%s: its rows are of model epoch %d, this program has epoch %d", dir, about.Epoch, scenarios.Epoch)
	}
	if err == nil {
		err = a.rebind(c, dir)
	}
	return c, rows, err
}

// readSaved reads a directory that compare or merge has written, at any model epoch.
func readSaved(dir string) (*comparison, *about, []history.Row, error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, nil, nil, failf(exitInput, "%s: %v", dir, reason(err))
	} else if !info.IsDir() {
		return nil, nil, nil, failf(exitInput, "%s: a file, not the directory of a comparison", dir)
	}
	c, about, err := readAbout(dir)
	if errors.Is(err, errNoComparison) {
		return nil, nil, nil, failf(exitInput, "%s: no %s there; is it the --out of a comparison?", dir, aboutFile)
	} else if err != nil {
		return nil, nil, nil, err
	}
	rows, err := readRows(dir)
	if err != nil {
		return nil, nil, nil, err
	}
	own := c.rowsAt(rows, about.Hash, about.Epoch)
	if gone := len(rows) - len(own); gone > 0 {
		return nil, nil, nil, failf(exitInput, "%s: %d of its %d rows are of another scenario or model epoch than %s says", dir, gone, len(rows), aboutFile)
	}
	return c, about, own, nil
}

// join widens a comparison by another of the same scenario.
func (c *comparison) join(o *comparison, first, dir string) error {
	if o.sc.Hash() != c.sc.Hash() || o.base != c.base {
		return failf(exitInput, "%s and %s are not parts of one comparison: %s, but %s", first, dir, c.describe(), o.describe())
	}
	if !c.handlers.equal(o.handlers) {
		return failf(exitInput, "%s and %s are not parts of one comparison: one was made with %s, the other with %s", first, dir, c.handlers, o.handlers)
	}
	stacks, kinds := slices.Concat(c.stacks, o.stacks), slices.Concat(c.faults, o.faults)
	c.stacks = slices.DeleteFunc(stackNames(c.sc), func(s string) bool { return !slices.Contains(stacks, s) })
	c.faults = slices.DeleteFunc(faultNames(), func(k string) bool { return !slices.Contains(kinds, k) })
	c.runs = max(c.runs, o.runs)
	if c.precision != o.precision {
		return failf(exitInput, "%s and %s have cells that stopped by different rules: --precision %q, but %q", first, dir, c.precision, o.precision)
	}
	if err := errors.Join(c.joinHunts(o, first, dir), c.joinPoisson(o, first, dir)); err != nil {
		return err
	}
	if err := c.joinEdges(o, first, dir); err != nil {
		return err
	}
	if fmt.Sprint(c.sc.Expect) != fmt.Sprint(o.sc.Expect) {
		return failf(exitInput, "%s and %s expect different things", first, dir)
	}
	return nil
}
