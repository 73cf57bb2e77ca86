package command

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/scenarios"
)

const corpusDir = scenarios.DefaultCorpus

// keep puts a file into the corpus as cp does.
func keep(t *testing.T, from, name string, edit ...string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(corpusDir, 0o755))
	text := strings.NewReplacer(edit...).Replace(read(t, from))
	require.NoError(t, os.WriteFile(filepath.Join(corpusDir, name), []byte(text), 0o644))
}

// zombies are two failing runs of scenario payments in a corpus: the first seed's has 361 events, the second's more.
func zombies(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, seed := range []string{"1", "8"} {
		got := simulate("run", "payments", "--stack", "at-least-once", "--faults", "pause", "--plant", "unfenced-zombie", "--seed", seed)
		require.Equal(t, exitFinding, got.code, got.errors)
	}
	for _, file := range caseFiles(t, "out/cases") {
		keep(t, file, filepath.Base(file))
	}
}

// caseFiles are the cases directly in a directory.
func caseFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.case"))
	require.NoError(t, err)
	return files
}

// From a run that failed to a case that is kept: copied as it is, put in its place, found again, and refreshed when a
// model has changed, here by an edit of the witness.
func TestCorpusKeepsFailingRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and its concurrency is that of package scenarios")
	}
	zombies(t)
	list := simulate("corpus", "list")
	require.Zero(t, list.code, list.errors)
	require.Regexp(t, `(?m)^payments/[0-9a-f]{12} +at-least-once · commit-ownership//not-fenced · 1 fault · seed \d · lies in$`, list.out)
	require.Contains(t, list.out, "\n2 cases\n")

	refreshed := simulate("corpus", "refresh")
	require.Zero(t, refreshed.code, refreshed.errors)
	require.Regexp(t, `(?m)^moved     \S+/at-least-once.pause.([0-9a-f]{12}).case → \S+/payments/[0-9a-f]{12}.case: still fails$`, refreshed.out)
	require.Contains(t, refreshed.out, "2 cases · 2 still failing · 2 files written\n")
	require.Empty(t, caseFiles(t, corpusDir))
	files := caseFiles(t, corpusDir+"/payments")
	require.Len(t, files, 2)

	run := simulate("corpus", "list", "--run")
	require.Equal(t, exitFinding, run.code, "a case reproduces, as replay says it")
	require.Equal(t, 2, strings.Count(run.out, "· still fails\n"))
	require.Equal(t, "2 cases · 2 still failing · 0 files written\n", simulate("corpus", "refresh").out)

	before := read(t, files[0])
	stale := regexp.MustCompile(`"digest": "[0-9a-f]{16}"`).ReplaceAllString(before, `"digest": "0123456789abcdef"`)
	stale = regexp.MustCompile(`"epoch": \d+`).ReplaceAllString(stale, `"epoch": 1`)
	require.NoError(t, os.WriteFile(files[0], []byte(stale), 0o644))
	run = simulate("corpus", "list", "--run")
	require.Equal(t, exitFinding, run.code)
	require.Equal(t, 1, strings.Count(run.out, "· stale, still fails\n"))
	refreshed = simulate("corpus", "refresh")
	require.Zero(t, refreshed.code, refreshed.errors)
	require.Contains(t, refreshed.out, "written   "+files[0]+": stale, still fails\n")
	require.Equal(t, before, read(t, files[0]), "the witness is what it was, and the intent never changed")
}

// Of two cases with one finding the longer one can go. Nothing does unless told.
func TestCorpusPrunes(t *testing.T) {
	zombies(t)
	require.Zero(t, simulate("corpus", "refresh").code)
	dry := simulate("corpus", "prune")
	require.Zero(t, dry.code, dry.errors)
	require.Regexp(t, `(?m)^payments/[0-9a-f]{12}  keep: nothing smaller shows its finding$`, dry.out)
	drop := regexp.MustCompile(`(?m)^payments/([0-9a-f]{12})  drop: [0-9a-f]{12} shows the same finding with 1 fault and \d+ events$`).FindStringSubmatch(dry.out)
	require.NotNil(t, drop, dry.out)
	require.Contains(t, dry.out, "\n1 of 2 cases can go: simulate corpus prune --delete\n")
	require.Len(t, caseFiles(t, corpusDir+"/payments"), 2)

	wet := simulate("corpus", "prune", "--delete")
	require.Zero(t, wet.code, wet.errors)
	require.Contains(t, wet.out, "\n1 of 2 cases deleted\n")
	left := caseFiles(t, corpusDir+"/payments")
	require.Len(t, left, 1)
	require.NotContains(t, left[0], drop[1])
	last := simulate("corpus", "prune", "--delete")
	require.Contains(t, last.out, "keep: nothing else shows its finding\n\n0 of 1 case deleted\n")
}

