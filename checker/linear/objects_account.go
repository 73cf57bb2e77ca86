package linear

import (
	"fmt"
	"math"
	"strconv"
)

// AccountObject is a bank account with an initial balance, which never falls below zero by a withdrawal:
//
//	deposit n              the balance is n more
//	withdraw n → ok        it was at least n and is n less
//	withdraw n → refused   it was less than n
//	balance → n            the balance
//
// An unknown deposit happened or did not; an unknown withdrawal happened if the balance sufficed, or did not.
func AccountObject(initial int64) Object {
	return typed(Object{
		Name: "account",
		Doc:  "a balance that a withdrawal never takes below zero",
		Functions: []Function{
			{Name: "deposit", Doc: "adds an amount", Args: 1, Number: true},
			{Name: "withdraw", Doc: "takes an amount, if it is there", Args: 1, Number: true, Results: []string{"ok", "refused"}},
			{Name: "balance", Doc: "gives the balance", Number: true, Gives: true},
		},
		Reads: []string{"balance"},
		After: func(c *Action) (State, bool) { return c.Out.num, c.F == "balance" },
	}, initial, stepAccount, func(s int64) string { return strconv.FormatInt(s, 10) })
}

func stepAccount(s int64, c *Action, known bool) (int64, bool) {
	n := c.Arg.num
	switch {
	case c.F == "balance":
		return s, !known || c.Out == Number(s)
	case n < 0 || c.F == "deposit" && s > math.MaxInt64-n: // no account takes these
		return s, !known
	case c.F == "deposit":
		return s + n, true
	case s < n:
		return s, !known || c.Result == "refused"
	}
	return s - n, !known || c.Result == "ok"
}

// offsetState is what a group has committed for a partition, and the latest generation that it was told of.
type offsetState struct{ generation, position int64 }

func (s offsetState) String() string {
	return fmt.Sprintf("position %d, generation %d", s.position, s.generation)
}

// OffsetsObject is the position of a consumer group in one partition, 0 in generation 0 at first:
//
//	generation g            the group entered g, which is later than the one before
//	commit g n → ok         g is not earlier than the group's generation; the position is n, the group is in g
//	commit g n → fenced     g is earlier
//	fetch → n               the position
//
// Positions may go back: the last commit counts. An unknown commit happened if it was not fenced, or did not.
func OffsetsObject() Object {
	return typed(Object{
		Name: "offsets",
		Doc:  "a group's position, moved by members of its latest generation only",
		Functions: []Function{
			{Name: "generation", Doc: "begins a generation", Args: 1, Number: true},
			{Name: "commit", Doc: "moves the position, in a generation", Args: 2, Number: true, Results: []string{"ok", "fenced"}},
			{Name: "fetch", Doc: "gives the position", Number: true, Gives: true},
		},
		Reads: []string{"fetch"},
		After: func(c *Action) (State, bool) {
			return offsetState{c.Arg.num, c.Arg2.num}, c.F == "commit" && c.Result == "ok"
		},
	}, offsetState{}, stepOffsets, offsetState.String)
}

func stepOffsets(s offsetState, c *Action, known bool) (offsetState, bool) {
	g := c.Arg.num
	switch {
	case c.F == "fetch":
		return s, !known || c.Out == Number(s.position)
	case c.F == "generation" && g > s.generation:
		return offsetState{g, s.position}, true
	case c.F == "generation":
		return s, !known
	case g < s.generation:
		return s, !known || c.Result == "fenced"
	}
	return offsetState{g, c.Arg2.num}, !known || c.Result == "ok"
}
