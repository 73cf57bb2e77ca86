package blackbox_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/blackbox/blackboxtest"
	"github.com/twiceless/twiceless/checker/ops"
)

// fuzzBudget is so small that fuzzed histories meet it.
const fuzzBudget = 5000

// FuzzCheck holds every model to this, whatever the file: no panic; a file that is wrong gives a *BadHistory each of
// whose lines has a place; the same bytes give the same report; evidence names events of the file; what is undecided has
// a reason, and no search takes more than its budget.
//
// The first byte chooses the model, its level and its promise, and the format. The file is judged as it is, and once
// more after edits that leave it well-formed (blackboxtest.Mutate): random bytes alone hardly ever reach a judge.
func FuzzCheck(f *testing.F) {
	models := blackbox.Models()
	require.NoError(f, filepath.WalkDir("testdata", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		parts := strings.Split(filepath.ToSlash(path), "/")
		i := slices.IndexFunc(models, func(m blackbox.Model) bool { return m.Name == parts[1] })
		if i < 0 || filepath.Ext(path) == ".txt" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		choice := []byte{byte(i), 0, byte(blackboxtest.FormatOf(path))}
		f.Add(choice, text, []byte{})
		for k := range byte(2) {
			f.Add(choice, text, []byte{k, 3 * k, 7, k + 1, 5, k, 3, 1, k})
		}
		return nil
	}))
	f.Add([]byte{0, 0, 0}, []byte(`{"header":{"model":"unique-ids"}}`), []byte{})
	f.Fuzz(func(t *testing.T, choice, text, edits []byte) {
		const most = 1 << 14
		if len(choice) != 3 || len(text) > most || len(edits) > 60 {
			t.Skip()
		}
		m := models[int(choice[0])%len(models)]
		o := blackbox.Options{Level: pickModel(m.Levels, choice[1]&15), Promise: pickModel(m.Promises, choice[1]>>4), Budget: fuzzBudget}
		format := ops.Format(choice[2] % 2)
		judgeTwice(t, m, text, format, o)
		if changed, ok := blackboxtest.Mutate(text, format, edits); ok {
			judgeTwice(t, m, changed, ops.JSONLines, o)
		}
	})
}

// pickModel chooses one of the names, or none.
func pickModel(names []string, with byte) string {
	if i := int(with) % (len(names) + 1); i > 0 {
		return names[i-1]
	}
	return ""
}

func judgeTwice(t *testing.T, m blackbox.Model, text []byte, f ops.Format, o blackbox.Options) {
	judge := func() (*blackbox.Judged, error) {
		return blackbox.Check(blackbox.Source{Name: "h", Format: f, Reader: bytes.NewReader(text)}, m.Name, o)
	}
	first, err := judge()
	second, errAgain := judge()
	if err != nil {
		require.ErrorAs(t, err, new(*ops.BadHistory))
		require.EqualError(t, errAgain, err.Error())
		for _, line := range strings.Split(err.Error(), "\n") {
			require.Regexp(t, `^h:\d+: .`, line)
		}
		return
	}
	require.NoError(t, errAgain)
	require.Equal(t, said(first), said(second), "the same bytes")
	r := first.Report
	if r.Undecided > 0 || r.Verdict() == checker.Vacuous {
		require.NotEmpty(t, r.Why, "%s", text)
	}
	require.LessOrEqual(t, r.Numbers["steps"], int64(fuzzBudget))
	indices := indicesOf(t, text, f)
	for _, a := range r.Anomalies {
		require.True(t, slices.ContainsFunc(m.Anomalies, func(k blackbox.AnomalyKind) bool { return k.Name == a.Name }), a.Name)
		require.Positive(t, a.Count, a.Name)
		require.NotEmpty(t, a.Evidence, a.Name)
		require.True(t, slices.IsSorted(a.Evidence), a.Name)
		for _, index := range a.Evidence {
			require.True(t, indices[index], "%s names event %d, which is not there:\n%s", a.Name, index, text)
		}
	}
}

func said(j *blackbox.Judged) string {
	r := j.Report
	return fmt.Sprint(r.Verdict(), j.Events, r.Exercised, r.Undecided, r.Anomalies, r.Numbers, r.Why)
}

func indicesOf(t *testing.T, text []byte, f ops.Format) map[int64]bool {
	var p ops.Problems
	indices := map[int64]bool{}
	require.NoError(t, ops.Read(bytes.NewReader(text), f, ops.Sink{
		Header: func(ops.Header) {},
		Event:  func(e *ops.Event) { indices[e.Index] = true },
	}, &p))
	return indices
}
