package command

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/twiceless/twiceless/reports"
)

func (a *app) reportCommand() *cobra.Command {
	var f reportFlags
	var against string
	cmd := &cobra.Command{
		Use:   "report DIR",
		Short: "Make the report of a comparison again from its rows, or compare two",
		Long: `report makes everything that compare or merge left in DIR again from the rows that are saved there: table,
results.json, plots, cases and report.html, with the same bytes. The runs of the cases are done again for their
stories. The exit code is that of compare.

--against sets it beside another comparison of the same scenario: what changed beyond the intervals from that one
to DIR, which verdicts changed, and both model epochs. Nothing is written, and the exit code is 0.`,
		Example: "  simulate report out\n  simulate report out --against out/before",
		Args:    arguments(1, 1, "the directory of one comparison"),
		RunE: func(_ *cobra.Command, args []string) error {
			if against != "" {
				return a.reportChanges(args[0], against, &f)
			}
			return a.reportAgain(args[0], &f)
		},
		ValidArgsFunction: completeDirectories,
	}
	cmd.Flags().StringVar(&against, "against", "", "directory of an earlier comparison of the same scenario")
	a.tableFlagsOf(cmd, &f, "")
	completeFlag(cmd, "against", completeDirectories)
	return cmd
}

// completeDirectories proposes directories.
func completeDirectories(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func (a *app) reportAgain(dir string, f *reportFlags) error {
	c, rows, err := a.readComparison(dir)
	if err != nil {
		return err
	}
	f.out = dir
	if err := errors.Join(a.expose(c, f), f.check()); err != nil {
		return err
	}
	return a.finish(&finished{comparison: c, rows: rows, out: dir, workers: runtime.NumCPU()}, f)
}

// reportChanges prints what changed from one comparison to another. Their rows are never mixed, so that their model
// epochs, and the text of the scenario, may differ: the figures of both are functions of their own rows.
func (a *app) reportChanges(dir, before string, f *reportFlags) error {
	if f.format != "text" {
		return failf(exitInput, "--against prints text, not %s", f.format)
	}
	is, now, err := readSide(dir)
	if err != nil {
		return err
	}
	was, then, err := readSide(before)
	if err != nil {
		return err
	}
	if is.Input.Scenario != was.Input.Scenario {
		return failf(exitInput, "%s is of scenario %s, %s of %s: nothing to compare", dir, is.Input.Scenario, before, was.Input.Scenario)
	}
	if err := reports.WriteChanges(a.stdout, was, is); err != nil || now.equal(then) {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "\nfrom  %s\nto    %s\n", then, now)
	return err
}

// readSide reads a comparison of any stages: its runs are not done again.
func readSide(dir string) (reports.Side, *handlers, error) {
	c, about, rows, err := readSaved(dir)
	if err != nil {
		return reports.Side{}, nil, err
	}
	done := &finished{comparison: c, rows: rows, out: dir}
	in := done.input(done.asked(rows), nil)
	in.ScenarioHash, in.Epoch = about.Hash, about.Epoch
	return reports.Side{Name: relative(dir), Input: in}, c.handlers, nil
}
