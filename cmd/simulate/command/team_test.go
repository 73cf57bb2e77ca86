package command

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/scenarios"
)

// hasty charges, and charges again if no answer comes: what no dedup store around the stage can see.
func hasty(c model.Ctx, order model.Message) (model.Message, error) {
	order.Amount = 40_00
	receipt, err := c.Call("payments", "charge", order)
	if err != nil {
		return c.Call("payments", "charge", order)
	}
	return receipt, nil
}

const shop = "example.com/shop/cmd/sim"

// shopWith is what the program of a shop is made with.
func shopWith(scenario, version string) []Option {
	return []Option{Owner(shop), Version(version), With(scenario, Stages{"charge": hasty})}
}

// teams runs a command line of a team's own program in the present directory.
func teams(opts []Option, args ...string) answer {
	var out, errs bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, self: "sim", args: args, name: "sim"}
	code := a.main(context.Background(), opts...)
	return answer{code, out.String(), errs.String()}
}

// cellDuplicates are the duplicates under reply-lost by stack.
func cellDuplicates(t *testing.T, dir string) map[string]int {
	t.Helper()
	var results struct {
		Cells []struct {
			Stack, Fault string
			Duplicates   int
		}
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, dir, "results.json")), &results))
	by := map[string]int{}
	for _, c := range results.Cells {
		if c.Fault == "reply-lost" {
			by[c.Stack] = c.Duplicates
		}
	}
	return by
}

// The table over a team's stages is another one than that over the stages of the file: under the same faults the hasty
// charge breaks the dedup store, which asks once for both calls, and keys hold. Whoever does the runs, the bytes are equal.
func TestTheTableOverATeamsStages(t *testing.T) {
	long(t)
	t.Chdir(t.TempDir())
	args := func(out, workers string) []string {
		return []string{"compare", "--stacks", "dedup-durable,permanent-key", "--faults", "reply-lost", "--runs", "4", "--hunt", "2", "--quiet", "--workers", workers, "--out", out}
	}
	plain := simulate(args("plain", "2")...)
	require.Zero(t, plain.code, plain.errors)
	require.Equal(t, map[string]int{"dedup-durable": 0, "permanent-key": 0}, cellDuplicates(t, "plain"))

	got := teams(shopWith("payments", "v1"), args("one", "1")...)
	require.Equal(t, exitFinding, got.code, got.errors)
	require.Contains(t, got.out, "\ncode            charge of "+shop+", version v1; the other stages do what the file says\n")
	require.Contains(t, got.out, "\nbroken          dedup-durable promises no duplicate-effect (critical)")
	by := cellDuplicates(t, "one")
	require.Positive(t, by["dedup-durable"])
	require.Zero(t, by["permanent-key"])

	require.Equal(t, exitFinding, teams(shopWith("payments", "v1"), args("two", "2")...).code)
	names := files(t, "one")
	require.Equal(t, names, files(t, "two"))
	timeless := regexp.MustCompile(`\d+ (ms|s)\b`)
	for _, name := range names {
		a, b := read(t, "one", name), read(t, "two", name)
		if name == reportFile { // says how long it took
			a, b = timeless.ReplaceAllString(a, ""), timeless.ReplaceAllString(b, "")
		}
		require.Equal(t, a, b, name)
	}
	require.Equal(t, fieldsOf(t, "plain"), fieldsOf(t, "one"), "results.json has the form that it always had")

	report := teams(shopWith("payments", "v1"), "report", "one")
	require.Equal(t, exitFinding, report.code, report.errors)
	require.Equal(t, cellDuplicates(t, "two"), cellDuplicates(t, "one"))

	told, err := filepath.Glob("one/cases/dedup-durable.reply-lost.*.case")
	require.NoError(t, err)
	require.Len(t, told, 1)
	require.Contains(t, teams(shopWith("payments", "v1"), "replay", told[0]).out, "\nHow likely ")
	require.NotContains(t, teams(shopWith("payments", "v2"), "replay", told[0]).out, "\nHow likely ", "nothing was measured of that version")
	tested := edited(t, told[0], "one/cases/tested.case", shop+".main", "example.com/shop.TestCharge")
	require.NotContains(t, teams(shopWith("payments", "v1"), "replay", tested).out, "\nHow likely ", "nor of that test")

	against := simulate("report", "one", "--against", "plain")
	require.Zero(t, against.code, against.errors)
	require.Contains(t, against.out, "\nfrom  the stages of the file alone\nto    charge as code of "+shop+", version v1\n")
}

