package command

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

func (a *app) vetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "vet FILE",
		Short: "Check a scenario file and say what it means",
		Long: `vet reads a scenario file, lists everything that is wrong with it (exit 2), or says what was derived from it.
FILE may be a name of the library, or - for standard input.`,
		Example:           "  simulate vet my.yaml\n  simulate vet - < my.yaml",
		Args:              arguments(1, 1, "one scenario file"),
		RunE:              func(_ *cobra.Command, args []string) error { return a.vet(args[0]) },
		ValidArgsFunction: a.completeScenario,
	}
}

func (a *app) vet(name string) error {
	sc, err := a.load(name)
	if err != nil {
		return err
	}
	line := func(head, format string, args ...any) {
		fmt.Fprintf(a.stdout, "%-10s%s\n", head, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(a.stdout, "%s is valid · scenario hash %s\n", sc.Name, sc.Hash())
	line("phases", "warm-up %s, chaos %s, drain at most %s (longest timeout chain %s)", rng.FormatDuration(sc.Phases.WarmUp),
		rng.FormatDuration(sc.Phases.Chaos), rng.FormatDuration(sc.Phases.Drain), rng.FormatDuration(sc.Phases.Chain))
	busy := sc.Utilisation()
	advice := ""
	if busy < 250 || busy > 600 {
		advice = "; usual is 25 to 60 %"
	}
	line("load", "%s, %d consumers %d %% busy by mean times%s", sc.Workload.Arrival, sc.Consumers.Members, (busy+5)/10, advice)
	if code := sc.Bound(); code != nil {
		line("code", "%s: of this program; the other stages do what the file says", strings.Join(stagesOf(code), ", "))
	}
	for i := range sc.Stacks {
		st := &sc.Stacks[i]
		var promised []string
		for _, p := range checker.Promised(st.Contract) {
			promised = append(promised, string(p))
		}
		text := "promises nothing"
		if len(promised) > 0 {
			text = "promises no " + strings.Join(promised, ", no ")
		}
		line("stack", "%s: %s", st.Name, text)
	}
	for _, a := range sc.Accepted() {
		line("accepts", "%s of %s until %s: %s", a.Finding, cmp.Or(a.Stack, "every stack"), a.Until, a.Issue)
	}
	for _, e := range sc.Expect {
		for _, f := range history.SortedKeys(e.Damage) {
			line("expects", "%s under %s: %s", e.Stack, f, e.Damage[f])
		}
		if e.LostSilent != "" {
			line("expects", "%s: nothing lost silently", e.Stack)
		}
	}
	return nil
}

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "The JSON Schema of scenario files, for editors",
		Long:    "schema prints the JSON Schema of scenario files. An editor reads it through the first line of a file:\n\n  # yaml-language-server: $schema=twiceless.schema.json",
		Example: "  simulate schema > twiceless.schema.json",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(scenarios.Schema())
			return err
		},
	}
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Versions of the program, of Go, of the file formats, and the model epoch",
		Long:    "version prints the versions that a case and a report depend on. Digests are comparable within one model epoch.",
		Example: "  simulate version",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			rows := []entryLine{
				{"simulate", buildVersion()},
				{"go", runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH},
				{"formats", fmt.Sprintf("scenario 1 · case %d · history %d · results 1 · comparison %d", scenarios.CaseVersion, history.FormatVersion, aboutVersion)},
				{"model epoch", fmt.Sprint(scenarios.Epoch)},
			}
			for _, sc := range a.team.order {
				bound, err := a.team.bind(sc)
				if err != nil {
					return err
				}
				have, err := a.team.handlersOf(bound)
				if err != nil {
					return err
				}
				rows = append(rows, entryLine{"code", sc.Name + ": " + have.String()})
			}
			printTable(a.stdout, rows)
			return nil
		},
	}
}

// buildVersion is the version of the module, or the commit it was built from.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (version == "" || version == "(devel)") {
			version = s.Value
		}
	}
	if version == "" {
		return "unknown"
	}
	return version
}

// maxDigests is the most cases that digests takes.
const maxDigests = 1_000_000

func (a *app) digestsCommand() *cobra.Command {
	var cases int
	cmd := &cobra.Command{
		Use:    "digests",
		Short:  "Digests of fixed cases, to compare builds and processors",
		Long:   "digests does fixed cases of " + defaultScenario + " and prints a line for each: stack fault seed digest historydigest.",
		Hidden: true,
		Args:   arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cases < 1 || cases > maxDigests {
				return failf(exitInput, "--cases %d: from 1 to %d", cases, maxDigests)
			}
			return a.digests(cases)
		},
	}
	cmd.Flags().IntVar(&cases, "cases", 20, "number of cases")
	return cmd
}

// digests walks all pairs of stack and fault kind: few cases meet every stack and every kind.
func (a *app) digests(cases int) error {
	sc, err := scenarios.Load(defaultScenario)
	if err != nil {
		return err
	}
	stacks, kinds := stackNames(sc), faultNames()
	step := 3
	for common(step, len(kinds)) != 1 {
		step++
	}
	mem := &scenarios.Memory{}
	for i := range cases {
		stack, kind, seed := stacks[i%len(stacks)], kinds[(i%len(stacks)+i/len(stacks)*step)%len(kinds)], uint64(i)+1
		c, err := scenarios.MeasuringCase(sc, stack, kind, 1, seed)
		if err != nil {
			return err
		}
		r, err := scenarios.Supervise(c, mem, 0)
		if err != nil {
			return err
		}
		w := r.Witness(seed)
		if _, err := io.WriteString(a.stdout, strings.Join([]string{stack, kind, fmt.Sprint(seed), w.Digest, w.HistoryDigest}, " ")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// common is the greatest common divisor.
func common(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
