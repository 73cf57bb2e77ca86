package checker_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/checkertest"
	"github.com/twiceless/twiceless/sim/history"
)

const (
	dup  = string(history.PropDuplicateCritical)
	lost = string(history.PropLoss)
)

var exactlyOnce = history.Contract{
	Duplicates: map[string]history.Promise{"critical": history.Never, "notify": history.Allowed},
	Loss:       history.Never,
}

// row is a run with one fault that touched work and exercised everything that is promised.
func row(change func(*history.Row)) history.Row {
	r := history.Row{Fault: "consumer-kill", FaultsHit: 1, Violations: map[string]int64{}, Undecided: map[string]int64{},
		Exercised: map[string]int64{dup: 9, lost: 9, string(history.PropStuck): 9, string(history.PropDuplicateNotify): 9}}
	change(&r)
	return r
}

func TestJudgeAndCell(t *testing.T) {
	good := row(func(*history.Row) {})
	bad := row(func(r *history.Row) { r.Violations[dup] = 1 })
	outside := row(func(r *history.Row) { r.Violations[dup], r.Outside = 1, true })
	quietOutside := row(func(r *history.Row) { r.Outside = true })
	unknown := row(func(r *history.Row) { r.Undecided[lost] = 1 })
	stuck := row(func(r *history.Row) { r.Violations[string(history.PropStuck)] = 1 })
	permitted := row(func(r *history.Row) { r.Violations[string(history.PropDuplicateNotify)] = 3 })
	untouched := row(func(r *history.Row) { r.FaultsHit = 0 })
	control := row(func(r *history.Row) { r.Fault, r.FaultsHit = "none", 0 })
	nothing := row(func(r *history.Row) { r.Exercised = nil })
	cases := []struct {
		name  string
		rows  []history.Row
		stack checker.Verdict
		cell  string
	}{
		{"kept", []history.Row{good, good}, checker.Pass, "held"},
		{"broken once", []history.Row{good, unknown, bad}, checker.Fail, "broken"},
		{"broken outside only", []history.Row{good, outside}, checker.Pass, "outside"},
		{"broken on both sides", []history.Row{bad, outside}, checker.Fail, "broken"},
		{"all outside", []history.Row{quietOutside}, checker.Vacuous, "outside"},
		{"undecided", []history.Row{good, unknown}, checker.Unknown, "unknown"},
		{"stuck breaks a promise of no loss", []history.Row{stuck}, checker.Fail, "broken"},
		{"a permitted anomaly", []history.Row{permitted}, checker.Pass, "held"},
		{"faults that touched nothing", []history.Row{untouched}, checker.Pass, "vacuous"},
		{"the control has no faults to touch with", []history.Row{control}, checker.Pass, "held"},
		{"nothing exercised", []history.Row{nothing}, checker.Vacuous, "held"},
		{"no rows", nil, checker.Vacuous, "vacuous"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.stack, checker.Judge(c.rows, exactlyOnce).Verdict)
			require.Equal(t, c.cell, checker.CellContract(c.rows, exactlyOnce))
		})
	}
}

// A promise that nobody made cannot be broken; an anomaly that was permitted and never seen is told.
func TestPermitted(t *testing.T) {
	bad := row(func(r *history.Row) { r.Violations[dup] = 1 })
	v := checker.Judge([]history.Row{bad}, history.Contract{})
	require.Equal(t, checker.Pass, v.Verdict)
	require.Equal(t, []history.Property{history.PropDuplicateNotify, history.PropLoss}, v.PermittedButNeverSeen)
	v = checker.Judge([]history.Row{bad}, exactlyOnce)
	require.Equal(t, []history.Property{history.PropDuplicateNotify}, v.PermittedButNeverSeen)
	require.Equal(t, checker.Fail, v.Properties[0].Verdict)
	require.Len(t, v.Properties, 3, "critical duplicates, loss, stuck")
}

func TestCompose(t *testing.T) {
	require.Equal(t, checker.Pass, checker.Compose())
	require.Equal(t, checker.Unknown, checker.Compose(checker.Vacuous, checker.Unknown, checker.Pass))
	require.Equal(t, "pass vacuous unknown fail", fmt.Sprint(checker.Pass, checker.Vacuous, checker.Unknown, checker.Fail))
}

