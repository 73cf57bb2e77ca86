package command

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestVerify: one row as text, as JSON, and its case replayed.
func TestVerify(t *testing.T) {
	t.Chdir(t.TempDir())
	got := simulate("verify", "F-12", "--seeds", "2", "--quiet", "--out", "out")
	require.Equal(t, 0, got.code, got.errors)
	require.Contains(t, got.out, "F-12   ★ reproduced")
	require.Contains(t, got.out, "1 reproduced · 0 missing · 0 not modelled")

	got = simulate("replay", "out/F-12.case")
	require.Equal(t, exitFinding, got.code, got.errors)
	require.Contains(t, got.out, "loss")

	got = simulate("verify", "F-78", "--seeds", "1", "--quiet")
	require.Equal(t, 0, got.code, got.errors)
	require.Contains(t, got.out, "1 reproduced · 0 missing · 1 not modelled", "a row of two parts")

	got = simulate("verify", "F-12", "--seeds", "1", "--format", "json")
	require.Equal(t, 0, got.code, got.errors)
	var rows struct {
		Rows []verifiedRow `json:"rows"`
	}
	require.NoError(t, json.Unmarshal([]byte(got.out), &rows))
	require.Equal(t, []verifiedRow{{"F-12", "reproduced", 1, "loss", ""}}, rows.Rows)
}

// TestVerifyRefuses: what is not there is named.
func TestVerifyRefuses(t *testing.T) {
	for args, says := range map[string]string{"F-0": `unknown row "F-0"`, "--tag=kafak": "did you mean kafka?", "--format=xml": "unknown format", "--seeds=-1": "--seeds -1", "--workers=0": "--workers 0"} {
		got := simulate("verify", args)
		require.Equal(t, exitInput, got.code, args)
		require.Contains(t, got.errors, says)
	}
	_, err := os.Stat("out")
	require.ErrorIs(t, err, os.ErrNotExist)
}
