package twiceless

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// Option changes what a test does.
type Option interface{ set(*settings) }

type option func(*settings)

func (o option) set(s *settings) { o(s) }

// Budget is an Option: how much is done. It counts runs and events and never seconds, so that the same commit gives the
// same verdict on every machine.
type Budget struct {
	Plans  int // fault plans, one run each; 0 = 100, and never more than 20 under -short
	Events int // events that a run offers, about, by a shorter phase of events and faults; 0 = 40
}

func (b Budget) set(s *settings) {
	s.budget = b
	if b.Plans < 0 || b.Plans > maxPlans {
		s.problem("Budget.Plans %d: from 1 to %d; 0 = %d", b.Plans, maxPlans, defaultPlans)
	}
	if b.Events < 0 {
		s.problem("Budget.Events %d: at least 1; 0 = %d", b.Events, defaultEvents)
	}
}

// Scenario has the test run in a scenario that is given by value; the name that the test gives must be empty.
func Scenario(sc *scenarios.Scenario) Option {
	return option(func(s *settings) {
		if s.scenario = sc; sc == nil {
			s.problem("Scenario(nil): want a scenario")
		}
	})
}

// Stack chooses the stack of the scenario whose engine and layers surround the code. By default it is at-least-once, and
// in a scenario without one its first.
func Stack(name string) Option { return option(func(s *settings) { s.stack = name }) }

// Kept is one thing that code promises.
type Kept string

// What code can promise.
const (
	NoLoss            Kept = "loss"                  // every event has its effects in the end
	NoDuplicates      Kept = "duplicates (critical)" // no critical effect comes twice
	NoDuplicateState  Kept = "duplicates (state)"
	NoDuplicateNotify Kept = "duplicates (notify)"
	OrderPerKey       Kept = "order"   // effects of one key come in the order of the log
	NoZombies         Kept = "zombies" // who was replaced does not act after its successor
)

// Promise says what is to hold, in place of NoLoss and NoDuplicates. It takes the place of what the stack promises in the
// scenario, too, but inside the same envelope: a fault beyond that excuses the code as well.
func Promise(kept ...Kept) Option {
	return option(func(s *settings) {
		s.promise = kept
		if len(kept) == 0 {
			s.problem("Promise(): at least one thing must be promised")
		}
		for _, k := range kept {
			if !promises(&history.Contract{}, k) {
				s.problem("Promise(%q): nothing that can be promised", k)
			}
		}
	})
}

// promises adds to a contract; false = it is nothing that can be promised.
func promises(c *history.Contract, k Kept) bool {
	switch k {
	case NoLoss:
		c.Loss = history.Never
	case OrderPerKey:
		c.Order = "per-key"
	case NoZombies:
		c.Zombies = history.Never
	case NoDuplicates, NoDuplicateState, NoDuplicateNotify:
		if c.Duplicates == nil {
			c.Duplicates = map[string]history.Promise{}
		}
		_, class, _ := strings.Cut(strings.TrimSuffix(string(k), ")"), "(")
		c.Duplicates[class] = history.Never
	default:
		return false
	}
	return true
}

// Faults chooses the kinds of faults that plans are made of, by the names that simulate list faults shows. By default they
// are all that can happen.
func Faults(kinds ...string) Option {
	return option(func(s *settings) {
		s.faults = kinds
		if len(kinds) == 0 {
			s.problem("Faults(): at least one kind")
		}
		for _, k := range kinds {
			if kind, ok := history.FaultKindByName(k); !ok || kind.Verb == "" {
				s.problem("Faults(%q): no such kind of fault; simulate list faults shows them", k)
			}
		}
	})
}

// Patience is how long a run may take on the clock on the wall before the code in it is said to hang; 10 s by default.
func Patience(d time.Duration) Option {
	return option(func(s *settings) {
		if s.patience = d; d <= 0 {
			s.problem("Patience(%v): want more than nothing", d)
		}
	})
}

// Cover demands that a process dies at that share, in percent, of the places where the code was seen to wait; the test
// fails if fewer are killed.
func Cover(percent int) Option {
	return option(func(s *settings) {
		if s.cover = percent; percent < 1 || percent > 100 {
			s.problem("Cover(%d): from 1 to 100 percent", percent)
		}
	})
}

// Sizes of a test.
const (
	defaultPlans  = 100
	shortPlans    = 20
	maxPlans      = 1_000_000 - 1 // so that the numbers of two dates never meet
	defaultEvents = 40
)

