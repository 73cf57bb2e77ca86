package command

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twiceless/twiceless/scenarios"
)

// completion proposes the words that may follow.
type completion = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// completeFlag registers a completion; the flag must exist.
func completeFlag(cmd *cobra.Command, flag string, complete completion) {
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic("command: " + err.Error())
	}
}

// completeScenario proposes the scenarios that have a name, and files.
func (a *app) completeScenario(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var words []string
	for _, e := range a.team.shelf() {
		if strings.HasPrefix(e.name, prefix) {
			words = append(words, e.name+"\t"+firstSentence(e.doc))
		}
	}
	return words, cobra.ShellCompDirectiveDefault
}

// completeExposure proposes the profiles of the library and files.
func completeExposure(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	return completeFrom(scenarios.ExposureNames(), prefix, false), cobra.ShellCompDirectiveDefault
}

// completeStacks proposes the stacks of the scenario that the command line names.
func completeStacks(a *app, list bool) completion {
	return func(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		name := a.team.usual()
		if len(args) > 0 && args[0] != "-" {
			name = args[0]
		}
		sc, err := a.load(name)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return completeFrom(stackNames(sc), prefix, list), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeFaults proposes fault kinds.
func completeFaults(list bool) completion {
	return func(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
		words := faultNames()
		if list {
			words = append(words, "all")
		}
		return completeFrom(words, prefix, list), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeWords proposes fixed words.
func completeWords(words []string) completion {
	return func(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
		return completeFrom(words, prefix, false), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeFrom completes the last word of a list with commas.
func completeFrom(words []string, prefix string, list bool) []string {
	before, last := "", prefix
	if i := strings.LastIndexByte(prefix, ','); list && i >= 0 {
		before, last = prefix[:i+1], prefix[i+1:]
	}
	given := strings.Split(before, ",")
	var out []string
	for _, w := range words {
		if strings.HasPrefix(w, last) && !slices.Contains(given, w) {
			out = append(out, before+w)
		}
	}
	return out
}

// completeFiles proposes files with an extension.
func completeFiles(ext string) completion {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{ext}, cobra.ShellCompDirectiveFilterFileExt
	}
}

func firstSentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if i := strings.Index(text, ". "); i >= 0 {
		return text[:i+1]
	}
	return text
}