// why says what a case is, what it shows, who shows the same, what prune would do, and tells the story.
func TestCorpusWhy(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and its concurrency is that of package scenarios")
	}
	zombies(t)
	require.Zero(t, simulate("corpus", "refresh").code)
	files := caseFiles(t, corpusDir+"/payments")
	name := strings.TrimSuffix(filepath.Base(files[0]), ".case")
	got := simulate("corpus", "why", name[:6])
	require.Equal(t, exitFinding, got.code, got.errors)
	for _, want := range []string{
		`(?m)^case      ` + files[0] + `$`,
		`(?m)^finding   commit-ownership//not-fenced \(guaranteed not to be\)$`,
		`(?m)^stack     at-least-once: commit-after \+ dead-letter \+ retry$`,
		`(?m)^fault     at \S+ pause consumer-\d for 1m$`,
		`(?m)^planted   unfenced-zombie$`,
		`(?m)^run       seed \d · \d+ events$`,
		`(?m)^recorded  at model epoch \d+ with go1\.`,
		`(?m)^today     still fails$`,
		`(?m)^alike     payments/[0-9a-f]{12} · at-least-once · 1 fault · \d+ events · still fails$`,
		`(?m)^prune     (keep: nothing smaller shows its finding|drop: )`,
		`\nWhy nothing stopped it `,
		`\nagain   simulate replay ` + files[0],
	} {
		require.Regexp(t, want, got.out)
	}
	require.Equal(t, got.out, simulate("corpus", "why", "./"+files[0]).out)
	require.Equal(t, 2, strings.Count(simulate("corpus", "why", "payments/").out, "\nprune "), "a beginning means all such cases")
	require.Contains(t, simulate("__complete", "corpus", "why", name[:3]).out, "payments/"+name+"\tat-least-once: commit-ownership//not-fenced")
	none := simulate("corpus", "why", "x")
	require.Equal(t, exitInput, none.code)
	require.Contains(t, none.errors, `no case of testdata/twiceless begins with "x" (simulate corpus list)`)
}

// What a case can come to besides failing: a stack that was mended, a hook that is no more, a fault that has to fall
// elsewhere, and code that is not of this program.
func TestCorpusOutcomes(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and its concurrency is that of package scenarios")
	}
	path := olderCase(t)
	const kill = "when notifier.present/replied{event=order-20,stage=present} #1 kill"
	mended := []string{`"stack": "at-least-once"`, `"stack": "keyed"`}
	keep(t, path, "mended.case", mended...)
	keep(t, path, "gone.case", append(mended, "{event=order-20", "{event=order-9000")...)
	keep(t, path, "moved.case", kill, "when payments.charge/sent{event=order-20,stage=charge} #1 kill")
	keep(t, path, "owned.case", `"expected": "fail"`, `"expected": "fail", "owner": "example.com/shop/charge.TestChargeOnce/card"`)

	listed := func() map[string]listedCase {
		var list struct {
			Version int
			Cases   []listedCase
		}
		got := simulate("corpus", "list", "--run", "--format", "json")
		require.NoError(t, json.Unmarshal([]byte(got.out), &list), got.errors)
		require.Equal(t, exitFinding, got.code)
		require.Equal(t, 1, list.Version)
		by := map[string]listedCase{}
		for _, c := range list.Cases {
			switch {
			case c.Owner != "":
				by["owned"] = c
			case c.Stack == "at-least-once":
				by["moved"] = c
			case strings.Contains(c.Plan[0], "order-9000"):
				by["gone"] = c
			default:
				by["mended"] = c
			}
		}
		require.Len(t, by, 4)
		return by
	}
	by := listed()
	require.Equal(t, []any{"passes", true, 1}, []any{by["mended"].Outcome, by["mended"].Stale, by["mended"].Faults})
	require.Equal(t, []any{"anchor-gone", 1}, []any{by["gone"].Outcome, len(by["gone"].Gone)})
	require.Equal(t, "fails", by["moved"].Outcome)
	require.NotEmpty(t, by["moved"].Moved)
	require.NotEqual(t, by["moved"].Plan, by["moved"].Moved)
	require.Equal(t, []any{"", "go test example.com/shop/charge -run '^TestChargeOnce$/^card$' -count=1"}, []any{by["owned"].Outcome, by["owned"].Command})

	require.Equal(t, exitInconclusive, simulate("corpus", "why", by["mended"].Name).code, "stale, and its finding is gone")

	pruned := simulate("corpus", "prune")
	require.Zero(t, pruned.code, pruned.errors)
	flat := strings.Join(strings.Fields(pruned.out), " ")
	for name, want := range map[string]string{"mended": "drop: it passes, with its anchors hit", "gone": "keep: an anchor is gone", "moved": "keep: nothing else",
		"owned": "keep: belongs to go test example.com/shop/charge -run"} {
		require.Contains(t, flat, "small/"+by[name].Name+" "+want)
	}
	got := simulate("corpus", "refresh")
	require.Equal(t, exitInconclusive, got.code, "stale cases that did not show their finding")
	require.Regexp(t, `(?m)^moved +\S+/mended.case → \S+: stale, passes, with its anchors hit$`, got.out)
	require.Regexp(t, `(?m)^left +\S+/gone.case: stale, an anchor is gone: when .*order-9000`, got.out)
	require.Regexp(t, `(?m)^left +\S+/moved.case: stale, still fails where its faults are aimed anew: when `, got.out)
	require.Contains(t, got.out, "4 cases · 1 still failing · 1 passing · 1 with an anchor gone · 1 of go tests · 1 file written\n")
	require.FileExists(t, corpusDir+"/owned.case", "a case that cannot be run is not touched")

	require.Equal(t, exitInconclusive, simulate("corpus", "refresh", "--reaim").code, "the anchor is still gone")
	require.NoFileExists(t, corpusDir+"/moved.case")
	by = listed()
	require.False(t, by["moved"].Stale)
	require.Empty(t, by["moved"].Moved, "the case that shows it has taken its place")
	require.False(t, by["mended"].Stale)

	owned := simulate("corpus", "why", by["owned"].Name)
	require.Zero(t, owned.code, owned.errors)
	require.Contains(t, owned.out, "today     belongs to go test example.com/shop/charge -run '^TestChargeOnce$/^card$' -count=1\n")
	require.NotContains(t, owned.out, "Why nothing stopped it")
	require.Equal(t, exitInconclusive, simulate("corpus", "why", by["gone"].Name).code)
	require.Zero(t, simulate("corpus", "why", by["mended"].Name).code, "it passes, as was recorded")
}

