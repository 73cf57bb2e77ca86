package faults

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// Exposure is a profile of how often faults happen to a running system: what turns damage per fault into a rate. It is
// an assumption from end to end, so every line carries its reason. How long a fault lasts is not part of it: that is
// fixed by the fault kind, whose damage was measured with it.
type Exposure struct {
	Name  string
	Why   string
	Lines []Frequency // one for each fault kind at most, in the order of the kinds
}

// Frequency is one line of a profile: Count faults of a kind every Per ns, at each party of the scope.
type Frequency struct {
	Kind   string // name of a fault kind, never none
	Rate   Rate
	Source string // where the figure comes from, one of Sources
	Why    string // the reason, in words
}

// Rate is an exact frequency. It is never a float: a profile that is printed is the profile that is read.
type Rate struct {
	Count int64 // 0 = never
	Per   int64 // ns: whole seconds
	Scope string
}

// Limits of a rate.
const (
	maxCount = 1_000_000
	day      = 86_400 * second
	maxPer   = 36_600 * day // about a hundred years
)

// scopeTable says what a frequency may be counted for, by the target of the fault kind.
var scopeTable = []struct{ target, name string }{
	{RoleConsumer, RoleConsumer},
	{"@broker", RoleBroker},
	{"@any", "node"},
	{"@effect", "service"},
}

// ScopeSystem is the scope of what happens once to the system as a whole. Every kind may be counted so.
const ScopeSystem = "system"

// ScopeOf is the scope that a kind's frequency has besides the system: that of the party it is drawn among. A kind
// that meets all of its targets at once has none.
func ScopeOf(k history.FaultKind) string {
	for _, s := range scopeTable {
		if s.target == k.Target {
			return s.name
		}
	}
	return ScopeSystem
}

// Sources lists where a figure may come from, best first.
func Sources() []string { return []string{"measured", "published", "documentation", "judgement"} }

// ParseRate reads "1 per 30d per consumer": a whole number from 0 to a million, a duration of whole seconds up to a
// hundred years, and a scope.
func ParseRate(s string) (Rate, error) {
	words := strings.Fields(s)
	if len(words) != 5 || words[1] != "per" || words[3] != "per" {
		return Rate{}, fmt.Errorf("want a frequency such as 1 per 30d per consumer, not %q", shortened(s))
	}
	count, err := strconv.ParseInt(words[0], 10, 64)
	if err != nil || strconv.FormatInt(count, 10) != words[0] || count < 0 || count > maxCount {
		return Rate{}, fmt.Errorf("want a whole number of faults from 0 to %d, not %q", maxCount, shortened(words[0]))
	}
	per, err := rng.ParseDuration(words[2])
	if err != nil {
		return Rate{}, err
	}
	if per < second || per > maxPer || per%second != 0 {
		return Rate{}, fmt.Errorf("%d per %s; want whole seconds, from 1s to %s", count, words[2], rng.FormatDuration(maxPer))
	}
	scopes := []string{ScopeSystem}
	for _, s := range scopeTable {
		scopes = append(scopes, s.name)
	}
	if !contains(scopes, words[4]) {
		return Rate{}, fmt.Errorf("unknown scope %q; %s", shortened(words[4]), nearest(words[4], scopes, "there are: "+strings.Join(scopes, ", ")))
	}
	return Rate{Count: count, Per: per, Scope: words[4]}, nil
}

// shortened keeps a text of an input from filling a message.
func shortened(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// String is the text that ParseRate reads.
func (r Rate) String() string {
	return fmt.Sprintf("%d per %s per %s", r.Count, rng.FormatDuration(r.Per), r.Scope)
}

// Fits says whether a kind can be counted for the scope: damage was measured on one of the kind's own parties.
func (r Rate) Fits(k history.FaultKind) error {
	switch own := ScopeOf(k); {
	case k.Verb == "":
		return fmt.Errorf("%s is the control: it has no frequency", k.Name)
	case r.Scope == own || r.Scope == ScopeSystem:
		return nil
	case own == ScopeSystem:
		return fmt.Errorf("%s happens to the system as a whole: count it per system", k.Name)
	default:
		return fmt.Errorf("%s happens to a %s: count it per %s or per system, not per %s", k.Name, own, own, r.Scope)
	}
}

// PerDay is the number of faults a day in a system with so many parties of the scope, as an exact fraction in seconds:
// num faults in den days. Both fit easily: at most 10^6 faults × 86,400 × 10^6 parties.
func (r Rate) PerDay(parties int64) (num, den int64) {
	return r.Count * parties * (day / second), r.Per / second
}

// Parties counts what a frequency with the scope is multiplied by.
func (sc Space) Parties(scope string) int64 {
	switch scope {
	case RoleConsumer:
		return int64(sc.Members)
	case RoleBroker:
		return int64(sc.Brokers)
	case "node":
		return int64(len(sc.AllNodes))
	case "service":
		return int64(len(sc.EffectServices))
	case ScopeSystem:
		return 1
	}
	panic("faults: unknown scope " + scope)
}
