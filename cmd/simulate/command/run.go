package command

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/internal/tell"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// patience is how long one run may take before it is taken for a loop without awaits.
const patience = time.Minute

type runFlags struct {
	stack        string
	faults       []string
	plant        []string
	seed, base   uint64
	out, history string
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "One run: its verdict, its findings, and a case if a promise was broken",
		Long: `run does one run of a scenario and prints the verdict and the findings. --faults takes a fault kind, whose one
fault is drawn as in compare, or a fault as a plan writes it (several: --faults several times).

Exit codes: 1 a promised property is violated inside the envelope, 5 one is unknown or vacuous, else 0.`,
		Example: `  simulate run payments --stack at-least-once --faults consumer-kill --seed 7
  simulate run payments --stack key-event-stage --faults "at 20s pause consumer-2 for 60s" --seed 1
  simulate run my.yaml --stack mine --faults "when payments.charge/applied{event=order-117} #1 kill $caller for 1s" --seed 1`,
		Args:              arguments(1, 1, "one scenario"),
		RunE:              func(_ *cobra.Command, args []string) error { return a.run(args[0], f) },
		ValidArgsFunction: a.completeScenario,
	}
	flags := cmd.Flags()
	flags.StringVar(&f.stack, "stack", "", "the stack (required)")
	flags.StringArrayVar(&f.faults, "faults", []string{reports.Control}, "a fault kind, or a fault as in a plan")
	flags.StringArrayVar(&f.plant, "plant", nil, "build the world with this planted bug, to see that it is caught (CONTRIBUTING.md)")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of the run")
	flags.Uint64Var(&f.base, "base", 1, "base seed of the comparison that the run belongs to")
	flags.StringVar(&f.out, "out", "out", "directory of the case, if there is one")
	flags.StringVar(&f.history, "history", "", "write the facts of the run to this file, - for standard output")
	completeFlag(cmd, "stack", completeStacks(a, false))
	completeFlag(cmd, "faults", completeFaults(false))
	completeFlag(cmd, "plant", completeWords(bugNames()))
	return cmd
}

// runCase makes the case that the flags describe.
func (a *app) runCase(name string, f *runFlags) (*scenarios.Case, error) {
	sc, err := a.load(name)
	if err != nil {
		return nil, err
	}
	names := stackNames(sc)
	switch {
	case f.stack == "":
		return nil, failf(exitInput, "--stack is required (%s)", hint("", names))
	case !slices.Contains(names, f.stack):
		return nil, failf(exitInput, "unknown stack %q (%s)", f.stack, hint(f.stack, names))
	}
	f.base = min(f.base, f.seed)
	if f.seed-f.base > math.MaxInt64 {
		return nil, failf(exitInput, "--seed %d lies too far from --base %d", f.seed, f.base)
	}
	var c *scenarios.Case
	switch {
	case len(f.faults) == 1 && !strings.ContainsAny(strings.TrimSpace(f.faults[0]), " \t"):
		kind := strings.TrimSpace(f.faults[0])
		if _, ok := history.FaultKindByName(kind); !ok {
			return nil, failf(exitInput, "unknown fault kind %q (%s)", kind, hint(kind, faultNames()))
		}
		c, err = scenarios.MeasuringCase(sc, f.stack, kind, f.base, f.seed)
	default:
		var plan []faults.Fault
		if plan, err = faults.ParseLines(f.faults); err == nil {
			c = scenarios.ChosenCase(sc, f.stack, kindOf(plan), plan, f.seed)
		}
	}
	if err != nil {
		return nil, err
	}
	if c.Intent.Planted, err = planted(f.plant); err != nil {
		return nil, err
	}
	_, err = scenarios.Plan(c)
	return c, err
}

// planted are the bugs in the order that cases have, each once.
func planted(names []string) ([]string, error) {
	known := bugNames()
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, failf(exitInput, "unknown planted bug %q (%s)", name, hint(name, known))
		}
	}
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	return slices.Compact(sorted), nil
}

func bugNames() []string {
	var names []string
	for _, b := range scenarios.PlantedBugs() {
		names = append(names, b.Name)
	}
	return names
}

// kindOf is the fault kind that a plan is most like: the first one with the verb of its first fault.
func kindOf(plan []faults.Fault) string {
	like := reports.Control
	for _, k := range history.FaultKinds() {
		if len(plan) == 0 || k.Verb != plan[0].Verb {
			continue
		}
		role := strings.TrimPrefix(k.Target, "@")
		if like == reports.Control || strings.HasPrefix(plan[0].Targets[0], role) {
			like = k.Name
		}
	}
	return like
}

func (a *app) run(name string, f runFlags) error {
	c, err := a.runCase(name, &f)
	if err != nil {
		return err
	}
	r, err := scenarios.Supervise(c, &scenarios.Memory{}, patience)
	if crash, ok := errors.AsType[*scenarios.Crash](err); ok {
		return a.runFailed(c, f.out, crash.Error())
	} else if err != nil {
		return err
	}
	if why, bad := r.Failed(); bad {
		return a.runFailed(c, f.out, why)
	}
	c.Witness = r.Witness(f.seed)
	if f.history != "" {
		if err := a.writeOutput(f.history, r.History.Write); err != nil {
			return err
		}
		if f.history == "-" { // the facts are the result
			a = a.aside()
		}
	}
	contract := contractOf(c)
	v := checker.Judge([]history.Row{r.Row}, contract)
	expect(c, r.Verdicts.Findings, contract)
	a.printRun(c, r, &v)
	if broken(&v) {
		if err := prepare(f.out); err != nil {
			return err
		}
		path := filepath.Join(f.out, caseFile(c))
		if err := writeFile(path, c.Encode()); err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "%-10s%s\n", "again", a.command("replay", relative(path)))
		return quietly(exitFinding)
	}
	if v.Verdict != checker.Pass {
		return quietly(exitInconclusive)
	}
	return nil
}

