package twiceless

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/sim/history"
)

// chargedTwice is an outcome with everything, and text that markup or a workflow command would trip over.
func chargedTwice() *reports.Outcome {
	h := &history.History{}
	h.Reset(0)
	h.Header = history.Header{Format: "twiceless-history", Version: history.FormatVersion, Epoch: 2, Scenario: "payments", Stack: "at-least-once", Seed: 61}
	record := func(f history.Fact) int64 {
		f.Time, f.Fence, f.Incarnation = int64(len(h.Facts)+1)*1_000_000_000, -1, 1
		return h.Record(f)
	}
	at := func(node string, kind history.Kind, cause int64) history.Fact {
		return history.Fact{Node: node, Kind: kind, Cause: cause, Event: "order-3", Offset: -1}
	}
	charge := func(node string, kind history.Kind, cause int64) int64 {
		f := at(node, kind, cause)
		f.Stage, f.Resource, f.Op, f.Changed, f.Site = "charge", "payments", "charge", kind == history.KindApplied, ""
		if kind == history.KindCalled {
			f.Site = "example.com/shop/charge/charge.go:41"
		}
		return record(f)
	}
	delivered := record(at("consumer-1", history.KindDelivered, 0))
	first := charge("payments-1", history.KindApplied, charge("consumer-1", history.KindCalled, delivered))
	fault := record(history.Fact{Node: "consumer-1", Kind: history.KindFaultBegan, Op: "kill", Value: "consumer-1", Offset: -1, Note: "at 3s kill consumer-1 for 1s"})
	record(history.Fact{Node: "consumer-1", Kind: history.KindStopped, Cause: fault, Note: "kill", Offset: -1})
	record(history.Fact{Node: "consumer-1", Kind: history.KindUnwound, Cause: fault, Op: "poll-loop", Note: "example.com/shop/charge/charge.go:41", Offset: -1})
	again := record(at("consumer-2", history.KindDelivered, 0))
	second := charge("payments-1", history.KindApplied, charge("consumer-2", history.KindCalled, again))
	f := history.Finding{Property: history.PropDuplicateCritical, Event: "order-3", Stage: "charge", Label: history.LabelRedeliveredAfterCommitLost, Evidence: []int64{first, second}}
	return &reports.Outcome{Kind: reports.Broke, Phase: reports.InSearch, Test: "TestChargeOnce/50%_off,_all", Package: "example.com/shop/charge", Scenario: "payments", Stack: "at-least-once",
		Plan: 61, Plans: 61, Budget: 100, Seed: 61, Finding: &f, Fingerprint: f.Fingerprint(), Headline: "charge of 80.00 <instead> of 40.00, 100% *more*",
		Site: "example.com/shop/charge/charge.go:41", History: h, To: reports.OutcomeSize{Faults: 1, Events: 1}, From: reports.OutcomeSize{Faults: 3, Events: 380},
		Would: []reports.Remedy{{Name: "idempotency-key", Outcome: "holds at all 41 placements of this fault"}}, Digest: "51d0a27c44be109f", Epoch: 2,
		Case: "testdata/twiceless/payments/9f31c2a0b1d4.case", Saved: true, Again: "go test example.com/shop/charge -run '^TestChargeOnce$/^50%_off,_all$' -count=1",
		Awaits: reports.Awaits{Reached: []string{"example.com/shop/charge/charge.go:41", "example.com/shop/charge/charge.go:57"}, Killed: []string{"example.com/shop/charge/charge.go:41"}}}
}

