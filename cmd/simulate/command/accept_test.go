package command

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// A broken promise is a note as long as all that breaks it is accepted; one fingerprint that is not, or not any more,
// breaks it.
func TestAcceptedBreaches(t *testing.T) {
	rows := []history.Row{
		{Prints: []string{"loss/charge/truncated", "stuck/charge/unexplained"}},
		{Prints: []string{"loss/charge/unexplained"}, Outside: true},
		{Prints: []string{"loss/present/truncated"}},
	}
	prints := breaches(rows, history.PropLoss)
	require.Equal(t, []string{"loss/charge/truncated", "loss/present/truncated"}, prints, "what lies outside the envelope is no breach")
	accept := func(finding, until string) scenarios.Acceptance {
		return scenarios.Acceptance{Finding: finding, Issue: "SHOP-17", Until: until}
	}
	for name, c := range map[string]struct {
		accepted []scenarios.Acceptance
		broken   bool
		says     string
	}{
		"nothing accepted": {nil, true, "promised"},
		"one of two":       {[]scenarios.Acceptance{accept("loss/charge/truncated", "2999-12-31")}, true, "promised"},
		"all":              {[]scenarios.Acceptance{accept("loss", "2999-12-31")}, false, "loss/charge/truncated until 2999-12-31 (SHOP-17)"},
		"ended":            {[]scenarios.Acceptance{accept("loss", time.Unix(0, 0).Format("2006-01-02"))}, true, "was accepted until 1970-01-01 (SHOP-17)"},
		"another stack's":  {[]scenarios.Acceptance{{Finding: "loss", Stack: "other", Issue: "SHOP-17", Until: "2999-12-31"}}, true, "promised"},
	} {
		j := &judgement{}
		j.breach("mine", "promised", prints, c.accepted)
		require.Equal(t, c.broken, j.broken, name)
		require.Equal(t, !c.broken, j.noted, name)
		text := ""
		for _, line := range j.lines {
			text += line[16:] + " "
		}
		require.Contains(t, text, c.says, name)
	}
}