// fieldsOf are the names in results.json: of the whole, of a cell, of a stack.
func fieldsOf(t *testing.T, dir string) (names [][]string) {
	t.Helper()
	var whole map[string]any
	require.NoError(t, json.Unmarshal([]byte(read(t, dir, "results.json")), &whole))
	for _, object := range []any{whole, whole["cells"].([]any)[0], whole["stacks"].([]any)[0]} {
		names = append(names, scenarios.SortedKeys(object.(map[string]any)))
	}
	return names
}

// The hash of a scenario knows nothing of code. So a directory says whose code its rows were made with, and neither
// --resume nor merge nor report puts rows together that are of different code.
func TestRowsOfDifferentCodeAreNeverMixed(t *testing.T) {
	long(t)
	scenarioFile(t)
	compare := func(out string, more ...string) []string {
		return append([]string{"compare", "small.yaml", "--stacks", "keyed", "--faults", "none", "--runs", "1", "--hunt", "0", "--quiet", "--out", out}, more...)
	}
	one, two := shopWith("small.yaml", "v1"), shopWith("small.yaml", "v2")
	require.Zero(t, teams(one, compare("one")...).code)
	require.Zero(t, teams(two, compare("two", "--seed", "1")...).code)
	require.Zero(t, simulate(compare("none")...).code)
	refused := func(got answer, want ...string) {
		t.Helper()
		require.Equal(t, exitInput, got.code, got.errors)
		require.Empty(t, got.out)
		for _, text := range want {
			require.Contains(t, got.errors, text)
		}
	}
	before := read(t, "one", rowsFile)
	refused(teams(two, compare("one", "--resume")...), "--resume: the rows in one were made with charge as code of "+shop+", version v1; this program has charge as code of "+shop+", version v2")
	refused(simulate(compare("one", "--resume")...), "this program has the stages of the file alone")
	refused(teams(one, compare("none", "--resume")...), "the rows in none were made with the stages of the file alone")
	require.Equal(t, before, read(t, "one", rowsFile))
	require.Zero(t, teams(one, compare("one", "--resume", "--runs", "2")...).code)
	require.Equal(t, 2, strings.Count(read(t, "one", rowsFile), "\n"))

	refused(teams(one, "merge", "one", "two", "-o", "all"), "version v1")
	refused(teams(one, "merge", "one", "none", "-o", "all"), "not parts of one comparison", "the stages of the file alone")
	refused(simulate("merge", "one", "-o", "all"), "one: its rows were made with charge as code of "+shop)
	refused(simulate("report", "one"), "one: its rows were made with")
	refused(teams(two, "report", "one"), "version v1; this program has charge as code of "+shop+", version v2")
	require.Zero(t, teams(one, "merge", "one", "-o", "all").code)
	require.Zero(t, teams(one, "report", "none", "--quiet").code, "rows without code are done without it")

	about := read(t, "one", aboutFile)
	require.NoError(t, os.WriteFile("one/"+aboutFile, []byte(strings.Replace(about, shop+".main", shop, 1)), 0o644))
	refused(teams(one, "report", "one"), "damaged: handlers of", "no program")
}

// Without a version, the executable itself is the version.
func TestTheVersionOfABuild(t *testing.T) {
	opts := []Option{Owner(shop), With("payments", Stages{"charge": hasty})}
	got := teams(opts, "version")
	require.Regexp(t, `(?m)^code +payments: charge as code of `+shop+`, version build [0-9a-f]{12}$`, got.out)
	require.Equal(t, got.out, teams(opts, "version").out)
}

// shopCase leaves the case of a charge that was made twice, and returns its file.
func shopCase(t *testing.T) string {
	t.Helper()
	t.Chdir(t.TempDir())
	got := teams(shopWith("payments", "v1"), "run", "payments", "--stack", "dedup-durable", "--faults",
		"when payments.charge/replied{event=order-7,stage=charge} #1 lose-reply payments")
	require.Equal(t, exitFinding, got.code, got.errors)
	require.Contains(t, got.out, "\nagain     sim replay out/cases/")
	found := caseFiles(t, "out/cases")
	require.Len(t, found, 1)
	return found[0]
}

// edited is a copy of a case with another owner or door.
func edited(t *testing.T, from, name string, edit ...string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(name, []byte(strings.NewReplacer(edit...).Replace(read(t, from))), 0o644))
	return name
}

