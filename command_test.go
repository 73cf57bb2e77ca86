package twiceless_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless"
	"github.com/twiceless/twiceless/testdata/native"
)

// handlerVariable says which handler TestPlanted puts under test; without it there is none.
const handlerVariable = "TWICELESS_PLANTED_HANDLER"

// TestPlanted is done in a process of its own: what it prints and how it ends is what a team sees.
func TestPlanted(t *testing.T) {
	handlers := map[string]stage{"right": native.Charge, "blind": native.ChargeBlindly}
	handler, ok := handlers[os.Getenv(handlerVariable)]
	if !ok {
		t.Skip("only in a process of its own")
	}
	twiceless.Native(t, "payments", charging(handler), small, kills())
}

// planted does TestPlanted in the present directory.
func planted(t *testing.T, handler string, env ...string) (out string, code int) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe, "-test.run=^TestPlanted$", "-test.v")
	cmd.Env = append(append(os.Environ(), handlerVariable+"="+handler), env...)
	text, err := cmd.CombinedOutput()
	if err != nil {
		require.ErrorAs(t, err, new(*exec.ExitError))
	}
	return string(text), cmd.ProcessState.ExitCode()
}

// What a team sees: the story with the lines of its code, the case, the command; then the case first; then green with the
// figures of what was done.
func TestWhatATeamSees(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and runs test programs")
	}
	elsewhere(t)
	const again = "go test github.com/twiceless/twiceless -run '^TestPlanted$' -count=1"
	red, code := planted(t, "blind")
	require.Equal(t, 1, code)
	for _, want := range []string{"--- FAIL: TestPlanted", "charge.go:", "80.00", "idempotency-key", again} {
		require.Contains(t, red, want)
	}
	require.Len(t, casesHere(t), 1)
	require.Contains(t, red, casesHere(t)[0])

	still, code := planted(t, "blind")
	require.Equal(t, 1, code)
	require.NotContains(t, still, "of 12", "the saved case is done before any plan")
	require.Contains(t, still, casesHere(t)[0])

	green, code := planted(t, "right")
	require.Zero(t, code, green)
	require.Contains(t, green, "12")
	require.Contains(t, green, "1/1")

	elsewhere, code := planted(t, "right", "TWICELESS_CASE="+copyWithOwner(t, casesHere(t)[0]))
	require.Zero(t, code, elsewhere)
	require.Contains(t, elsewhere, "--- SKIP: TestPlanted")
}

// copyWithOwner is a case of somebody else.
func copyWithOwner(t *testing.T, file string) string {
	t.Helper()
	src, err := os.ReadFile(file)
	require.NoError(t, err)
	other := replaceOnce(t, string(src), "twiceless.TestPlanted", "twiceless.TestOther")
	require.NoError(t, os.WriteFile("other.case", []byte(other), 0o600))
	return "other.case"
}
