package command

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/twiceless/twiceless/scenarios"
)

type verifyFlags struct {
	tags           []string
	seeds, workers int
	out, format    string
	quiet          bool
}

func (a *app) verifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify [ID…]",
		Short: "The catalogue of published failures: is each one reproduced?",
		Long: `verify runs the rows of the catalogue of published failures, all of them, those of a tag, or those that are named.
Each row is run with its defect (or without the layer that would help) under the published schedule, where the anomaly must
appear; with the fix under the same schedule, where it must not; and without the schedule, where it must not either.
A row of section J is a negative control: something that looks like a failure, comes to pass, and must not be flagged.

A row whose mechanism no model has is listed with the reason, and counts neither way.

Tags: ` + strings.Join(scenarios.CatalogueTags(), ", ") + `. kafka is sections A (replication and offsets), B (idempotence and transactions)
and C (consumer groups), queue is section E, golden are the rows that a faithful model must have.

Exit codes: 1 a row is not reproduced, else 0.`,
		Example:           "  simulate verify --tag kafka\n  simulate verify F-02 F-15 --out out\n  simulate verify --tag queue --format json",
		RunE:              func(cmd *cobra.Command, args []string) error { return a.verify(cmd.Context(), args, f) },
		ValidArgsFunction: completeWords(scenarios.CatalogueIDs()),
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.tags, "tag", nil, "only rows with one of these tags")
	flags.IntVar(&f.seeds, "seeds", 0, "runs of each sort; 0 = as many as the row says")
	flags.IntVar(&f.workers, "workers", runtime.NumCPU(), "rows at once")
	flags.StringVar(&f.out, "out", "", "directory for a case of each row that shows its anomaly, for simulate replay")
	flags.StringVar(&f.format, "format", "text", "text or json")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress")
	completeFlag(cmd, "tag", completeWords(scenarios.CatalogueTags()))
	completeFlag(cmd, "format", completeWords([]string{"text", "json"}))
	return cmd
}

func (a *app) verify(ctx context.Context, ids []string, f verifyFlags) error {
	rows, err := chooseRows(ids, f.tags)
	switch {
	case err != nil:
		return err
	case f.seeds < 0 || f.seeds > 1000:
		return failf(exitInput, "--seeds %d: from 0 to 1000", f.seeds)
	case f.workers < 1:
		return failf(exitInput, "--workers %d: at least 1", f.workers)
	case f.format != "text" && f.format != "json":
		return failf(exitInput, "unknown format %q (text or json)", f.format)
	}
	results, err := a.verifyAll(ctx, rows, f)
	if err != nil {
		return err
	}
	cases, err := keepCases(f.out, results)
	if err != nil {
		return err
	}
	if f.format == "json" {
		err = a.verifyJSON(results)
	} else {
		a.tellVerified(results, cases)
	}
	if err == nil && slices.ContainsFunc(results, func(v *scenarios.Verified) bool { return v.Status == scenarios.StatusMissing }) {
		return quietly(exitFinding)
	}
	return err
}