// A case of a team's program is done by that program: run, replayed, shrunk.
func TestACaseOfAProgram(t *testing.T) {
	long(t)
	file := shopCase(t)
	text := read(t, file)
	require.Contains(t, text, `"owner": "`+shop+`.main"`)
	require.Contains(t, text, `"door": "native"`)
	mine := shopWith("payments", "v1")
	got := teams(mine, "replay", file)
	require.Equal(t, exitFinding, got.code, got.errors)
	require.Empty(t, got.errors)
	require.Contains(t, got.out, "order-7: charge of 80.00 instead of 40.00 at payments, applied 2 times")
	require.NotContains(t, got.out, "stale")

	got = teams(mine, "shrink", file, "-o", "small.case")
	require.Equal(t, exitFinding, got.code, got.errors)
	require.Regexp(t, `from \d+ events to 1\n`, got.out)
	require.Regexp(t, `idempotency-key\(event\+stage\) +holds at all \d+ placements`, got.out, "remedies are tried around the same code")
	require.Contains(t, read(t, "small.case"), `"owner": "`+shop+`.main"`)

	mended := []Option{Owner(shop), With("payments", Stages{"charge": func(c model.Ctx, order model.Message) (model.Message, error) {
		order.Amount = 40_00
		return c.Call("payments", "charge", order)
	}})}
	got = teams(mended, "replay", "small.case")
	require.Equal(t, exitInconclusive, got.code, got.errors)
	require.Contains(t, got.out, "so that the handlers have changed")
	require.Contains(t, got.out, "passes, with its anchors hit")

	plain := simulate("run", "payments", "--stack", "at-least-once", "--faults", "consumer-kill", "--seed", "2")
	require.Equal(t, plain.out, teams(nil, "run", "payments", "--stack", "at-least-once", "--faults", "consumer-kill", "--seed", "2").out)
	unowned := edited(t, "small.case", "unowned.case", `"owner": "`+shop+`.main",`, ``, `"door": "native"`, `"planted": []`)
	require.Equal(t, simulate("replay", unowned).code, teams(mine, "replay", unowned).code, "a case without code is done without it")
	require.Contains(t, teams(mine, "replay", unowned).out, "finding is gone")
}

// A case of code that the program does not have is refused with the command that runs it, never done with something else.
func TestCasesOfOtherCode(t *testing.T) {
	file := shopCase(t)
	owner, door := `"owner": "`+shop+`.main"`, `"door": "native"`
	mine := shopWith("payments", "v1")
	const test = `"owner": "example.com/shop.TestCharge/card"`
	native := edited(t, file, "native.case", owner, test)
	hosted := edited(t, file, "hosted.case", owner, test, door, `"door": "hosted"`)
	unknown := edited(t, file, "unknown.case", owner+",", test, door, ``)
	other := edited(t, file, "other.case", owner, `"owner": "example.com/other.main"`)
	abs, err := filepath.Abs(".")
	require.NoError(t, err)
	goTest := func(file string) string {
		return "TWICELESS_CASE=" + filepath.Join(abs, file) + " go test example.com/shop -run '^TestCharge$/^card$' -count=1\n"
	}
	for _, c := range []struct {
		opts []Option
		file string
		want string
	}{
		{nil, native, "not in this program; they belong to the test example.com/shop.TestCharge/card:\n  " + goTest(native)},
		{nil, hosted, "hosted, which go test alone can run; they belong to the test example.com/shop.TestCharge/card:\n  " + goTest(hosted)},
		{mine, hosted, "hosted, which go test alone can run"},
		{mine, unknown, "not in this program"},
		{nil, file, "they belong to the program " + shop + ":\n  go run " + shop + " replay " + file + "\n"},
		{mine, other, "they belong to the program example.com/other:\n  go run example.com/other replay other.case\n"},
		{shopWith("ledger", "v1")[:2], file, "no stages for scenario payments any more"},
		{append(shopWith("", "v1")[:2], With("payments", Stages{"present": hasty})), edited(t, file, "misfit.case", `"present"`, `"inform"`), "do not fit it any more"},
	} {
		for _, does := range []string{"replay", "shrink"} {
			got := teams(c.opts, does, c.file)
			require.Equal(t, exitInput, got.code, got.errors)
			require.Empty(t, got.out)
			require.Contains(t, got.errors, c.file+": ")
			require.Contains(t, got.errors, c.want)
		}
	}
	got := teams(mine, "replay", native)
	require.Equal(t, exitFinding, got.code, got.errors)
	require.Equal(t, "note: this case is of the test example.com/shop.TestCharge/card; it is done with the stages of this program\n", got.errors)
}

