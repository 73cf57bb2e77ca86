package twiceless

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
)

// CheckNative is what Native comes to, without failing the test that asks.
func CheckNative(t *testing.T, scenario string, stages Stages, opts ...Option) *reports.Outcome {
	t.Helper()
	k, err := begin(t, scenario, func(*settings) *scenarios.Code { return stages.code() }, opts)
	require.NoError(t, err)
	k.do()
	return &k.out
}

// BeginNative is why Native cannot be run.
func BeginNative(t *testing.T, scenario string, stages Stages, opts ...Option) error {
	t.Helper()
	_, err := begin(t, scenario, func(*settings) *scenarios.Code { return stages.code() }, opts)
	return err
}

// WithoutRemedies leaves out the search for what would help, which is most of the work of a story.
func WithoutRemedies(t *testing.T) {
	t.Helper()
	before := remedyLimits
	remedyLimits.Events = 1
	t.Cleanup(func() { remedyLimits = before })
}

// OnDay has acceptances compared with another day.
func OnDay(t *testing.T, day string) {
	t.Helper()
	at, err := time.Parse("2006-01-02", day)
	require.NoError(t, err)
	today = func() time.Time { return at }
	t.Cleanup(func() { today = time.Now })
}
