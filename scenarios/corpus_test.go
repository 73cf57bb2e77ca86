package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// corpusOf keeps cases in a new directory.
func corpusOf(t testing.TB, cases ...*Case) *Corpus {
	t.Helper()
	k, err := OpenCorpus(filepath.Join(t.TempDir(), "corpus"))
	require.NoError(t, err)
	for _, c := range cases {
		_, added, err := k.Add(c)
		require.NoError(t, err)
		require.True(t, added)
	}
	return k
}

// reopened is the corpus as another process reads it.
func reopened(t testing.TB, k *Corpus) *Corpus {
	t.Helper()
	again, err := OpenCorpus(k.dir)
	require.NoError(t, err)
	require.Equal(t, filesOf(k), filesOf(again))
	return again
}

func filesOf(k *Corpus) (files []string) {
	for _, s := range k.Cases() {
		files = append(files, strings.TrimPrefix(filepath.ToSlash(s.File), filepath.ToSlash(k.dir)+"/"))
	}
	return files
}

// edited is a case with another intent; what it showed may be wrong then.
func edited(c *Case, edit func(*Intent)) *Case {
	out := *c
	edit(&out.Intent)
	return &out
}

// One intent has one file, below the name of its scenario, whoever finds it how often.
func TestCorpusKeepsAnIntentOnce(t *testing.T) {
	_, c := older(t)
	k := corpusOf(t, c)
	require.Equal(t, []string{"small/" + c.Name() + ".case"}, filesOf(k))
	again := *c
	again.Witness.Seed++
	file, added, err := k.Add(&again)
	require.NoError(t, err)
	require.False(t, added)
	require.Equal(t, k.Place(c), file)
	require.Equal(t, c.Witness, reopened(t, k).Cases()[0].Case.Witness, "the first one stays")

	other := edited(c, func(in *Intent) { in.Stack = "keyed" })
	_, added, err = reopened(t, k).Add(other)
	require.NoError(t, err)
	require.True(t, added)
	left, err := filepath.Glob(filepath.Join(k.dir, "small", ".*"))
	require.NoError(t, err)
	require.Empty(t, left, "nothing is left of the writes")
	require.Len(t, filesOf(corpusOf(t)), 0)
}

// A case that could not be read again, or that tells of nothing, is not written.
func TestCorpusRefuses(t *testing.T) {
	_, c := older(t)
	k := corpusOf(t)
	for want, edit := range map[string]func(*Intent){
		"names no finding":      func(in *Intent) { in.Fingerprint, in.Property = "", "" },
		"intent.owner: want":    func(in *Intent) { in.Owner = "TestX" },
		"unknown stack":         func(in *Intent) { in.Stack = "none" },
		"worker-1":              func(in *Intent) { in.Plan = []string{"at 1s kill worker-1 for 1s"} },
		"intent.plan[0]: empty": func(in *Intent) { in.Plan = []string{""} },
	} {
		_, _, err := k.Add(edited(c, edit))
		require.ErrorContains(t, err, want)
		require.ErrorAs(t, err, new(Problems), want)
	}
	require.NoDirExists(t, k.dir)
	require.NoError(t, os.WriteFile(k.dir, nil, 0o600))
	_, _, err := k.Add(c)
	require.ErrorContains(t, err, "cannot be written")
	_, err = OpenCorpus(k.dir)
	require.ErrorContains(t, err, "a file, not a directory")
}

// Everything wrong with any file is told at once.
func TestCorpusTellsEveryProblem(t *testing.T) {
	src, c := older(t)
	k := corpusOf(t, c)
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(k.dir, name), []byte(text), 0o600))
	}
	write("empty.case", "")
	write("small/two.case", strings.NewReplacer(`"fail"`, `"fial"`, `"seed": "3"`, `"seed": 3`).Replace(string(src)))
	write("small/stack.case", strings.Replace(string(src), `"stack": "at-least-once"`, `"stack": "at-last-once"`, 1))
	write("small/notes.txt", "not a case")
	write("small/.hidden.case", "not a case")
	require.NoError(t, os.Symlink("nowhere", filepath.Join(k.dir, "link.case")))
	_, err := OpenCorpus(k.dir)
	var ps Problems
	require.ErrorAs(t, err, &ps)
	require.Len(t, ps, 4)
	for i, want := range []string{"empty.case: empty", "link.case: not a regular file", "stack.case:", "two.case:"} {
		require.Contains(t, ps[i].Error(), want)
	}
	require.NotContains(t, err.Error(), c.Name())
}