// runFailed keeps the case of a run that did not end by the rules.
func (a *app) runFailed(c *scenarios.Case, out, why string) error {
	c.Witness = blankWitness(c.Witness.Seed)
	c.Intent.Property, c.Intent.Expected = string(history.PropHarness), checker.Fail.String()
	again := ""
	if prepare(out) == nil {
		path := filepath.Join(out, caseFile(c))
		if writeFile(path, c.Encode()) == nil {
			again = "\nagain     " + a.command("replay", relative(path))
		}
	}
	return failf(exitSimulator, "the run ended outside the rules: %s%s", why, again)
}

func contractOf(c *scenarios.Case) history.Contract {
	return (&comparison{sc: c.Intent.Scenario}).contract(c.Intent.Stack)
}

func broken(v *checker.StackVerdict) bool { return v.Verdict == checker.Fail }

// printRun prints what one run says.
func (a *app) printRun(c *scenarios.Case, r *scenarios.Result, v *checker.StackVerdict) {
	line := func(head, format string, args ...any) {
		fmt.Fprintf(a.stdout, "%-10s%s\n", head, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(a.stdout, "%s · %s · %s · seed %d\n", c.Intent.Scenario.Name, c.Intent.Stack, c.Intent.Fault, c.Witness.Seed)
	for _, text := range c.Intent.Plan {
		line("fault", "%s", text)
	}
	for i := range r.History.Facts {
		if f := &r.History.Facts[i]; f.Kind == history.KindFaultMissed {
			line("missed", "%s: %s", f.Note, f.Value)
		}
	}
	for _, bug := range c.Intent.Planted {
		line("planted", "%s", bug)
	}
	line("intents", "%s", intents(&r.Row))
	line("verdict", "%s", a.verdict(c, r, v))
	for _, p := range v.Properties {
		text := fmt.Sprintf("%s · decided on %d", p.Verdict, p.Exercised)
		if p.Violations+p.Outside > 0 {
			text += fmt.Sprintf(" · %d violated", p.Violations+p.Outside)
		}
		if p.Undecided > 0 {
			text += fmt.Sprintf(" · %d undecided", p.Undecided)
		}
		line("", "%s: %s", p.Property, text)
	}
	a.printFindings(r.Verdicts.Findings, checker.Promised(contractOf(c)))
	if len(r.Row.Seen) > 0 {
		line("also seen", "%s", counted(r.Row.Seen, ", "))
	}
	line("run", "%d events, %d facts, %s simulated, stopped: %s", r.Row.Events, r.History.Len(), seconds(r.Row.SimTime/1_000_000_000*1_000_000_000), r.Row.Stop)
	line("digest", "%s · history %s · epoch %d", c.Witness.Digest, c.Witness.HistoryDigest, scenarios.Epoch)
}

// intents says where the intents ended.
func intents(r *history.Row) string {
	parts := []string{fmt.Sprintf("%d offered", r.Offered)}
	for i, n := range r.Buckets {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, history.Bucket(i)))
		}
	}
	return strings.Join(parts, " · ")
}

// counted lists counts by name.
func counted(counts map[string]int64, between string) string {
	var parts []string
	for _, name := range history.SortedKeys(counts) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(parts, between)
}

// verdict is one sentence about the contract.
func (a *app) verdict(c *scenarios.Case, r *scenarios.Result, v *checker.StackVerdict) string {
	switch {
	case guaranteeBroken(v):
		return "broken: a component did not keep what it guarantees to every stack"
	case r.Row.Outside:
		plan, _ := scenarios.Plan(c)
		_, bound := c.Intent.Scenario.Inside(c.Intent.Stack, plan)
		return fmt.Sprintf("outside: the fault exceeds the envelope's %s, so that nothing is promised here", bound)
	case v.Verdict == checker.Fail:
		return "broken: a promise did not hold inside the envelope"
	case v.Verdict == checker.Unknown:
		return "unknown: a promise could not be decided"
	case v.Verdict == checker.Vacuous:
		return "vacuous: a promise was not exercised"
	case len(v.Properties) == 0:
		return "held: this stack promises nothing"
	}
	return "held: every promise, in this run"
}

// guaranteeBroken says whether no plan could excuse what was found.
func guaranteeBroken(v *checker.StackVerdict) bool {
	return slices.ContainsFunc(v.Properties, func(p checker.PropertyVerdict) bool {
		return p.Violations > 0 && slices.Contains(checker.Guaranteed(), p.Property)
	})
}

// printFindings lists the findings by fingerprint, the gravest first.
func (a *app) printFindings(found []history.Finding, promised []history.Property) {
	rest := slices.Clone(found)
	for len(rest) > 0 {
		f, _ := tell.Gravest(rest, promised)
		print, before := f.Fingerprint(), len(rest)
		rest = slices.DeleteFunc(rest, func(g history.Finding) bool { return g.Fingerprint() == print })
		standing := "permitted"
		switch {
		case slices.Contains(promised, f.Property):
			standing = "promised not to be"
		case slices.Contains(checker.Guaranteed(), f.Property):
			standing = "guaranteed not to be: a component is broken"
		}
		fmt.Fprintf(a.stdout, "%-10s%d × %s (%s)\n%-10s%s\n", "finding", before-len(rest), print, standing, "", f.Detail)
	}
}
