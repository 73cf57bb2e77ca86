package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// program builds this program in a directory and returns how it is called there.
func program(t *testing.T, dir string) func(args ...string) (code int, out string) {
	t.Helper()
	exe := filepath.Join(dir, "shop")
	if runtime.GOOS == "windows" {
		exe += ".exe"
	}
	built, err := exec.Command("go", "build", "-o", exe, ".").CombinedOutput()
	require.NoError(t, err, string(built))
	return func(args ...string) (int, string) {
		t.Helper()
		var out bytes.Buffer
		cmd := exec.Command(exe, args...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
		err := cmd.Run()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return exit.ExitCode(), out.String()
		}
		require.NoError(t, err)
		return 0, out.String()
	}
}

// What a team does with a program of its own: compare stacks over its code, find the run that breaks one, do its case again,
// make it small, and be told which layer would have helped.
func TestAProgramOfATeam(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program and draws plots")
	}
	dir := t.TempDir()
	run := program(t, dir)
	code, out := run("compare", "--stacks", "dedup-durable,permanent-key", "--faults", "reply-lost", "--runs", "2", "--hunt", "0", "--quiet")
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "\ncode            charge of github.com/twiceless/twiceless/examples/binary, version build ")
	require.Contains(t, out, "\nbroken          dedup-durable promises no duplicate-effect (critical): 1 inside its envelope (reply-lost)")

	code, out = run("run", "payments", "--stack", "dedup-durable", "--faults", "reply-lost", "--seed", "2", "--out", "found")
	require.Equal(t, 1, code, out)
	cases, err := filepath.Glob(filepath.Join(dir, "found", "cases", "*.case"))
	require.NoError(t, err)
	require.Len(t, cases, 1)
	src, err := os.ReadFile(cases[0])
	require.NoError(t, err)
	var kept struct{ Intent struct{ Owner, Door string } }
	require.NoError(t, json.Unmarshal(src, &kept))
	require.Equal(t, "github.com/twiceless/twiceless/examples/binary.main", kept.Intent.Owner)

	code, out = run("replay", cases[0])
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "charge of 80.00 instead of 40.00 at payments, applied 2 times")
	require.Contains(t, out, "\nagain   ./shop replay ")

	code, out = run("shrink", cases[0], "-o", "small.case")
	require.Equal(t, 1, code, out)
	require.Regexp(t, `shrunk from 1 fault to 1, from \d+ events to 1\n`, out)
	require.Regexp(t, `idempotency-key\(event\+stage\) +holds at all \d+ placements`, out)
}
