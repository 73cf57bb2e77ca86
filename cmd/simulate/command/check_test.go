package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// ids is a history of a generator that gives 7 twice.
const ids = `{"index":0,"process":0,"type":"invoke","f":"generate","time":0}
{"index":1,"process":0,"type":"ok","f":"generate","value":7,"time":1500000}
{"index":2,"process":1,"type":"invoke","f":"generate","time":2000000}
{"index":3,"process":1,"type":"ok","f":"generate","value":7,"time":2250000}
`

// The verdict, each anomaly with its first example, the events that show it, and what its name means.
func TestCheckTellsTheFirstAnomaly(t *testing.T) {
	got := simulateWith(ids, "check", "--model", "unique-ids", "-")
	require.Equal(t, 1, got.code, got.errors)
	require.Equal(t, `<stdin>: fail · unique-ids · 4 events

  fail  duplicated      1   id 7 was given twice

The first duplicated

  [0]       0s  process 0  invoke  generate null
  [1]   +1.5ms  process 0  ok      generate 7
  [2]     +2ms  process 1  invoke  generate null
  [3]  +2.25ms  process 1  ok      generate 7

means       two acknowledged operations returned one id
numbers     acknowledged 2 · distinct 1
`, got.out)
}

// A program gets the same as one JSON object.
func TestCheckAsJSON(t *testing.T) {
	got := simulateWith(ids, "check", "--model", "unique-ids", "--format", "json", "-")
	require.Equal(t, 1, got.code)
	require.Equal(t, `{"verdict":"fail","model":"unique-ids","events":4,"anomalies":[{"name":"duplicated","count":1,"severity":"fail",`+
		`"evidence":[0,1,2,3],"detail":"id 7 was given twice"}],"numbers":{"acknowledged":2,"distinct":1}}`+"\n", got.out)
}

// Exit codes: pass 0, fail 1, input 2, nothing exercised 5.
func TestCheckExitCodes(t *testing.T) {
	header := `{"header":{"model":"unique-ids"}}` + "\n"
	for _, c := range []struct {
		name, text string
		args       []string
		code       int
		says       string
	}{
		{"pass", strings.Replace(ids, `"value":7,"time":225`, `"value":8,"time":225`, 1), []string{"--model", "unique-ids"}, 0, "pass · unique-ids"},
		{"the header names the model", header + ids, nil, 1, "fail · unique-ids"},
		{"both name it", header + ids, []string{"--model", "unique-ids"}, 1, "fail · unique-ids"},
		{"nothing happened", "", []string{"--model", "unique-ids"}, 5, "vacuous · unique-ids"},
		{"no model", ids, nil, 2, "<stdin>:1: no model"},
		{"another model in the header", `{"header":{"model":"counter"}}` + "\n" + ids, []string{"--model", "unique-ids"}, 2, `header.model: "counter", but "unique-ids" was asked for`},
		{"unknown model", ids, []string{"--model", "uniqe-ids"}, 2, "did you mean unique-ids?"},
		{"an option of another model", ids, []string{"--model", "unique-ids", "--level", "serializable"}, 2, "--level: model unique-ids takes none"},
		{"unknown format", ids, []string{"--model", "unique-ids", "--format", "xml"}, 2, "text or json"},
		{"no budget", ids, []string{"--model", "unique-ids", "--budget", "0"}, 2, "at least 1"},
		{"unknown operation", strings.ReplaceAll(ids, "generate", "guess"), []string{"--model", "unique-ids"}, 2, `<stdin>:2: f: model unique-ids has no "guess" (generate)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := simulateWith(c.text, append([]string{"check", "-"}, c.args...)...)
			require.Equal(t, c.code, got.code, got.out+got.errors)
			require.Contains(t, got.out+got.errors, c.says)
			if c.code == 2 {
				require.Empty(t, got.out)
			}
		})
	}
}

// What a foreign file says never moves the terminal's cursor.
func TestCheckPrintsNoControlCharacters(t *testing.T) {
	evil := strings.ReplaceAll(strings.ReplaceAll(ids, `"value":7`, `"value":"\u001b[2J\u009b"`), `"process":1`, `"process":"\u001b]0;x\u0007"`)
	got := simulateWith(evil, "check", "--model", "unique-ids", "-")
	require.Equal(t, 1, got.code, got.errors)
	for _, r := range got.out {
		require.True(t, r == '\n' || r >= ' ' && (r < 0x7f || r > 0x9f), "%q in %q", r, got.out)
	}
}

// A history of an own run holds facts, which have judges of their own.
func TestCheckRefusesFacts(t *testing.T) {
	var facts strings.Builder
	h := &history.History{}
	h.Record(history.Fact{Kind: history.KindOffered, Event: "order-1"})
	require.NoError(t, h.Write(&facts))
	got := simulateWith(facts.String(), "check", "--model", "unique-ids", "-")
	require.Equal(t, 2, got.code, got.out)
	require.Contains(t, got.errors, "simulate replay")
}

// No directory, no missing file, no name that leads out of them.
func TestCheckFiles(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "h.jsonl"), []byte(ids), 0o600))
	for path, says := range map[string]string{dir: "a directory", filepath.Join(dir, "none"): "no such file"} {
		got := simulate("check", "--model", "unique-ids", path)
		require.Equal(t, 2, got.code)
		require.Contains(t, got.errors, says)
	}
	got := simulate("check", "--model", "unique-ids", filepath.Join(dir, "h.jsonl"), "--format", "json")
	require.Equal(t, 1, got.code)
	var parsed struct{ Verdict string }
	require.NoError(t, json.Unmarshal([]byte(got.out), &parsed))
	require.Equal(t, "fail", parsed.Verdict)
}

// The page about check shows what it prints.
func TestCheckDocs(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("testdata", "lost-write.jsonl"))
	require.NoError(t, err)
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "check.md"))
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("history.jsonl", src, 0o600))
	got := simulate("check", "--model", "kafka", "history.jsonl")
	require.Equal(t, 1, got.code)
	for line := range strings.Lines(got.out) {
		require.Contains(t, string(page), line)
	}
}