// A file that was copied in as it was is a case of the corpus, and refreshing puts it in its place: complete, with the
// witness of today, and with the same intent.
func TestCorpusRefreshesAnOlderCase(t *testing.T) {
	src, c := older(t)
	k := corpusOf(t)
	require.NoError(t, os.Mkdir(k.dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(k.dir, "copied.case"), src, 0o600))
	k, err := OpenCorpus(k.dir)
	require.NoError(t, err)
	s := k.Cases()[0]
	file, added, err := k.Add(c)
	require.NoError(t, err)
	require.False(t, added, "the corpus has it, though under another name")
	require.Equal(t, s.File, file)
	j, err := Judge(s.Case, 0)
	require.NoError(t, err)
	require.True(t, j.Stale)
	require.Equal(t, StillFails, j.Aim)
	require.Same(t, j.Now, j.Shown())
	require.Equal(t, 2, j.Runs, "whether it is deterministic has to be seen")
	done, err := k.Refresh(s, j, false)
	require.NoError(t, err)
	require.Equal(t, Refreshed{File: k.Place(c), Written: true, Missing: c.Missing()}, done)

	s = reopened(t, k).Cases()[0]
	require.Equal(t, c.Intent, s.Case.Intent)
	require.Equal(t, Epoch, s.Case.Witness.Epoch)
	require.Empty(t, s.Case.Missing())
	require.NoFileExists(t, filepath.Join(k.dir, "copied.case"))
	twice, err := Replay(s.Case, 0)
	require.NoError(t, err)
	require.True(t, twice.Fresh)

	j, err = Judge(s.Case, 0)
	require.NoError(t, err)
	require.False(t, j.Stale)
	require.Equal(t, 1, j.Runs)
	j.Now.Witness.Go = "go9"
	done, err = k.Refresh(s, j, false)
	require.NoError(t, err)
	require.Equal(t, Refreshed{File: s.File}, done, "another Go version alone writes no file")
}

// A case that passes is kept with the witness of the passing run, so that nothing is searched for again until something
// changes; one whose anchor is gone says nothing and stays stale.
func TestCorpusRefreshesWhatPasses(t *testing.T) {
	_, c := older(t)
	mended := edited(c, func(in *Intent) { in.Stack = "keyed" })
	gone := edited(mended, func(in *Intent) {
		in.Plan = []string{"when payments.charge/applied{event=order-9000} #1 kill $caller for 1ms"}
	})
	k := corpusOf(t, mended, gone)
	for _, stale := range []bool{true, false} {
		for _, s := range reopened(t, k).Cases() {
			j, err := Judge(s.Case, 0)
			require.NoError(t, err)
			require.Nil(t, j.Shown())
			done, err := k.Refresh(s, j, true)
			require.NoError(t, err)
			if s.Name == gone.Name() {
				require.True(t, j.Stale)
				require.Equal(t, AnchorGone, j.Aim)
				require.Equal(t, gone.Intent.Plan, j.Gone)
				require.Equal(t, Refreshed{File: s.File, Left: "an anchor is gone"}, done)
				continue
			}
			require.Equal(t, stale, j.Stale)
			require.Equal(t, Passes, j.Aim)
			require.Equal(t, stale, j.Runs > 1)
			require.Equal(t, Refreshed{File: s.File, Written: stale}, done)
		}
	}
}

// A finding that is elsewhere now is another intent, so it takes the flag to replace the old one, and then its file.
func TestCorpusReaims(t *testing.T) {
	_, c := older(t)
	before := edited(c, func(in *Intent) {
		in.Plan = []string{"when payments.charge/sent{event=order-20,stage=charge} #1 kill $caller for 1ms"}
	})
	k := corpusOf(t, before)
	s := k.Cases()[0]
	j, err := Judge(s.Case, 0)
	require.NoError(t, err)
	require.Equal(t, StillFails, j.Aim)
	require.NotNil(t, j.Moved)
	require.Same(t, j.Moved, j.Shown())
	done, err := k.Refresh(s, j, false)
	require.NoError(t, err)
	require.Contains(t, done.Left, "aimed anew")
	require.Equal(t, before.Witness, reopened(t, k).Cases()[0].Case.Witness, "stale as before")

	done, err = k.Refresh(s, j, true)
	require.NoError(t, err)
	require.True(t, done.Written)
	now := reopened(t, k).Cases()
	require.Len(t, now, 1)
	require.Equal(t, []string{"when payments.charge/arrived{event=order-20,stage=charge} #1 kill $caller for 1ms"}, now[0].Case.Intent.Plan)
	require.NotEqual(t, s.Name, now[0].Name)
}

