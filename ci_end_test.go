package twiceless_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless"
)

// chargeBlindly has no key: what is delivered again is charged again.
func chargeBlindly(c twiceless.Ctx, m twiceless.Message) (twiceless.Message, error) {
	m.Amount = 40_00
	return c.Call("payments", "charge", m)
}

// chargeWithKey has one of event and stage.
func chargeWithKey(c twiceless.Ctx, m twiceless.Message) (twiceless.Message, error) {
	m.IdempotencyKey = m.Event + "/charge"
	return chargeBlindly(c, m)
}

// plantedVariable has the planted tests fail; without it they are left out.
const plantedVariable = "TWICELESS_TEST_PLANTED"

func TestPlantedForCI(t *testing.T) {
	if os.Getenv(plantedVariable) == "" {
		t.Skip("it fails: TestCIOfAFailingTest runs it")
	}
	t.Run("charged blindly", func(t *testing.T) {
		twiceless.Native(t, "payments", twiceless.Stages{"charge": chargeBlindly}, twiceless.Faults("consumer-kill"))
	})
	t.Run("with a key", func(t *testing.T) {
		twiceless.Native(t, "payments", twiceless.Stages{"charge": chargeWithKey}, twiceless.Faults("consumer-kill"), twiceless.Budget{Plans: 5})
	})
}

// testEvent is a line of go test -json.
type testEvent struct{ Action, Test, Key, Value, Output string }

// inCI runs the planted tests as go test -json does in a step of GitHub: the test binary with the flag by which test2json
// knows the lines of the framework, in the package's directory, here a copy of it.
func inCI(t *testing.T, dir, artefacts, summary string) []testEvent {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.v=test2json", "-test.run=^TestPlantedForCI$", "-test.artifacts", "-test.outputdir="+artefacts)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), plantedVariable+"=1", "GITHUB_ACTIONS=true", "GITHUB_WORKSPACE="+dir, "GITHUB_STEP_SUMMARY="+summary)
	out, err := cmd.Output()
	require.IsType(t, &exec.ExitError{}, err, "%s", out)
	translate := exec.Command("go", "tool", "test2json", "-p", "github.com/twiceless/twiceless")
	translate.Stdin = bytes.NewReader(out)
	lines, err := translate.Output()
	require.NoError(t, err)
	var events []testEvent
	d := json.NewDecoder(bytes.NewReader(lines))
	for {
		var e testEvent
		err := d.Decode(&e)
		if errors.Is(err, io.EOF) {
			return events
		}
		require.NoError(t, err)
		events = append(events, e)
	}
}

// What CI gets of a failing test: every line of go test -json is a line of JSON, the attributes are events of their test,
// the annotation begins a line of output, the summary and the artefacts are where CI looks for them; and of a test that
// holds only what was put to the test.
func TestCIOfAFailingTest(t *testing.T) {
	if testing.Short() {
		t.Skip("a long search")
	}
	dir, artefacts := t.TempDir(), t.TempDir()
	summary := filepath.Join(t.TempDir(), "summary.md")
	source, err := os.ReadFile("ci_end_test.go")
	require.NoError(t, err)
	line := strings.Count(strings.Split(string(source), `return c.Call("payments"`)[0], "\n") + 1
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ci_end_test.go"), source, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module github.com/twiceless/twiceless\n"), 0o644))

	artifacts := 0
	attrs, output, ended := map[string]map[string]string{}, map[string]string{}, map[string]string{}
	for _, e := range inCI(t, dir, artefacts, summary) {
		switch e.Action {
		case "artifacts":
			require.Empty(t, attrs[e.Test], "gotestsum forgets the attributes before this event")
			artifacts++
		case "attr":
			if attrs[e.Test] == nil {
				attrs[e.Test] = map[string]string{}
			}
			attrs[e.Test][e.Key] = e.Value
		case "output":
			output[e.Test] += e.Output
		case "pass", "fail", "skip":
			ended[e.Test] = e.Action
		}
	}
	require.Equal(t, 1, artifacts)
	const broken, held = "TestPlantedForCI/charged_blindly", "TestPlantedForCI/with_a_key"
	require.Equal(t, map[string]string{"": "fail", "TestPlantedForCI": "fail", broken: "fail", held: "pass"}, ended, "%s", output)

	require.Equal(t, "duplicate-effect (critical)/charge/redelivered-after-commit-lost", attrs[broken]["twiceless.finding"])
	require.Equal(t, fmt.Sprintf("github.com/twiceless/twiceless_test/ci_end_test.go:%d", line), attrs[broken]["twiceless.site"])
	require.Equal(t, "go test github.com/twiceless/twiceless -run '^TestPlantedForCI$/^charged_blindly$' -count=1", attrs[broken]["twiceless.again"])
	require.Regexp(t, `^\d+$`, attrs[broken]["twiceless.seed"])
	require.Regexp(t, `^[0-9a-f]{16}$`, attrs[broken]["twiceless.digest"])
	require.FileExists(t, filepath.Join(dir, attrs[broken]["twiceless.case"]))
	require.Len(t, attrs[held], 2)
	require.Equal(t, "5", attrs[held]["twiceless.plans"])

	annotations := 0
	command := fmt.Sprintf("::error file=ci_end_test.go,line=%d,title=TestPlantedForCI/charged_blindly · broken::duplicate-effect (critical): ", line)
	for line := range strings.Lines(output[broken]) {
		if strings.HasPrefix(strings.TrimSpace(line), command) {
			annotations++
		}
	}
	require.Equal(t, 1, annotations, output[broken])
	require.Contains(t, output[broken], fmt.Sprintf("ci_end_test.go:%d  payments.charge(order-", line))
	require.NotContains(t, output[held], "::error")

	text, err := os.ReadFile(summary)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), "### "), "one test failed")
	require.LessOrEqual(t, strings.Count(string(text), "\n"), 25)
	for _, name := range []string{"story.txt", "timeline.svg", "facts.jsonl", "*.case"} {
		files, err := filepath.Glob(filepath.Join(artefacts, "_artifacts", "*", "*", name))
		require.NoError(t, err)
		flat, _ := filepath.Glob(filepath.Join(artefacts, "_artifacts", "*", name)) // a package at the root of its module
		require.Len(t, append(files, flat...), 1, name)
	}
}
