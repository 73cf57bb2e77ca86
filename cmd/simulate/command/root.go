package command

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/twiceless/twiceless/internal/words"
)

// commands lists the commands in the order of the help.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.compareCommand(),
		a.runCommand(),
		a.replayCommand(),
		a.shrinkCommand(),
		a.corpusCommand(),
		a.reportCommand(),
		a.mergeCommand(),
		a.verifyCommand(),
		a.checkCommand(),
		a.listCommand(),
		a.explainCommand(),
		a.vetCommand(),
		a.schemaCommand(),
		a.versionCommand(),
		a.digestsCommand(),
	}
}

const rootLong = `simulate answers one question with evidence: which reliability stack keeps an event-driven
system exactly-once under which faults, at what cost, and what is the smallest story that breaks it?

Without a command it says what it is and tells one story of a broken stack.

Exit codes: 0 as expected · 1 a finding · 2 bad usage or input · 3 a fault of the simulator ·
4 non-determinism · 5 inconclusive · 130 interrupted, what is finished is saved.`

func (a *app) root() *cobra.Command {
	cobra.EnableCommandSorting = false
	long := rootLong
	if code := a.team.summary(); code != "" {
		long += "\n\nCode in this program: " + code + ". Hosted code runs under go test only."
	}
	root := &cobra.Command{
		Use:           cmp.Or(a.name, "simulate"),
		Short:         "Which reliability stack stays exactly-once under which faults?",
		Long:          long,
		Example:       "  simulate compare\n  simulate run payments --stack at-least-once --faults consumer-kill --seed 7\n  simulate replay out/cases/at-least-once.consumer-kill.0123456789ab.case",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(a.commands()...)
	var names []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	root.Args = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return failf(exitInput, "unknown command %q (%s)", args[0], hint(args[0], names))
	}
	root.RunE = func(cmd *cobra.Command, _ []string) error { return a.welcome(cmd.Context()) }
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	return root
}

// flagError says in one line what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		f := bad.GetFlag()
		return failf(exitInput, "%s: --%s %s: want %s", cmd.CommandPath(), f.Name, bad.GetValue(), wanted(f.Value.Type()))
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return failf(exitInput, "%s: %v (%s --help)", cmd.CommandPath(), err, cmd.CommandPath())
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	name := unknown.GetSpecifiedName()
	advice := cmd.CommandPath() + " --help"
	if near := words.Nearest(name, names); near != "" && len(name) > 1 {
		advice = "did you mean --" + near + "?"
	}
	dashes := "--"
	if unknown.GetSpecifiedShortnames() != "" {
		dashes = "-"
	}
	return failf(exitInput, "%s has no flag %s%s (%s)", cmd.CommandPath(), dashes, name, advice)
}

// wanted is what a flag of a type takes.
func wanted(kind string) string {
	switch kind {
	case "int":
		return "a whole number"
	case "uint64":
		return "a whole number, at least 0"
	case "bool":
		return "true or false"
	}
	return "a " + kind
}

// arguments checks the number of arguments; usage is what they are.
func arguments(least, most int, usage string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= most {
			return nil
		}
		got := "nothing"
		if len(args) > 0 {
			got = fmt.Sprintf("%d arguments", len(args))
		}
		return failf(exitInput, "%s takes %s, not %s (%s --help)", cmd.CommandPath(), usage, got, cmd.CommandPath())
	}
}

// hint proposes the nearest name, or lists all of them.
func hint(name string, known []string) string {
	if near := words.Nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "known: " + strings.Join(known, ", ")
}
