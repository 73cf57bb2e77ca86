package checker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/checkertest"
	"github.com/twiceless/twiceless/sim/history"
)

// What cannot be read is undecided, and nothing is concluded from it: the rest is judged.
func TestTransactionsThatCannotBeRead(t *testing.T) {
	for name, tell := range map[string]func(*checkertest.Story){
		"no access":                  func(s *checkertest.Story) { s.Serializable("x5").Serializable("r5:z r0:u") },
		"a version that was made":    func(s *checkertest.Story) { s.Serializable("r1:x w0>1:x") },
		"a version made twice in it": func(s *checkertest.Story) { s.Serializable("w0>1:y w0>1:x") },
		"no level": func(s *checkertest.Story) {
			s.Record(history.Fact{Kind: history.KindTransacted, Resource: "ledger/rows", Op: "snapshot", Value: "r0:x w0>9:x"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := checkertest.NewWith()
			s.Serializable("w0>1:x").Serializable("r1:x r0:y")
			tell(s)
			v := checker.CheckAll(s.History())
			require.Equal(t, int64(1), v.Undecided[history.PropIsolation])
			require.Equal(t, int64(2), v.Exercised[history.PropIsolation])
			require.Empty(t, v.Findings)
		})
	}
}

// A finding says what happened in words, and names the facts.
func TestWordsOfIsolation(t *testing.T) {
	for accesses, want := range map[[2]string]string{
		{"r0:x w0>1:x", "r0:x w1>2:x"}: "ledger/rows: lost-update: transaction 1 and transaction 2 have read the same version of x, and both replaced it; also G-single",
		{"w0>1:x w0>1:y", "r1:x r0:y"}: "ledger/rows: G-single: transaction 1 has replaced the version of y that was read by transaction 2, transaction 2 has read the version of x of transaction 1",
		{"w0>1:x", "r5:x r0:y"}:        "ledger/rows: garbage-read: transaction 2 has read a version of x that no transaction has written",
	} {
		s := checkertest.NewWith()
		s.Serializable(accesses[0]).Serializable(accesses[1])
		v := checker.CheckAll(s.History())
		require.Len(t, v.Findings, 1)
		require.Equal(t, want, v.Findings[0].Detail)
		require.NotEmpty(t, v.Findings[0].Evidence)
	}
}
