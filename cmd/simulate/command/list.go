package command

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// listing is one table of names.
type listing struct {
	name string
	rows func(a *app, scenario string) ([]entryLine, error)
}

// entryLine is a name and what it is.
type entryLine struct{ name, doc string }

// listings is the table of what can be listed.
func listings() []listing {
	return []listing{
		{"scenarios", func(a *app, _ string) ([]entryLine, error) { return a.team.shelf(), nil }},
		{"stacks", (*app).listStacks},
		{"layers", func(*app, string) ([]entryLine, error) {
			var rows []entryLine
			for _, p := range scenarios.Parts() {
				switch p.What {
				case "engine":
					rows = append(rows, entryLine{p.Name, "engine: " + p.Doc})
				case "layer":
					rows = append(rows, entryLine{p.Name, p.Doc})
				}
			}
			return rows, nil
		}},
		{"faults", func(*app, string) ([]entryLine, error) {
			var rows []entryLine
			for _, k := range history.FaultKinds() {
				rows = append(rows, entryLine{k.Name, faultDoc(k)})
			}
			return rows, nil
		}},
		{"checkers", func(*app, string) ([]entryLine, error) {
			var rows []entryLine
			for _, k := range checker.Kinds() {
				rows = append(rows, entryLine{k.Name, checkerDoc(&k)})
			}
			return rows, nil
		}},
		{"failures", func(*app, string) ([]entryLine, error) {
			var rows []entryLine
			for _, f := range scenarios.Catalogue() {
				rows = append(rows, entryLine{f.ID, f.Title + " (" + strings.Join(f.Tags(), ", ") + ")"})
			}
			return rows, nil
		}},
	}
}

// checkerDoc is what a checker judges, under which names, and what that weighs.
func checkerDoc(k *checker.Checker) string {
	names := make([]string, len(k.Properties))
	for i, p := range k.Properties {
		names[i] = string(p)
	}
	return fmt.Sprintf("%s; %s: %s", k.Doc, k.Weight, strings.Join(names, ", "))
}

func (a *app) listStacks(scenario string) ([]entryLine, error) {
	if scenario == "" {
		scenario = a.team.usual()
	}
	sc, err := a.load(scenario)
	if err != nil {
		return nil, err
	}
	var rows []entryLine
	for i := range sc.Stacks {
		st := &sc.Stacks[i]
		rows = append(rows, entryLine{st.Name, strings.TrimSpace(st.Why + " (" + strings.Join(parts(st), " + ") + ")")})
	}
	return rows, nil
}

func faultDoc(k history.FaultKind) string {
	doc := k.Doc
	switch {
	case k.Name == "none":
	case k.For > 0:
		doc += "; " + seconds(k.For)
	case k.Grace > 0:
		doc += "; grace " + seconds(k.Grace)
	case k.UntilHeal:
		doc += "; until the heal"
	}
	if !k.Default && k.Verb != "" {
		doc += " (not in the default set)"
	}
	return doc
}

func (a *app) listCommand() *cobra.Command {
	var names []string
	for _, l := range listings() {
		names = append(names, l.name)
	}
	return &cobra.Command{
		Use:   "list " + strings.Join(names, "|"),
		Short: "List scenarios, stacks, layers, faults, checkers or failures",
		Long: `list prints one table of names, each with one line about it. Stacks are those of a scenario, ` + a.team.usual() + `
unless another one is named. More about a name: simulate explain NAME.`,
		Example: "  simulate list faults\n  simulate list stacks my.yaml",
		Args:    arguments(1, 2, "one of "+strings.Join(names, ", ")),
		RunE: func(_ *cobra.Command, args []string) error {
			i := slices.IndexFunc(listings(), func(l listing) bool { return l.name == args[0] })
			switch {
			case i < 0:
				return failf(exitInput, "unknown list %q (%s)", args[0], hint(args[0], names))
			case len(args) == 2 && args[0] != "stacks":
				return failf(exitInput, "list %s takes no scenario", args[0])
			}
			rows, err := listings()[i].rows(a, strings.Join(args[1:], ""))
			if err == nil {
				printTable(a.stdout, rows)
			}
			return err
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
			switch {
			case len(args) == 0:
				return completeFrom(names, prefix, false), cobra.ShellCompDirectiveNoFileComp
			case len(args) == 1 && args[0] == "stacks":
				return a.completeScenario(cmd, nil, prefix)
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// pageWidth is the width of printed text.
const pageWidth = 120

// printTable prints names with their texts beside them.
func printTable(w io.Writer, rows []entryLine) {
	left := 0
	for _, r := range rows {
		left = max(left, utf8.RuneCountInString(r.name)+2)
	}
	for _, r := range rows {
		printEntry(w, left, r)
	}
}

// printEntry prints a name in a margin of that width, with its text beside it.
func printEntry(w io.Writer, margin int, e entryLine) {
	head := e.name
	for _, line := range wrap(e.doc, pageWidth-margin) {
		fmt.Fprintf(w, "%-*s%s\n", margin, head, line)
		head = ""
	}
	if head != "" {
		fmt.Fprintln(w, head)
	}
}

// wrap breaks a text at blanks.
func wrap(text string, width int) []string {
	var lines []string
	for _, word := range strings.Fields(text) {
		if n := len(lines); n > 0 && utf8.RuneCountInString(lines[n-1])+1+utf8.RuneCountInString(word) <= width {
			lines[n-1] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}
