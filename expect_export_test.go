package twiceless

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
)

// OutcomeOf is what Native comes to, and what it prints, without failing the test that asks.
func OutcomeOf(t *testing.T, scenario string, stages Stages, opts ...Option) (*reports.Outcome, string) {
	t.Helper()
	k, err := begin(t, scenario, func(*settings) *scenarios.Code { return stages.code() }, opts)
	require.NoError(t, err)
	k.do()
	return &k.out, render(&k.out)
}

// ProblemsOf are those of options.
func ProblemsOf(opts ...Option) []string { return settingsOf(opts).problems }

// ExpectedAt says whether a site is the one that a test expects.
func ExpectedAt(site, found string) bool { return (&expectation{"loss", site}).at(found) }
