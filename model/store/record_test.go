package store

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/sim"
)

// The table of the package's documentation, line by line.
func TestDecide(t *testing.T) {
	var none state
	held := func(by string) state { return state{pending, by} }
	kept := func(by string) state { return state{done, by} }
	for _, c := range []struct {
		before state
		op     string // by token t
		after  state
		result string
		why    string
	}{
		{none, OpClaim, held("t"), Granted, "nobody has it: the effect may be called"},
		{none, OpDone, none, NotOwner, "what was never claimed is not finished"},
		{none, OpRelease, none, NotOwner, "a repeated release finds nothing"},
		{held("t"), OpClaim, held("t"), Mine, "the reply to the first claim was lost"},
		{held("t"), OpDone, kept("t"), OK, "the effect took place"},
		{held("t"), OpRelease, none, OK, "the effect certainly did not take place"},
		{held("u"), OpClaim, held("u"), Pending, "somebody may have called the effect: undecided"},
		{held("u"), OpDone, held("u"), NotOwner, "only the holder knows"},
		{held("u"), OpRelease, held("u"), NotOwner, "only the holder knows"},
		{kept("t"), OpClaim, kept("t"), Done, "a repetition, to be suppressed"},
		{kept("t"), OpDone, kept("t"), OK, "the reply to the first was lost"},
		{kept("t"), OpRelease, kept("t"), NotOwner, "done is for ever"},
		{kept("u"), OpClaim, kept("u"), Done, "a repetition, to be suppressed"},
		{kept("u"), OpDone, kept("u"), NotOwner, "another try did it"},
		{kept("u"), OpRelease, kept("u"), NotOwner, "done is for ever"},
	} {
		after, result := decide(c.before, c.op, "t")
		require.Equal(t, c.after, after, "%v %s: %s", c.before, c.op, c.why)
		require.Equal(t, c.result, result, "%v %s: %s", c.before, c.op, c.why)
	}
}

// What is written is read back, and no proper prefix of it reads as a change: a torn tail is always recognised.
func TestChangeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		c := change{name{text.Draw(t, "event"), text.Draw(t, "stage")}, state{status(rapid.IntRange(0, 2).Draw(t, "is")), text.Draw(t, "token")}, sim.Time(rapid.Int64().Draw(t, "at")), rapid.Int64().Draw(t, "cause")}
		s := c.encode()
		got, ok := decode(s)
		require.True(t, ok)
		require.Equal(t, c, got)
		for i := range len(s) {
			_, ok := decode(s[:i])
			require.False(t, ok)
		}
	})
}