// A corpus may hold cases of several owners: each program does its own, and says who does the others.
func TestACorpusWithCasesOfPrograms(t *testing.T) {
	file := shopCase(t)
	keep(t, file, "mine.case")
	keep(t, file, "tested.case", shop+".main", "example.com/shop.TestCharge")
	keep(t, file, "other.case", shop+".main", "example.com/other.main")
	got := teams(shopWith("payments", "v1"), "corpus", "list", "--run")
	require.Equal(t, exitFinding, got.code, got.errors)
	require.Contains(t, got.errors, "note: cases of native tests are done with the stages of this program")
	require.Contains(t, got.out, "\n3 cases · 2 still failing · 1 of programs\n")
	require.Contains(t, strings.Join(strings.Fields(got.out), " "), "belongs to go run example.com/other replay CASE")
	got = simulate("corpus", "list", "--run")
	require.Zero(t, got.code, got.errors)
	require.Empty(t, got.errors)
	require.Contains(t, got.out, "\n3 cases · 1 of go tests · 2 of programs\n")
	refreshed := teams(shopWith("payments", "v1"), "corpus", "refresh")
	require.Zero(t, refreshed.code, refreshed.errors)
	require.Contains(t, refreshed.out, "2 files written\n")
	require.Len(t, caseFiles(t, corpusDir), 1, "that of the other program stays where it is")
}

// A program can carry a scenario of its own: every command knows it by its name.
func TestACarriedScenario(t *testing.T) {
	src, err := os.ReadFile("testdata/small.yaml")
	require.NoError(t, err)
	library, err := os.ReadFile("../../../scenarios/library/payments.yaml")
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	opts := []Option{Owner(shop), Scenario(src), With("small", Stages{"charge": hasty}), With("payments", Stages{"charge": hasty, "present": present})}
	for line, want := range map[string]string{
		"--help":                                "Code in this program: small (charge) · payments (charge, present). Hosted code runs under go test only.\n",
		"list scenarios":                        "A short payments flow for the tests of the command line. Here with code of this program: charge.\n",
		"list stacks":                           "keyed",
		"compare --help":                        "the default is small.",
		"vet small":                             "\ncode      charge: of this program; the other stages do what the file says\n",
		"explain small":                         "small · scenario with code of this program\n",
		"__complete compare sm":                 "small\tA short payments flow",
		"__complete run ":                       "payments\t",
		"__complete compare --stacks ke":        "keyed",
		"completion bash":                       "-F __start_sim sim",
		"":                                      "sim compare ",
		"run small --stack keyed --faults none": "small · keyed · none · seed 1\n",
	} {
		args := strings.Fields(line)
		if strings.HasSuffix(line, " ") {
			args = append(args, "")
		}
		got := teams(opts, args...)
		require.Zero(t, got.code, "%s: %s", line, got.errors)
		require.Contains(t, got.out, want, line)
	}
	require.NotContains(t, teams(opts).out, "\nagain ", "the story of the first minute is of the file's stages, which this program does not do")
	require.Equal(t, 1, strings.Count(teams([]Option{Owner(shop), Scenario(library)}, "list", "scenarios").out, "payments  "), "it comes before that of the library")
}

func present(c model.Ctx, order model.Message) (model.Message, error) {
	return c.Call("notifier", "present", order)
}

// What is wrong with the options of a program is said at once, all of it, whatever the command line.
func TestOptionsThatDoNotFit(t *testing.T) {
	got := teams([]Option{
		Owner("example.com/shop.TestX/y"), Version("two\nlines"), Scenario([]byte("version: 1\nname: x\n")),
		With("payments", Stages{"charg": hasty}), With("payments", Stages{"charge": hasty}), With("no-such", Stages{"charge": hasty}),
		With("ledger", Stages{}), With("-", nil), With("variants", Stages{"charge": nil}),
	}, "version")
	require.Equal(t, exitInput, got.code)
	require.Empty(t, got.out)
	for _, want := range []string{
		`Owner("example.com/shop.TestX/y"): want the import path of a main package that reads like no test`,
		`Version("two\nlines"): want one line`, "command.Scenario", `no stage "charg" in the flow (did you mean charge?)`,
		"scenario payments has stages already", "no-such: no scenario of the library and no file", `With("ledger"): `, "neither stages nor a handler",
		`With("-"): want the name`, `With("variants"): stage charge is nil`,
	} {
		require.Contains(t, got.errors, want)
	}
	require.Contains(t, teams([]Option{Owner(""), With("payments", Stages{"charge": hasty})}, "version").errors, "command.Owner(its import path)")
}
