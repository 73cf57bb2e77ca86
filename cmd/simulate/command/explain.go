package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/internal/words"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// meaning is one thing that a word may mean.
type meaning struct{ what, name, doc string }

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain WORD",
		Short: "What a word means: a layer, fault, property, column, cause, field or bucket",
		Long: `explain says what a word of this program means: an engine or layer, a fault kind or verb, a property or checker,
a column of results.json, the cause label of a finding, a field of a scenario file (workload.arrival, or arrival),
a bucket, an effect class, a dimension of envelopes, a kind of fact, a planted bug, an exposure
or cost profile with its lines, a published failure (F-02) or defect.`,
		Example: "  simulate explain idempotency-key\n  simulate explain duplicates_per_fault\n  simulate explain workload.keys",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return failf(exitInput, "simulate explain takes a word (simulate explain --help)")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.explain(strings.Join(args, " ")) },
		ValidArgsFunction: func(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return completeFrom(vocabulary(a.meanings()), prefix, false), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

func (a *app) explain(word string) error {
	all := a.meanings()
	var found []meaning
	for _, m := range all {
		same := func(o meaning) bool { return o.doc == m.doc } // a layer is a field of files, too
		if m.known(word) && !slices.ContainsFunc(found, same) {
			found = append(found, m)
		}
	}
	if len(found) == 0 {
		advice := "layers, faults, properties, columns, causes, fields and buckets are known: simulate list layers"
		if near := words.Nearest(word, vocabulary(all)); near != "" {
			advice = "did you mean " + near + "?"
		}
		return failf(exitInput, "nothing is known of %q (%s)", word, advice)
	}
	for i, m := range found {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		fmt.Fprintf(a.stdout, "%s · %s\n", m.name, m.what)
		for paragraph := range strings.Lines(m.doc) {
			for _, line := range wrap(paragraph, pageWidth-2) {
				fmt.Fprintf(a.stdout, "  %s\n", line)
			}
		}
	}
	return nil
}

// known says whether a word means m: its name, or the end of it in a path.
func (m meaning) known(word string) bool {
	word, name := strings.ToLower(strings.TrimSpace(word)), strings.ToLower(m.name)
	if word == name {
		return true
	}
	return strings.HasSuffix(name, "."+word) || strings.HasPrefix(name, word+" (")
}

// vocabulary lists the words that are explained.
func vocabulary(all []meaning) []string {
	var words []string
	for _, m := range all {
		words = append(words, m.name)
		if i := strings.LastIndexByte(m.name, '.'); i >= 0 {
			words = append(words, m.name[i+1:])
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// meanings is everything that can be explained here.
func (a *app) meanings() []meaning {
	all := meanings()
	for _, sc := range a.team.order {
		code := a.team.handlers[sc.Name]
		all = append(all, meaning{"scenario with code of this program", sc.Name,
			fmt.Sprintf("%s\nCode of %s: %s. The other stages do what the file says.", strings.TrimSpace(sc.Why), a.team.program.path, strings.Join(stagesOf(code), ", "))})
	}
	return all
}

// meanings is everything that can be explained anywhere.
func meanings() []meaning {
	var all []meaning
	add := func(what, name, doc string) { all = append(all, meaning{what, name, doc}) }
	for _, p := range scenarios.Parts() {
		add(p.What, p.Name, p.Doc)
	}
	for _, b := range scenarios.PlantedBugs() {
		add(b.What, b.Name, b.Doc+"; built in with: simulate run SCENARIO --plant "+b.Name)
	}
	for _, p := range scenarios.CostProfiles() {
		add(p.What, p.Name, p.Doc)
	}
	for _, f := range scenarios.Catalogue() {
		add("published failure", f.ID, f.Doc())
	}
	for _, d := range scenarios.Defects() {
		add(d.What, d.Name, d.Doc)
	}
	for _, k := range history.FaultKinds() {
		add("fault kind", k.Name, faultDoc(k)+dimensionDoc(k))
	}
	for _, v := range faults.Verbs() {
		add("verb of a plan", v.Name, v.Doc+"; written: "+v.When+" "+v.Usage)
	}
	for _, k := range checker.Kinds() {
		add("checker", k.Name, checkerDoc(&k))
		for _, p := range k.Properties {
			add("property", string(p), fmt.Sprintf("%s\n%s: %s", k.Doc, k.Weight, k.Weight.Doc()))
		}
	}
	for _, m := range blackbox.Models() {
		add("model of check", m.Name, m.Doc+"\nOperations: "+strings.Join(functionsOf(m), " · ")+"\nAnomalies: "+strings.Join(anomaliesOf(m), ", "))
		for _, x := range m.Anomalies {
			add("anomaly of model "+m.Name, x.Name, x.Doc)
		}
	}
	add("property", string(history.PropHarness), "the run itself ended outside the rules: a fault of the simulator, never of a stack")
	for _, l := range history.Labels() {
		add("cause label of a finding", string(l.Name), l.Doc)
	}
	for _, d := range history.Dimensions() {
		add("dimension of envelopes", string(d.Name), d.Doc)
	}
	all = append(append(append(all, glossary()...), exposures()...), fields()...)
	for k := history.KindNone + 1; ; k++ {
		if parsed, err := history.ParseKind(k.String()); err != nil || parsed != k {
			break
		}
		add("kind of fact in histories", k.String(), k.Doc())
	}
	return all
}

func anomaliesOf(m blackbox.Model) []string {
	var names []string
	for _, x := range m.Anomalies {
		names = append(names, x.Name)
	}
	return names
}

// exposures are the profiles of the library, with each of their assumptions in a paragraph of its own.
func exposures() []meaning {
	var all []meaning
	for _, name := range scenarios.ExposureNames() {
		e, err := scenarios.LoadExposure(name)
		if err != nil {
			panic("command: library: " + err.Error())
		}
		doc := e.Why
		for _, l := range e.Lines {
			doc += fmt.Sprintf("\n%s: %s (%s) %s", l.Kind, l.Rate, l.Source, l.Why)
		}
		all = append(all, meaning{"exposure profile", e.Name, doc})
	}
	return all
}

func dimensionDoc(k history.FaultKind) string {
	if k.Dimension == "" {
		return ""
	}
	return "; an envelope bounds it as " + string(k.Dimension)
}