// olderCase is a small case of an earlier model; the working directory is a new one.
func olderCase(t *testing.T) string {
	t.Helper()
	file, err := filepath.Abs("../../../scenarios/testdata/older.case")
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	return file
}

// A case of an earlier model is listed as what it is; replay says what its file lacks.
func TestCorpusOfAnOlderCase(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and its concurrency is that of package scenarios")
	}
	older := olderCase(t)
	keep(t, older, "older.case")
	lacks := "38 fields of later models at their defaults: broker.nodes, broker.truncation, broker.eligible_replicas and 35 more"
	require.Contains(t, strings.Join(strings.Fields(simulate("corpus", "list").out), " "), lacks)
	require.Contains(t, simulate("replay", older).out, "stale: "+lacks+"\n")
	got := simulate("corpus", "refresh")
	require.Zero(t, got.code, got.errors)
	require.Contains(t, got.out, "stale, still fails\n          "+lacks+"\n")
	require.NotContains(t, simulate("corpus", "list").out, "defaults")
}

func TestCorpusRefuses(t *testing.T) {
	zombies(t)
	for line, want := range map[string]string{
		"corpus":                    "corpus takes one of list, refresh, prune, why",
		"corpus lst":                `unknown command corpus "lst" (did you mean list?)`,
		"corpus list x":             "takes no arguments",
		"corpus list --format xml":  `unknown format "xml"`,
		"corpus list --dir none":    "none: no such directory",
		"corpus prune --remove":     "has no flag --remove",
		"corpus why":                "takes the name of a case",
		"corpus why --dir none abc": "none: no such directory",
	} {
		got := simulate(strings.Fields(line)...)
		require.Equal(t, exitInput, got.code, "%s: %s", line, got.errors)
		require.Contains(t, got.errors, want, line)
	}
	keep(t, "out/cases/"+filepath.Base(caseFiles(t, corpusDir)[0]), "one.case", `"stack": "at-least-once"`, `"stack": "at-last-once"`)
	keep(t, "out/cases/"+filepath.Base(caseFiles(t, corpusDir)[0]), "two.case", `"expected": "fail"`, `"expected": "fail", "owner": "me"`)
	for _, sub := range []string{"list", "refresh", "prune", "why x"} {
		got := simulate(append([]string{"corpus"}, strings.Fields(sub)...)...)
		require.Equal(t, exitInput, got.code, sub)
		require.Contains(t, got.errors, "did you mean at-least-once?", sub)
		require.Contains(t, got.errors, "two.case")
		require.Empty(t, got.out)
	}
	t.Chdir(t.TempDir())
	empty := simulate("corpus", "list", "--run")
	require.Zero(t, empty.code)
	require.Contains(t, empty.errors, "no cases in testdata/twiceless")
}

// Ctrl-C deletes nothing and leaves no half of a file.
func TestCorpusInterrupted(t *testing.T) {
	zombies(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	before := caseFiles(t, corpusDir)
	for _, sub := range []string{"list --run", "refresh", "prune --delete", "why payments"} {
		got := interrupted(ctx, "", append([]string{"corpus"}, strings.Fields(sub)...)...)
		require.Equal(t, exitInterrupted, got.code, "%s: %s", sub, got.errors)
		require.Equal(t, before, caseFiles(t, corpusDir), sub)
		require.Equal(t, strings.HasPrefix(sub, "prune"), strings.Contains(got.errors, "nothing is deleted unless all cases are judged"), sub)
	}
}