var updateGolden = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *updateGolden {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// checkout is a repository with the module example.com/shop in its folder services/shop, and the directory of its package
// charge.
func checkout(t *testing.T) (root, dir string) {
	t.Helper()
	root = t.TempDir()
	for name, text := range map[string]string{
		".git/HEAD": "ref: refs/heads/main\n", "services/shop/go.mod": "// the shop\nmodule example.com/shop // v1\n\ngo 1.26\n",
		"services/shop/main.go": "package main\n", "services/shop/charge/charge.go": "package charge\n", "services/shop/charge/charge_test.go": "package charge_test\n",
		"services/shop/cmd/shopd/main.go":                                    "package main\n",
		"services/shop/charge/testdata/twiceless/payments/9f31c2a0b1d4.case": "{}\n",
	} {
		file := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return root, filepath.Join(root, "services", "shop", "charge")
}

// GitHub wants paths from the root of the checkout, which need not be that of the module.
func TestSitesAreLocatedInTheCheckout(t *testing.T) {
	root, dir := checkout(t)
	for _, workspace := range []string{"", root, t.TempDir()} {
		in := repositoryAt(dir, workspace)
		for site, want := range map[string]string{
			"example.com/shop/charge/charge.go:41":           "services/shop/charge/charge.go:41",
			"example.com/shop/charge_test/charge_test.go:12": "services/shop/charge/charge_test.go:12",
			"example.com/shop/main.go:7":                     "services/shop/main.go:7",
			"charge/charge.go:3":                             "services/shop/charge/charge.go:3", // of our own module sites lack its path
			"example.com/shop/charge/gone.go:1":              "",
			"example.com/other/charge/charge.go:1":           "",
			"":                                               "",
		} {
			file, line, known := in.locate(site)
			require.Equal(t, want != "", known, site)
			if known {
				require.Equal(t, want, file+":"+line)
			}
		}
	}
	program := repositoryAt(filepath.Join(root, "services", "shop", "cmd", "shopd"), "")
	file, _, _ := program.locate("main/main.go:5")
	require.Equal(t, "services/shop/cmd/shopd/main.go", file)
	_, _, known := repositoryAt(t.TempDir(), "").locate("example.com/shop/charge/charge.go:41")
	require.False(t, known, "a tree without repository")
}

func TestAnnotation(t *testing.T) {
	root, dir := checkout(t)
	golden(t, "annotation.golden", annotation(chargedTwice(), "", repositoryAt(dir, root))+"\n")
	nowhere := chargedTwice()
	nowhere.Site, nowhere.Again = "", ""
	at := func(test string) string { return annotation(nowhere, test, repositoryAt(dir, root)) }
	require.True(t, strings.HasPrefix(at(""), "::error title=TestChargeOnce"))
	require.True(t, strings.HasPrefix(at(filepath.Join(dir, "charge_test.go:12")), "::error file=services/shop/charge/charge_test.go,line=12,title=TestChargeOnce"))
	require.Regexp(t, `ci_test\.go:\d+$`, testSite())
}

// A summary fits a screen, shows as it is whatever stands in it, and is added to those of other tests.
func TestStepSummary(t *testing.T) {
	file := filepath.Join(t.TempDir(), "summary.md")
	require.NoError(t, os.WriteFile(file, []byte("# of another test\n"), 0o644))
	o := chargedTwice()
	require.NoError(t, addSummary(file, o))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	golden(t, "summary.golden.md", string(text))
	require.LessOrEqual(t, strings.Count(string(text), "\n"), 1+25)

	o.Kind, o.Finding, o.Detail = reports.Crashed, nil, "panic: ```\n"+strings.Repeat("```` at a line\n", 40)
	var b bytes.Buffer
	require.NoError(t, reports.WriteOutcomeMarkdown(&b, o))
	require.LessOrEqual(t, strings.Count(b.String(), "\n"), 25, b.String())
	require.Contains(t, b.String(), "\n`````text\n", "longer than any in it")
}

// spy is a test whose attributes and output are kept.
type spy struct {
	testing.TB
	attrs []string
	out   bytes.Buffer
}

func (s *spy) Attr(key, value string) { s.attrs = append(s.attrs, key+"="+value) }
func (s *spy) Output() io.Writer      { return &s.out }

func TestAttributes(t *testing.T) {
	t.Setenv("GITHUB_ACTIONS", "")
	t.Setenv("GITHUB_STEP_SUMMARY", "")
	s := &spy{TB: t}
	o := chargedTwice()
	o.Again += "\nof two lines"
	publish(s, o)
	require.Equal(t, []string{
		"twiceless.plans=61", "twiceless.awaits=1/2", "twiceless.outcome=broken", "twiceless.seed=61", "twiceless.epoch=2", "twiceless.plan=61",
		"twiceless.finding=duplicate-effect (critical)/charge/redelivered-after-commit-lost", "twiceless.site=example.com/shop/charge/charge.go:41",
		"twiceless.digest=51d0a27c44be109f", "twiceless.case=testdata/twiceless/payments/9f31c2a0b1d4.case",
		"twiceless.again=go test example.com/shop/charge -run '^TestChargeOnce$/^50%_off,_all$' -count=1 of two lines",
	}, s.attrs)
	require.Empty(t, s.out.String(), "no annotation outside of GitHub")
	for _, a := range s.attrs {
		key, value, _ := strings.Cut(a, "=")
		require.NotContains(t, key, " ")
		require.NotContains(t, value, "\n")
	}
}

// Of a test that holds, CI gets what was put to the test and nothing else.
func TestNothingIsPublishedOfSuccess(t *testing.T) {
	summary := filepath.Join(t.TempDir(), "summary.md")
	t.Setenv("GITHUB_ACTIONS", "true")
	t.Setenv("GITHUB_STEP_SUMMARY", summary)
	o := chargedTwice()
	for _, kind := range []reports.OutcomeKind{reports.Passed, reports.PassedAccepted} {
		o.Kind = kind
		s := &spy{TB: t}
		publish(s, o)
		require.Equal(t, []string{"twiceless.plans=61", "twiceless.awaits=1/2"}, s.attrs)
		require.Empty(t, s.out.String())
		require.NoFileExists(t, summary)
	}
}

func TestArtefacts(t *testing.T) {
	_, dir := checkout(t)
	into := t.TempDir()
	require.NoError(t, leave(into, dir, chargedTwice()))
	for name, has := range map[string]string{"story.txt": "Why nothing stopped it", "facts.jsonl": `"twiceless-history"`, "timeline.svg": "<svg", "9f31c2a0b1d4.case": "{}"} {
		text, err := os.ReadFile(filepath.Join(into, name))
		require.NoError(t, err)
		require.Contains(t, string(text), has, name)
	}
	bare := &reports.Outcome{Kind: reports.Vacuous, Detail: "nothing happened", Case: "testdata/gone.case"}
	into = t.TempDir()
	require.ErrorIs(t, leave(into, dir, bare), os.ErrNotExist, "what is missing is said, the rest is there")
	require.FileExists(t, filepath.Join(into, "story.txt"))
}

// The page about CI names every attribute and every file, and no other attribute.
func TestThePageAboutCI(t *testing.T) {
	text, err := os.ReadFile("docs/ci.md")
	require.NoError(t, err)
	page := string(text)
	var told, set []string
	for _, m := range regexp.MustCompile("`twiceless\\.([a-z]+)`").FindAllStringSubmatch(page, -1) {
		told = append(told, m[1])
	}
	for _, a := range attributes(chargedTwice()) {
		set = append(set, a.key)
	}
	for _, list := range []*[]string{&told, &set} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	require.Equal(t, set, told)
	for k := reports.Broke; k <= reports.Uncovered; k++ {
		require.Contains(t, page, k.String())
	}
	for _, name := range []string{"story.txt", "timeline.svg", "facts.jsonl", searchVariable, plansVariable, "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "testdata/twiceless"} {
		require.Contains(t, page, "`"+name)
	}
	tools, err := os.ReadFile("tools/go.mod")
	require.NoError(t, err)
	version := regexp.MustCompile(`gotest\.tools/gotestsum@(v\S+?)` + "`").FindStringSubmatch(page)
	require.Len(t, version, 2)
	require.Contains(t, string(tools), "gotest.tools/gotestsum "+version[1], "the version that these tools were checked with")
}