func dedup(tell func(*checkertest.Story)) checker.Report {
	s := checkertest.New()
	tell(s)
	for _, c := range checker.Kinds() {
		if c.Name == "linearizable" {
			return c.Check(s.History())
		}
	}
	panic("no such checker")
}

// A claim whose reply was lost may have been granted, or not; both explain what comes after.
func TestIndeterminateClaims(t *testing.T) {
	granted := dedup(func(s *checkertest.Story) {
		s.Dedup("claim", "order-1", "charge", "a") // never came back
		s.Dedup("claim", "order-1", "charge", "b").Gives("pending")
		s.Dedup("claim", "order-1", "charge", "a").Gives("mine")
	})
	require.Empty(t, granted.Findings)
	never := dedup(func(s *checkertest.Story) {
		s.Dedup("claim", "order-1", "charge", "a").Ends(history.Indeterminate)
		s.Dedup("claim", "order-1", "charge", "b").Gives("granted")
		s.Dedup("release", "order-1", "charge", "b").Gives("ok")
		s.Dedup("claim", "order-1", "charge", "b").Gives("pending") // so a's claim took place only now
	})
	require.Empty(t, never.Findings)
	failed := dedup(func(s *checkertest.Story) {
		s.Dedup("claim", "order-1", "charge", "a").Ends(history.Failed)
		s.Dedup("claim", "order-1", "charge", "b").Gives("pending") // by whom?
	})
	require.Len(t, failed.Findings, 1)
}

// The evidence ends where the first wrong answer is, whatever comes later.
func TestShortestPrefix(t *testing.T) {
	r := dedup(func(s *checkertest.Story) {
		s.Dedup("claim", "order-1", "charge", "a").Gives("granted")
		s.Dedup("claim", "order-1", "charge", "b").Gives("granted")
		for range 20 {
			s.Dedup("claim", "order-1", "charge", "c").Gives("pending")
		}
	})
	require.Equal(t, []int64{1, 2, 3, 4}, r.Findings[0].Evidence)
	require.Equal(t, `dedup/order-1/charge: no order of the operations explains that claim by "b" gave granted: the only state that it may have met is pending of "a"`, r.Findings[0].Detail)
}

// A search that would take for ever ends after a number of steps, not after a time: undecided, the same everywhere.
func TestStepBudget(t *testing.T) {
	r := dedup(func(s *checkertest.Story) {
		for i := range 14 {
			s.Dedup("claim", "order-1", "charge", fmt.Sprint("lost-", i))
			s.Dedup("release", "order-1", "charge", fmt.Sprint("lost-", i))
		}
		s.Dedup("claim", "order-1", "charge", "a").Gives("mine")
	})
	require.Empty(t, r.Findings)
	require.EqualValues(t, 1, r.Undecided[history.PropLinearizable])
}

// A guarantee is nobody's promise: it weighs when it is violated, whatever the plan and the contract, and only then.
func TestAGuaranteeKnowsNoEnvelope(t *testing.T) {
	quiet := history.Row{Fault: "pause", FaultsHit: 1, Exercised: map[string]int64{}, Violations: map[string]int64{}}
	for _, p := range checker.Guaranteed() {
		broken := quiet
		broken.Outside, broken.Violations = true, map[string]int64{string(p): 2}
		v := checker.Judge([]history.Row{quiet, broken}, history.Contract{})
		require.Equal(t, checker.Fail, v.Verdict)
		require.Equal(t, []checker.PropertyVerdict{{Property: p, Verdict: checker.Fail, Violations: 2}}, v.Properties)
		require.Equal(t, "broken", checker.CellContract([]history.Row{quiet, broken}, history.Contract{}))
	}
	v := checker.Judge([]history.Row{quiet}, history.Contract{})
	require.Equal(t, checker.Pass, v.Verdict)
	require.Empty(t, v.Properties)
}

// Who promises that no zombie acts is judged by it.
func TestZombiesArePromised(t *testing.T) {
	row := history.Row{Violations: map[string]int64{string(history.PropZombie): 1}}
	require.Equal(t, checker.Pass, checker.Judge([]history.Row{row}, history.Contract{}).Verdict)
	require.Equal(t, checker.Fail, checker.Judge([]history.Row{row}, history.Contract{Zombies: history.Never}).Verdict)
}
