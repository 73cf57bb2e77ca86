package linear

import (
	"fmt"
	"strconv"
)

// lockState is who holds a lock.
type lockState struct {
	holder string
	held   bool
}

func (s lockState) String() string {
	if s.held {
		return "held by " + strconv.Quote(s.holder)
	}
	return "free"
}

// LockObject is a lock, free at first:
//
//	acquire by p    it was free and is held by p
//	release by p    it was held by p and is free
//
// It cannot be acquired twice by one holder. An unknown acquire took it if it was free, an unknown release gave it up if
// it was the holder's; or neither happened.
func LockObject() Object {
	return typed(Object{
		Name: "lock",
		Doc:  "one holder at a time",
		Functions: []Function{
			{Name: "acquire", Doc: "takes it", By: true},
			{Name: "release", Doc: "gives it up", By: true},
		},
		After: func(c *Action) (State, bool) {
			if c.F == "acquire" {
				return lockState{c.By, true}, true
			}
			return lockState{}, true
		},
	}, lockState{}, func(s lockState, c *Action, known bool) (lockState, bool) {
		switch {
		case c.F == "acquire" && !s.held:
			return lockState{c.By, true}, true
		case c.F == "release" && s.held && s.holder == c.By:
			return lockState{}, true
		}
		return s, !known
	}, lockState.String)
}

// leaseState is the last grant of a lease; no grant has token 0.
type leaseState struct {
	holder            string
	token, generation int64
}

func (s leaseState) String() string {
	if s.token == 0 {
		return "never granted"
	}
	return fmt.Sprintf("token %d of %s, generation %d", s.token, strconv.Quote(s.holder), s.generation)
}

// LeaseObject is a lease with a fencing token, never granted at first. Its last grant has a token t, a holder and a
// generation g of those among whom it goes:
//
//	acquire by p in h → granted n    h ≥ g, n = t+1, and p is the holder in generation h
//	acquire by p in h → held         somebody else was granted it, and h ≥ g
//	acquire by p in h → lost         h < g
//	renew n → renewed                n = t: nobody was granted it since
//	renew n → lost                   n ≠ t, or it was never granted
//
// It says nothing about time: when somebody else's lease has run out is not among the calls, so an acquire may be granted
// or held at any time. What is left is what fencing rests on: tokens grow with the order of grants, by one each, and
// nobody renews what was granted to another since. An unknown acquire was granted, or nothing happened.
func LeaseObject() Object {
	return typed(Object{
		Name: "lease",
		Doc:  "a lease whose token grows with each grant",
		Functions: []Function{
			{Name: "acquire", Doc: "asks for it in a generation, and gives the token", Args: 1, Number: true, By: true, Results: []string{"granted", "held", "lost"}, Gives: true},
			{Name: "renew", Doc: "keeps it, by its token", Args: 1, Number: true, Results: []string{"renewed", "lost"}},
		},
		Reads: []string{"renew"},
		After: func(c *Action) (State, bool) {
			return leaseState{c.By, c.Out.num, c.Arg.num}, c.F == "acquire" && c.Result == "granted"
		},
	}, leaseState{}, stepLease, leaseState.String)
}

func stepLease(s leaseState, c *Action, known bool) (leaseState, bool) {
	if c.F == "renew" {
		current := s.token > 0 && c.Arg.num == s.token
		return s, !known || current == (c.Result == "renewed")
	}
	granted := leaseState{c.By, s.token + 1, c.Arg.num}
	switch {
	case c.Arg.num < s.generation:
		return s, !known || c.Result == "lost"
	case !known:
		return granted, true
	case c.Result == "held":
		return s, s.token > 0 && s.holder != c.By
	}
	return granted, c.Result == "granted" && c.Out == Number(granted.token)
}
