// Package blackboxtest holds the common contract of the judges of operation histories.
//
// The histories of a model are files: testdata/<model>/clean/ holds those without any anomaly, <anomaly>/ planted ones
// that show exactly that anomaly (and what always comes with it by definition), and <anomaly>-near/ near misses that
// look like it and do not show it. A reader learns from them what each name means.
package blackboxtest

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

// Counts says how many histories of each sort a model was held to.
type Counts struct{ Clean, Planted, Near int }

// Conformance holds a model to what every model promises:
//
//   - an empty history is vacuous, and clean ones pass;
//   - each of its anomalies has a planted history, which shows it and nothing else, and a near miss, which does not;
//   - evidence names events of the history, ascending; the second look says the same as the first;
//   - the report does not depend on the names of processes, nor on the order of neighbouring invokes of different
//     processes, or of neighbouring completions: neither changes what was before what.
func Conformance(t *testing.T, m blackbox.Model, dir string) Counts {
	var n Counts
	t.Run("empty", func(t *testing.T) {
		r, err := judge(m, "empty", nil, blackbox.Options{})
		require.NoError(t, err)
		require.Equal(t, checker.Vacuous, r.Verdict())
		require.NotEmpty(t, r.Why, "says why nothing was exercised")
	})
	for _, f := range files(t, dir, "clean") {
		n.Clean++
		t.Run("clean/"+f.name, func(t *testing.T) {
			r := hold(t, m, f)
			require.Empty(t, r.Anomalies)
			require.Equal(t, checker.Pass, r.Verdict(), "%v", r.Why)
		})
	}
	require.Positive(t, n.Clean, "no clean history")
	for _, a := range m.Anomalies {
		planted, near := files(t, dir, a.Name), files(t, dir, a.Name+"-near")
		require.NotEmpty(t, planted, "no planted history of %s", a.Name)
		require.NotEmpty(t, near, "no near miss of %s", a.Name)
		for _, f := range planted {
			n.Planted++
			t.Run(a.Name+"/"+f.name, func(t *testing.T) {
				names := namesOf(hold(t, m, f))
				require.Contains(t, names, a.Name)
				for _, other := range names {
					require.True(t, other == a.Name || slices.Contains(a.With, other), "only %s is planted here, not %s", a.Name, other)
				}
			})
		}
		for _, f := range near {
			n.Near++
			t.Run(a.Name+"-near/"+f.name, func(t *testing.T) {
				require.NotContains(t, namesOf(hold(t, m, f)), a.Name)
			})
		}
	}
	return n
}

type file struct {
	name, path string
	text       []byte
	options    blackbox.Options
}

// files are the histories of a directory. The first line of options.txt beside them, if there is one, is the level or
// promise that they are judged by: "level=serializable".
func files(t *testing.T, dir, kind string) []file {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, kind, "*.*"))
	require.NoError(t, err)
	var out []file
	for _, p := range paths {
		if filepath.Base(p) == optionsFile {
			continue
		}
		text, err := os.ReadFile(p)
		require.NoError(t, err)
		out = append(out, file{filepath.Base(p), p, text, optionsOf(t, filepath.Dir(p))})
	}
	return out
}

const optionsFile = "options.txt"

func optionsOf(t *testing.T, dir string) blackbox.Options {
	t.Helper()
	var o blackbox.Options
	text, err := os.ReadFile(filepath.Join(dir, optionsFile))
	if os.IsNotExist(err) {
		return o
	}
	require.NoError(t, err)
	for _, word := range strings.Fields(string(text)) {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "level":
			o.Level = value
		case "promise":
			o.Promise = value
		default:
			require.Fail(t, "unknown option", "%s in %s", word, dir)
		}
	}
	return o
}

// FormatOf is the format of a file, by its name.
func FormatOf(name string) ops.Format {
	if filepath.Ext(name) == ".edn" {
		return ops.EDN
	}
	return ops.JSONLines
}

func judge(m blackbox.Model, name string, text []byte, o blackbox.Options) (*ops.Report, error) {
	j, err := blackbox.Check(blackbox.Source{Name: name, Format: FormatOf(name), Reader: bytes.NewReader(text)}, m.Name, o)
	if err != nil {
		return nil, err
	}
	return j.Report, nil
}

func namesOf(r *ops.Report) []string {
	var names []string
	for _, a := range r.Anomalies {
		names = append(names, a.Name)
	}
	return names
}

// hold judges a file and checks what holds for every report.
func hold(t *testing.T, m blackbox.Model, f file) *ops.Report {
	t.Helper()
	r, err := judge(m, f.name, f.text, f.options)
	require.NoError(t, err)
	known := map[string]bool{}
	for _, a := range m.Anomalies {
		known[a.Name] = true
	}
	for _, a := range r.Anomalies {
		require.True(t, known[a.Name], "%s is not among the anomalies of %s", a.Name, m.Name)
		require.Positive(t, a.Count)
		require.NotEmpty(t, a.Detail)
		require.NotEmpty(t, a.Evidence)
		require.True(t, slices.IsSorted(a.Evidence))
	}
	again, err := judge(m, f.name, f.text, f.options)
	require.NoError(t, err)
	require.Equal(t, summary(r), summary(again), "a second look")
	for name, text := range permuted(f) {
		other, err := judge(m, f.name, text, f.options)
		require.NoError(t, err, name)
		require.Equal(t, outline(r), outline(other), name)
	}
	return r
}

// summary is all of a report that can be compared.
func summary(r *ops.Report) string {
	return fmt.Sprint(outline(r), r.Anomalies, r.Why)
}

// outline is what does not depend on the names of processes.
func outline(r *ops.Report) string {
	var s strings.Builder
	fmt.Fprintln(&s, r.Verdict(), r.Exercised, r.Undecided)
	for _, a := range r.Anomalies {
		fmt.Fprintln(&s, a.Name, a.Count, a.Severity)
	}
	for _, k := range slices.Sorted(maps.Keys(r.Numbers)) {
		fmt.Fprintln(&s, k, r.Numbers[k])
	}
	return s.String()
}