// Pruning by its rules, over any corpus: a finding that fails keeps a case, and what makes another one go stays itself.
func TestPruneKeepsEveryFinding(t *testing.T) {
	_, c := older(t)
	rapid.Check(t, func(t *rapid.T) {
		var judged []Judged
		for i := range rapid.IntRange(1, 8).Draw(t, "cases") {
			x := edited(c, func(in *Intent) {
				in.Plan = []string{"at " + string(rune('1'+rapid.IntRange(0, 5).Draw(t, "intent"))) + "s pause consumer-1 for 1s"}
				in.Stack = rapid.SampledFrom([]string{"at-least-once", "keyed"}).Draw(t, "stack")
			})
			j := Judged{Saved: Saved{File: string(rune('a' + i)), Name: x.Name(), Case: x}}
			if rapid.Bool().Draw(t, "runnable") {
				j.Judgement = &Judgement{Aim: Aim(rapid.IntRange(0, 2).Draw(t, "aim")),
					Size: Size{Faults: rapid.IntRange(0, 2).Draw(t, "faults"), Events: int64(rapid.IntRange(1, 2).Draw(t, "events"))}}
				if rapid.Bool().Draw(t, "moved") {
					j.Moved = x
				}
			}
			judged = append(judged, j)
		}
		decided := Prune(judged)
		for i := range judged {
			j, keeps := &judged[i], false
			for o := range judged {
				keeps = keeps || !decided[o].Drop && judged[o].sameFinding(j) && judged[o].fails()
			}
			if j.fails() && !keeps {
				t.Fatalf("%d: nothing is left that shows it: %v", i, decided)
			}
			if decided[i].Drop && j.Judgement == nil && !strings.HasPrefix(decided[i].Why, "a copy of ") {
				t.Fatalf("%d: dropped without being run", i)
			}
		}
	})
}

func TestPrune(t *testing.T) {
	_, c := older(t)
	named := func(name string, aim Aim, faults int, events int64) Judged {
		return Judged{Saved{name, name, c}, &Judgement{Aim: aim, Size: Size{Faults: faults, Events: events}}}
	}
	moved := named("moved", StillFails, 1, 1)
	moved.Moved = c
	other := named("other", StillFails, 3, 300)
	other.Case = edited(c, func(in *Intent) { in.Stack = "keyed" })
	copied := named("small", StillFails, 1, 2)
	copied.File = "elsewhere"
	whose := named("owned", StillFails, 0, 0)
	whose.Judgement = nil
	want := []struct {
		Judged
		Decision
	}{
		{named("passing", Passes, 1, 1), Decision{true, "it passes, with its anchors hit"}},
		{named("gone", AnchorGone, 1, 1), Decision{false, "an anchor is gone, so that nothing was tested"}},
		{moved, Decision{false, "nothing smaller shows its finding"}},
		{named("small", StillFails, 1, 2), Decision{false, "nothing smaller shows its finding"}},
		{copied, Decision{true, "a copy of small"}},
		{named("twin", StillFails, 1, 2), Decision{false, "nothing smaller shows its finding"}},
		{named("long", StillFails, 1, 3), Decision{true, "small shows the same finding with 1 fault and 2 events"}},
		{named("many", StillFails, 2, 1), Decision{false, "nothing smaller shows its finding"}},
		{other, Decision{false, "nothing else shows its finding"}},
		{whose, Decision{false, "it cannot be run here"}},
	}
	var judged []Judged
	for _, w := range want {
		judged = append(judged, w.Judged)
	}
	for i, d := range Prune(judged) {
		require.Equal(t, want[i].Decision, d, want[i].Name)
	}
}