// The variables of the environment that a test looks at.
const (
	searchVariable = "TWICELESS_SEARCH" // a date, 20261121: plans of that date's own in place of the fixed ones
	plansVariable  = "TWICELESS_PLANS"  // how many of these
	caseVariable   = "TWICELESS_CASE"   // file of a case: only that is done
)

// settings are what the options and the environment say.
type settings struct {
	scenario *scenarios.Scenario // by value; nil = it was named
	stack    string
	promise  []Kept
	budget   Budget
	faults   []string // nil = all
	cover    int      // percent; 0 = no demand
	accepted []scenarios.Acceptance
	expected *expectation // nil = nothing
	patience time.Duration
	brought  brought

	searched string // date; "" = the fixed set
	first    uint64 // seed of the first plan
	only     string // the one case that is done; "" = all
	problems []string
}

func (s *settings) problem(format string, args ...any) {
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

// settingsOf reads options and environment.
func settingsOf(options []Option) *settings {
	s := &settings{promise: []Kept{NoLoss, NoDuplicates}, patience: 10 * time.Second, first: 1}
	for _, o := range options {
		o.set(s)
	}
	s.budget.Events = cmp.Or(s.budget.Events, defaultEvents)
	s.budget.Plans = cmp.Or(s.budget.Plans, defaultPlans)
	if testing.Short() && s.expected == nil { // what is known to be there must be met
		s.budget.Plans = min(s.budget.Plans, shortPlans)
	}
	s.environment()
	return s
}

// environment reads the variables.
func (s *settings) environment() {
	s.only = os.Getenv(caseVariable)
	plans := os.Getenv(plansVariable)
	s.searched = os.Getenv(searchVariable)
	if s.searched == "" {
		if plans != "" {
			s.problem("%s=%s without %s: the fixed plans are as many as the test says (Budget)", plansVariable, plans, searchVariable)
		}
		return
	}
	if day, err := time.Parse("20060102", s.searched); err != nil || day.Year() < 2000 {
		s.problem("%s=%s: want a date such as 20261121, so that the search can be repeated", searchVariable, s.searched)
		return
	}
	date, _ := strconv.ParseUint(s.searched, 10, 64) // eight digits
	s.first = date*(maxPlans+1) + 1
	if plans == "" {
		return
	}
	n, err := strconv.Atoi(plans)
	if err != nil || n < 1 || n > maxPlans {
		s.problem("%s=%s: want a number from 1 to %d", plansVariable, plans, maxPlans)
		return
	}
	s.budget.Plans = n
}

// load is the scenario of the test, with its one stack and its promise.
func (s *settings) load(name string) *scenarios.Scenario {
	var sc *scenarios.Scenario
	switch {
	case s.scenario != nil && name != "":
		s.problem("scenario %q is named and another one is given by value", name)
	case s.scenario != nil:
		sc = s.scenario
	case name == "" || name == "-":
		s.problem("no scenario: want a name of the library (%s), a file, or the option Scenario", strings.Join(scenarios.LibraryNames(), ", "))
	default:
		loaded, err := scenarios.Load(name)
		if err != nil {
			s.problem("%v", err)
		}
		sc = loaded
	}
	if sc == nil {
		return nil
	}
	return s.fit(sc)
}

// fit reduces a scenario to what the test is about: one stack, the promise, about as many events as the budget says.
func (s *settings) fit(sc *scenarios.Scenario) *scenarios.Scenario {
	at := slices.IndexFunc(sc.Stacks, func(st scenarios.Stack) bool { return st.Name == cmp.Or(s.stack, "at-least-once") })
	switch {
	case len(sc.Stacks) == 0:
		s.problem("scenario %s has no stacks", sc.Name)
		return nil
	case at < 0 && s.stack != "":
		s.problem("scenario %s has no stack %q", sc.Name, s.stack)
		return nil
	case at < 0:
		at = 0
	}
	sc = s.brought.into(s, sc)
	out := *sc
	st := sc.Stacks[at]
	st.Contract = history.Contract{Envelope: st.Contract.Envelope}
	for _, k := range s.promise {
		promises(&st.Contract, k)
	}
	out.Stacks = []scenarios.Stack{st}
	out.Expect = nil // its acceptances are the test's
	out.Phases.Chaos = min(sc.Phases.Chaos, max(time.Second.Nanoseconds(), int64(s.budget.Events)*sc.Workload.Interval))
	s.stack = st.Name
	s.accepted = append(s.accepted, sc.Accepted()...)
	return &out
}