// chooseRows are the rows that are named, or those with a tag, or all. Where a row has parts only, its id names all of them: F-20 is
// F-20a and F-20b.
func chooseRows(ids, tags []string) (rows []*scenarios.Failure, err error) {
	for _, tag := range tags {
		if !slices.Contains(scenarios.CatalogueTags(), tag) {
			return nil, failf(exitInput, "unknown tag %q (%s)", tag, hint(tag, scenarios.CatalogueTags()))
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(scenarios.CatalogueIDs(), func(known string) bool { return names(id, known) }) {
			return nil, failf(exitInput, "unknown row %q (%s)", id, hint(id, scenarios.CatalogueIDs()))
		}
	}
	for _, f := range scenarios.Catalogue() {
		tagged := slices.ContainsFunc(f.Tags(), func(t string) bool { return slices.Contains(tags, t) })
		named := slices.ContainsFunc(ids, func(id string) bool { return names(id, f.ID) })
		if named || tagged || len(ids)+len(tags) == 0 {
			rows = append(rows, f)
		}
	}
	return rows, nil
}

// names says whether an id names a row: its own, or, if no row has it, the one without the letter of a part.
func names(id, row string) bool {
	part, ok := strings.CutPrefix(row, id)
	whole := slices.Contains(scenarios.CatalogueIDs(), id)
	return ok && (part == "" || !whole && len(part) == 1 && part >= "a" && part <= "z")
}

// verifyAll runs the rows, several at once; the results are in their order.
func (a *app) verifyAll(ctx context.Context, rows []*scenarios.Failure, f verifyFlags) ([]*scenarios.Verified, error) {
	results, errs := make([]*scenarios.Verified, len(rows)), make([]error, len(rows))
	next := make(chan int)
	done := make(chan struct{}, len(rows))
	var wg sync.WaitGroup
	for range f.workers {
		wg.Go(func() {
			mem := &scenarios.Memory{}
			for i := range next {
				results[i], errs[i] = rows[i].Verify(f.seeds, mem, patience)
				if errs[i] != nil {
					mem = &scenarios.Memory{} // what a crash left of the old one is nobody's
				}
				done <- struct{}{}
			}
		})
	}
	p := a.newProgress(f.quiet)
	if p != nil {
		p.noun = "rows"
	}
	wg.Go(func() {
		defer close(next)
		for i := range rows {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	})
	go func() { wg.Wait(); close(done) }()
	n := 0
	for range done {
		n++
		p.tell(n, len(rows))
	}
	p.end()
	if ctx.Err() != nil {
		return nil, failf(exitInterrupted, "interrupted after %d of %d rows; name the ones that are left: simulate verify ID…", n, len(rows))
	}
	for _, err := range errs {
		if err != nil {
			return nil, failf(exitSimulator, "%v", err)
		}
	}
	return results, nil
}

// keepCases writes a case of each row that shows its anomaly; the files are parallel to the results, "" = none.
func keepCases(dir string, results []*scenarios.Verified) ([]string, error) {
	files := make([]string, len(results))
	if dir == "" {
		return files, nil
	}
	if err := prepare(dir); err != nil {
		return nil, err
	}
	for i, v := range results {
		if v.Case == nil {
			continue
		}
		files[i] = filepath.Join(dir, v.Failure.ID+".case")
		if err := writeFile(files[i], v.Case.Encode()); err != nil {
			return nil, err
		}
	}
	return files, nil
}

type verifiedRow struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Seeds   int    `json:"seeds"`
	Anomaly string `json:"anomaly"`
	Reason  string `json:"reason"`
}

func (a *app) verifyJSON(results []*scenarios.Verified) error {
	out := struct {
		Rows []verifiedRow `json:"rows"`
	}{Rows: []verifiedRow{}}
	for _, v := range results {
		out.Rows = append(out.Rows, verifiedRow{v.Failure.ID, v.Status, v.Seeds, v.Anomaly, v.Reason})
	}
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// tellVerified prints one line a row, those that are missing with the reason, and the sums.
func (a *app) tellVerified(results []*scenarios.Verified, cases []string) {
	count := map[string]int{}
	for i, v := range results {
		count[v.Status]++
		f, mark := v.Failure, " "
		if f.Golden {
			mark = "★"
		}
		fmt.Fprintf(a.stdout, "%-6s %s %-13s %s\n", f.ID, mark, v.Status, f.Title)
		for _, line := range wrap(seenText(v), pageWidth-23) {
			fmt.Fprintf(a.stdout, "%-23s%s\n", "", line)
		}
		if cases[i] != "" {
			fmt.Fprintf(a.stdout, "%-23s%s\n", "", a.command("replay", relative(cases[i])))
		}
	}
	fmt.Fprintf(a.stdout, "\n%d reproduced · %d missing · %d not modelled\n", count[scenarios.StatusReproduced], count[scenarios.StatusMissing], count[scenarios.StatusNotModelled])
}

// seenText says what was seen of a row.
func seenText(v *scenarios.Verified) string {
	f := v.Failure
	switch {
	case v.Reason != "":
		return v.Reason
	case f.Control():
		return fmt.Sprintf("it came to pass in %d seeds and was not flagged", v.Seeds)
	}
	return fmt.Sprintf("%s in %d of %d seeds; with the fix (%s) and without the schedule in none", v.Anomaly, v.Shows, v.Seeds, f.Fix)
}
