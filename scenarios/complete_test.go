package scenarios

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// older is a case of an earlier epoch: its dead letters could not be published again, and a commit had no limit of time.
func older(t testing.TB) (src []byte, c *Case) {
	t.Helper()
	src, err := os.ReadFile("testdata/older.case")
	require.NoError(t, err)
	c, err = DecodeCase("older.case", src)
	require.NoError(t, err)
	return src, c
}

// A case of an earlier model is read for ever: what models have gained since then has its default, as in a scenario
// file, and the case still tells its story.
func TestOlderCaseIsRead(t *testing.T) {
	src, c := older(t)
	require.Subset(t, c.Missing(), []string{
		"intent.scenario.broker.nodes",
		"intent.scenario.broker.topics.orders.min_insync",
		"intent.scenario.consumers.commit_timeout",
		"intent.scenario.stacks[1].layers[0].with",
		"intent.scenario.stacks[2].layers[0].with.rate",
	})
	sc := c.Intent.Scenario
	require.EqualValues(t, 60*nsSecond, sc.Consumers.CommitTimeout)
	require.Equal(t, map[string]string{"after": "10m", "rate": "2", "replay": "none"}, sc.Stacks[1].Layers[0].With)
	require.Equal(t, sc.Stacks[1].Layers[0], sc.Stacks[2].Layers[0])
	require.EqualValues(t, 4*nsSecond, sc.Phases.Chaos, "what the case says is kept, also where a file would have more")

	re, err := Reaim(c, 0, 0)
	require.NoError(t, err)
	require.Equal(t, StillFails, re.Aim)

	whole, err := DecodeCase("whole.case", c.Encode())
	require.NoError(t, err)
	require.Empty(t, whole.Missing(), "written back it is complete")
	require.Equal(t, whole.Name(), c.Name(), "and keeps the name that it has had since it was read")
	require.NotEqual(t, src, c.Encode())
}

// Each field that has a default may be missing in a case, and with it the case is the same as with the default written
// out; one that has none is asked for by name.
func TestEveryDefaultMayBeMissing(t *testing.T) {
	sc, err := Decode("small.yaml", []byte(strings.ReplaceAll(smallest, "\t", "  ")))
	require.NoError(t, err)
	c := sampleCase(t)
	c.Intent.Scenario, c.Intent.Plan, c.Intent.Reductions, c.Intent.Stack = sc, []string{}, nil, "only"
	text := c.Encode()
	line := regexp.MustCompile(`(?m)^ {6,}"([a-z_]+)": [^\[{\n]+\n`)
	var needed []string
	for _, at := range line.FindAllSubmatchIndex(text, -1) {
		field := string(text[at[2]:at[3]])
		short := append(bytes.TrimRight(bytes.Clone(text[:at[0]]), ", \n"), '\n')
		if rest := bytes.TrimLeft(text[at[1]:], " "); rest[0] != '}' && !bytes.HasSuffix(bytes.TrimSpace(short), []byte("{")) {
			short = append(short, ',')
		}
		short = append(short, text[at[1]:]...)
		got, err := DecodeCase("short.case", short)
		if err != nil {
			needed = append(needed, field)
			continue
		}
		require.Len(t, got.Missing(), 1, field)
		require.Contains(t, got.Missing()[0], "."+field)
		require.Equal(t, string(text), string(got.Encode()), "without %s", field)
	}
	require.Equal(t, []string{"version", "name", "arrival", "stage", "kind", "service", "effect", "kind", "name", "engine", "kind"}, needed)
}

const smallest = `
version: 1
name: smallest
broker: { topics: { orders: {} } }
workload: { arrival: poisson(4/s) }
flow: [ { stage: charge, kind: effect, calls: payments, effect: critical } ]
downstreams: { payments: { kind: payments-api } }
stacks: [ { name: only, engine: commit-after, layers: [ { retry: {} } ] } ]
`

// What a case says must still be right: a missing field excuses no wrong one.
func TestMissingFieldsExcuseNothing(t *testing.T) {
	src, _ := older(t)
	for _, c := range []struct{ from, to, want string }{
		{`"commit_`, `"comit_`, ""}, // there is no such field: nothing to replace
		{`"restart": 200000000`, `"restart": 200000000, "comit_timeout": 1`, "consumers.comit_timeout: unknown field (did you mean commit_timeout?)"},
		{`"replay": "none"`, `"replay": "none", "rat": "2"`, "layers[0].dead-letter.rat: unknown field"},
		{`"key_count": 20`, `"key_count": 21`, "workload.key_count: does not agree"},
		{`"keys": "zipf(20, 1.1)",`, ``, "workload.key_count: does not agree"},
		{`"engine": "commit-after",`, ``, "engine: missing"},
		{`"kind": "retry",`, ``, "layers[1]"},
	} {
		text := strings.Replace(string(src), c.from, c.to, 1)
		if c.want == "" {
			require.Equal(t, string(src), text)
			continue
		}
		require.NotEqual(t, string(src), text, c.from)
		_, err := DecodeCase("x.case", []byte(text))
		require.ErrorContains(t, err, c.want)
	}
}

// The owner of a case is a test that go test can be told to run, or a program.
func TestOwner(t *testing.T) {
	for text, want := range map[string][2]string{
		"shop/charge.TestChargeOnce":              {"shop/charge", "^TestChargeOnce$"},
		"example.com/shop.v2/charge.TestÄ/a+b":    {"example.com/shop.v2/charge", `^TestÄ$/^a\+b$`},
		"example.com/a.Tests/b.Test_1":            {"example.com/a.Tests/b", "^Test_1$"},
		"github.com/x/y_z~1.Test/TestX.TestY_#01": {"github.com/x/y_z~1", `^Test$/^TestX\.TestY_#01$`},
		"shop.TestX/a/b":                          {"shop", "^TestX$/^a$/^b$"},
	} {
		o, err := ParseOwner(text)
		require.NoError(t, err, text)
		require.Equal(t, want, [2]string{o.Package, o.Run()})
		require.Equal(t, text, o.String())
		require.False(t, o.Program())
	}
	for text, want := range map[string]string{
		"example.com/shop/cmd/simulate.main": "example.com/shop/cmd/simulate",
		"simulate.main":                      "simulate",
		"gopkg.in/tool.main.main":            "gopkg.in/tool.main",
		"example.com/a.Tests/b.main":         "example.com/a.Tests/b",
	} {
		o, err := ParseOwner(text)
		require.NoError(t, err, text)
		require.True(t, o.Program())
		require.Equal(t, want, o.Package)
		require.Equal(t, text, o.String())
	}
	o, err := ParseOwner("example.com/a.TestB/c.main")
	require.NoError(t, err)
	require.Equal(t, "TestB/c.main", o.Test, "a subtest may have any name")
	for _, text := range []string{
		"example.com/shop/cmd/simulate", "simulate", "main", ".main", "shop.Main", "shop/.main", "shop.main/x", "shop cmd.main",
		"TestX", ".TestX", "shop.Testing", "shop.testX", "shop.BenchmarkX", "shop/.TestX", "shop//charge.TestX", "/shop.TestX", "./shop.TestX",
		"shop charge.TestX", "shop.TestX/", "shop.TestX/a//b", "shop.TestX/a b", "shop.TestX()", "shöp.TestX", "shop:x.TestX", "-shop.TestX",
	} {
		_, err := ParseOwner(text)
		require.Error(t, err, text)
		c := sampleCase(t)
		c.Intent.Owner = text
		_, err = DecodeCase("x.case", c.Encode())
		require.ErrorContains(t, err, "intent.owner: want an import path, a dot and a test")
	}
}
