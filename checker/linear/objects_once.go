package linear

import "strconv"

// dedupState is a record of a dedup store: the zero value is absent.
type dedupState struct {
	phase string // "", dedupPending or dedupDone
	owner string // token
}

const (
	dedupPending = "pending"
	dedupDone    = "done"
)

func (s dedupState) String() string {
	if s.phase == "" {
		return "absent"
	}
	return s.phase + " of " + strconv.Quote(s.owner)
}

// DedupObject is one record of a dedup store, absent at first (t is the caller's token):
//
//	              claim t              done t             release t
//	absent        granted → pending t  not-owner          not-owner
//	pending t     mine                 ok → done t        ok → absent
//	pending u     pending              not-owner          not-owner
//	done t        done                 ok                 not-owner
//	done u        done                 not-owner          not-owner
//
// An unknown call did what the table says, or nothing.
func DedupObject() Object {
	answers := []string{"ok", "not-owner"}
	return typed(Object{
		Name: "dedup",
		Doc:  "a claim that only its owner can finish or give back",
		Functions: []Function{
			{Name: "claim", Doc: "claims it", By: true, Results: []string{"granted", "mine", "pending", "done"}},
			{Name: "done", Doc: "finishes it", By: true, Results: answers},
			{Name: "release", Doc: "gives it back", By: true, Results: answers},
		},
		After: func(c *Action) (State, bool) {
			switch c.F {
			case "claim":
				return dedupState{dedupPending, c.By}, c.Result == "granted" || c.Result == "mine"
			case "done":
				return dedupState{dedupDone, c.By}, c.Result == "ok"
			}
			return dedupState{}, c.Result == "ok"
		},
	}, dedupState{}, func(s dedupState, c *Action, known bool) (dedupState, bool) {
		after, result := s.step(c)
		return after, !known || c.Result == result
	}, dedupState.String)
}

// step is the table above.
func (s dedupState) step(c *Action) (after dedupState, result string) {
	owned := s.owner == c.By
	switch {
	case c.F == "claim" && s.phase == "":
		return dedupState{dedupPending, c.By}, "granted"
	case c.F == "claim" && s.phase == dedupDone:
		return s, "done"
	case c.F == "claim" && owned:
		return s, "mine"
	case c.F == "claim":
		return s, "pending"
	case c.F == "done" && s.phase != "" && owned:
		return dedupState{dedupDone, c.By}, "ok"
	case c.F == "release" && s.phase == dedupPending && owned:
		return dedupState{}, "ok"
	}
	return s, "not-owner"
}

// keyState is an idempotency key. The result of a request whose answer nobody saw is not known until somebody asks.
type keyState struct {
	stored, seen    bool
	payload, result Value
}

func (s keyState) String() string {
	switch {
	case !s.stored:
		return "absent"
	case !s.seen:
		return "stored for " + s.payload.String() + ", result not seen yet"
	}
	return "stored for " + s.payload.String() + " with result " + s.result.String()
}

// IdempotencyObject is one idempotency key, absent at first:
//
//	request p → result r       it was absent, and is stored for p with r; or it was stored for p with r
//	request p → mismatch       it was stored for another payload
//	request p → in-progress    it was not stored yet
//
// A request takes effect where it is stored; that another one of its key is under way is no state of its own, so of
// in-progress only this is judged: whoever was told the result before was not told it for nothing. A request that was
// refused without being stored is no call. An unknown request was stored with some result, if the key was absent, or
// nothing happened.
func IdempotencyObject() Object {
	return typed(Object{
		Name: "idempotency",
		Doc:  "the first result of a key is its result for ever",
		Functions: []Function{
			{Name: "request", Doc: "asks with a payload, and gives the result", Args: 1, Results: []string{"result", "mismatch", "in-progress"}, Gives: true},
		},
		After: func(c *Action) (State, bool) {
			return keyState{stored: true, seen: true, payload: c.Arg, result: c.Out}, c.Result == "result"
		},
	}, keyState{}, stepKey, keyState.String)
}

func stepKey(s keyState, c *Action, known bool) (keyState, bool) {
	first := keyState{stored: true, seen: known, payload: c.Arg, result: c.Out}
	switch {
	case !known && s.stored:
		return s, true
	case !known:
		first.result = Value{}
		return first, true
	case c.Result == "mismatch":
		return s, s.stored && s.payload != c.Arg
	case c.Result == "in-progress":
		return s, !s.stored
	case !s.stored:
		return first, true
	}
	return first, s.payload == c.Arg && (!s.seen || s.result == c.Out)
}
