package command

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

// answer is what one command line did.
type answer struct {
	code        int
	out, errors string
}

// simulate runs a command line in the present directory.
func simulate(args ...string) answer { return simulateWith("", args...) }

func simulateWith(stdin string, args ...string) answer {
	return interrupted(context.Background(), stdin, args...)
}

func interrupted(ctx context.Context, stdin string, args ...string) answer {
	var out, errs bytes.Buffer
	a := &app{stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs, self: "simulate", args: args}
	code := a.main(ctx)
	return answer{code, out.String(), errs.String()}
}

// scenarioFile puts the test scenario, perhaps edited, into a new directory that becomes the working directory.
func scenarioFile(t *testing.T, edit ...string) {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", "small.yaml"))
	require.NoError(t, err)
	text := strings.NewReplacer(edit...).Replace(string(src))
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("small.yaml", []byte(text), 0o644))
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update")
	require.Equal(t, string(want), got)
}

func TestHelp(t *testing.T) {
	for _, name := range []string{"", "compare", "run", "replay", "shrink", "corpus", "corpus list", "corpus refresh", "corpus prune", "corpus why", "report", "merge", "verify", "check", "list", "explain", "vet", "schema", "version"} {
		t.Run(name, func(t *testing.T) {
			args := strings.Fields(name + " --help")
			got := simulate(args...)
			require.Zero(t, got.code, got.errors)
			require.Empty(t, got.errors)
			if name != "" {
				require.Contains(t, got.out, "Examples:")
			}
			golden(t, "help"+prefixed(".", strings.ReplaceAll(name, " ", ".")), got.out)
		})
	}
}

func TestHelpKnowsOnlyWhatHasArrived(t *testing.T) {
	help := simulate("--help").out
	for _, later := range []string{"explore", "claims", "digests"} {
		require.NotContains(t, help, "  "+later)
	}
}

func TestList(t *testing.T) {
	for _, l := range listings() {
		t.Run(l.name, func(t *testing.T) {
			got := simulate("list", l.name)
			require.Zero(t, got.code, got.errors)
			golden(t, "list."+l.name, got.out)
		})
	}
	got := simulate("list", "stacks", "testdata/small.yaml")
	require.Zero(t, got.code, got.errors)
	require.Contains(t, got.out, "keyed")
}

func TestUsageErrors(t *testing.T) {
	scenarioFile(t)
	require.NoError(t, os.WriteFile("file", []byte("x"), 0o644))
	require.NoError(t, os.Mkdir("dir", 0o755))
	for line, want := range map[string]string{
		"compar":                                      "did you mean compare?",
		"nonsense":                                    "known: compare, run",
		"compare --stack x":                           "did you mean --stacks?",
		"compare --runs x":                            "--runs x: want a whole number",
		"compare --runs 0":                            "from 1 to",
		"compare --runs 2000000":                      "from 1 to",
		"compare --seed -1":                           "--seed -1: want a whole number, at least 0",
		"compare --workers -1":                        "--workers -1",
		"compare --shard 3/2":                         "--shard 3/2",
		"compare --shard x":                           "--shard x",
		"compare --stacks at-leest-once":              "did you mean at-least-once?",
		"compare --faults consumer-kil":               "did you mean consumer-kill?",
		"compare --format xml":                        `unknown format "xml"`,
		"compare --out file":                          "a file, not a directory",
		"compare --out file/below":                    "--out file/below",
		"compare paiments":                            "payments",
		"compare dir":                                 "directory",
		"compare a b":                                 "takes one scenario at most",
		"run small.yaml":                              "--stack is required",
		"run small.yaml --stack kyed":                 "did you mean keyed?",
		"run small.yaml --stack keyed --faults pauze": "did you mean pause?",
		"run":                               "takes one scenario",
		"replay":                            "takes one case file",
		"replay none.case":                  "none.case: no such file",
		"replay dir":                        "a directory",
		"replay x --history - --timeline -": "cannot both be standard output",
		"shrink":                            "takes one case file",
		"shrink none.case":                  "none.case: no such file",
		"shrink none.case --runs 1":         "--runs 1: from 4",
		"shrink small.yaml":                 "small.yaml",
		"merge dir":                         "merge needs -o",
		"merge dir -o x":                    "no compare.json there",
		"merge none -o x":                   "no such file",
		"report":                            "takes the directory of one comparison",
		"report dir":                        "no compare.json there",
		"report none":                       "no such file",
		"report file":                       "a file, not the directory",
		"report dir --against none":         "no compare.json there",
		"report dir --out x":                "has no flag --out",
		"list":                              "takes one of scenarios",
		"list stack":                        "did you mean stacks?",
		"list faults small.yaml":            "takes no scenario",
		"explain idempotancy-key":           "did you mean idempotency-key?",
		"explain":                           "takes a word",
		"vet none.yaml":                     "none.yaml",
		"schema x":                          "takes no arguments",
		"version --json":                    "has no flag --json",
		"digests --cases 0":                 "--cases 0",
		"compare small.yaml --resume=x":     "true or false",
	} {
		got := simulate(strings.Fields(line)...)
		require.Equal(t, exitInput, got.code, "%s: %s", line, got.errors)
		require.Contains(t, got.errors, want, line)
		require.Empty(t, got.out, line)
		require.LessOrEqual(t, strings.Count(got.errors, "\n"), 3, "%s: one message: %s", line, got.errors)
	}
	bad := simulate("run", "small.yaml", "--stack", "keyed", "--faults", "at 12s kil consumer-1 for 1s")
	require.Equal(t, exitInput, bad.code)
	require.Contains(t, bad.errors, "did you mean kill?")
	missing := simulate("run", "small.yaml", "--stack", "keyed", "--faults", "at 12s kill worker-1 for 1s")
	require.Equal(t, exitInput, missing.code)
	require.Contains(t, missing.errors, "worker-1")
}

func TestHostileFiles(t *testing.T) {
	scenarioFile(t)
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'p'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 9) + "]\n"
	}
	small, err := os.ReadFile("small.yaml")
	require.NoError(t, err)
	for name, content := range map[string]string{
		"binary":       "\x00\x01\xff\xfe" + strings.Repeat("\x00\x80", 1000),
		"empty":        "",
		"brackets":     strings.Repeat("[", 3<<20),
		"bomb":         bomb,
		"no stacks":    "version: 1\nname: x\n",
		"unknown":      strings.Replace(string(small), "chaos: 10s", "caos: 10s", 1),
		"negative":     strings.Replace(string(small), "members: 2", "members: -2", 1),
		"huge":         strings.Replace(string(small), "partitions: 3", "partitions: 99999999999999999999", 1),
		"impossible":   strings.Replace(string(small), "chaos: 10s", "chaos: 1s", 1),
		"expectation":  string(small) + "expect:\n  - { stack: keyed, damage: { pause: \"p_duplicate < much\" } }\n",
		"expect stack": string(small) + "expect:\n  - { stack: keied, lost_silent: none }\n",
	} {
		require.NoError(t, os.WriteFile("hostile", []byte(content), 0o644))
		for _, args := range [][]string{{"vet", "hostile"}, {"compare", "hostile", "--out", "o"}, {"replay", "hostile"}} {
			got := simulate(args...)
			require.Equal(t, exitInput, got.code, "%s: %v: %s", name, args, got.errors)
			require.NotEmpty(t, got.errors)
			require.NotContains(t, got.errors, "internal error")
			require.Less(t, len(got.errors), 20_000, name)
		}
		got := simulateWith(content, "vet", "-")
		require.Equal(t, exitInput, got.code, "%s from stdin: %s", name, got.errors)
	}
}

func TestVetSchemaVersion(t *testing.T) {
	scenarioFile(t)
	require.Zero(t, simulate("vet", "payments").code)
	got := simulate("vet", "small.yaml")
	require.Zero(t, got.code, got.errors)
	require.Contains(t, got.out, "small is valid")
	require.Contains(t, got.out, "promises no duplicate-effect (critical), no loss")
	src, err := os.ReadFile("small.yaml")
	require.NoError(t, err)
	require.Equal(t, got.out, simulateWith(string(src), "vet", "-").out)
	require.True(t, strings.HasPrefix(simulate("schema").out, "{"))
	version := simulate("version").out
	for _, want := range []string{"go1.", "model epoch", "formats"} {
		require.Contains(t, version, want)
	}
}

func TestExplain(t *testing.T) {
	for _, word := range []string{
		"commit-after", "retry", "consumer-kill", "kill", "duplicates", "loss", "duplicate-effect", "p_loss", "worst_run", "truncated",
		"workload.arrival", "arrival", "absent_unknown", "critical", "clock-skew", "vacuous", "committed", "latency_ms", "epoch",
	} {
		got := simulate("explain", word)
		require.Zero(t, got.code, "%s: %s", word, got.errors)
		require.Contains(t, got.out, word)
	}
	for _, m := range meanings() {
		require.NotEmpty(t, m.doc, m.name)
		require.NotEmpty(t, m.name)
	}
}

func TestCompletion(t *testing.T) {
	for line, want := range map[string]string{
		"compare pay":                        "payments",
		"compare --faults consumer-kill,par": "consumer-kill,partition",
		"compare payments --stacks at-l":     "at-least-once",
		"run payments --stack at-m":          "at-most-once",
		"explain idempo":                     "idempotency-key",
		"list sc":                            "scenarios",
	} {
		got := simulate(append([]string{"__complete"}, strings.Fields(line)...)...)
		require.Zero(t, got.code)
		require.Contains(t, got.out, want, line)
	}
	require.Contains(t, simulate("completion", "bash").out, "simulate")
}

func TestWelcome(t *testing.T) {
	got := simulate()
	require.Zero(t, got.code, got.errors)
	require.Contains(t, got.out, "instead of 40.00")
	require.Contains(t, got.out, "simulate run payments")
	require.LessOrEqual(t, strings.Count(got.out, "\n"), 50)
}

func TestDigests(t *testing.T) {
	got := simulate("digests", "--cases", "6")
	require.Zero(t, got.code, got.errors)
	require.Equal(t, 6, strings.Count(got.out, "\n"))
	require.Regexp(t, `(?m)^at-most-once consumer-kill 2 [0-9a-f]{16} [0-9a-f]{16}$`, got.out)
	require.Equal(t, got.out, simulate("digests", "--cases", "6").out)
}

func TestInvocation(t *testing.T) {
	for path, want := range map[string]bool{
		"/tmp/go-build123/b001/exe/simulate":                           true,
		"/home/x/cache/ab/" + strings.Repeat("0a", 32) + "-d/simulate": true,
		"/usr/local/bin/simulate":                                      false,
	} {
		require.Equal(t, want, builtByGoRun(path), path)
	}
	cwd, err := os.Getwd()
	require.NoError(t, err)
	root := filepath.Dir(filepath.Dir(filepath.Dir(cwd)))
	require.Equal(t, "./cmd/simulate", itself.from(root))
	require.Equal(t, "..", itself.from(cwd))
	require.Equal(t, itself.path, itself.from(t.TempDir()))
	require.Equal(t, "bin/x", shorter("/a/b", "/a/b/bin/x"))
	require.Equal(t, "'it'\\''s a file'", quote("it's a file"))
}
