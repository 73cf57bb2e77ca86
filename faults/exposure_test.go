package faults

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/sim/history"
)

// A profile that is printed is the profile that is read: rates are integers, whatever they are divided into later.
func TestRatesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rate{
			Count: rapid.Int64Range(0, maxCount).Draw(t, "count"),
			Per:   rapid.Int64Range(1, maxPer/second).Draw(t, "per") * second,
			Scope: rapid.SampledFrom([]string{"consumer", "broker", "node", "service", "system"}).Draw(t, "scope"),
		}
		back, err := ParseRate(r.String())
		require.NoError(t, err)
		require.Equal(t, r, back)
	})
}

func TestRatesRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "want a frequency such as 1 per 30d per consumer",
		"1 per 30d":                     "want a frequency such as",
		"1/30d/consumer":                "want a frequency such as",
		"01 per 30d per consumer":       "want a whole number of faults",
		"-1 per 30d per consumer":       "want a whole number of faults",
		"1.5 per 30d per consumer":      "want a whole number of faults",
		"1000001 per 30d per consumer":  "from 0 to 1000000",
		"1 per month per consumer":      "duration",
		"1 per 0s per consumer":         "want whole seconds",
		"1 per -1d per consumer":        "want whole seconds",
		"1 per 1500ms per consumer":     "want whole seconds",
		"1 per 36601d per consumer":     "want whole seconds",
		"1 per 30d per consumers":       "did you mean consumer?",
		"1 per 30d per datacenter":      "there are: system, consumer, broker, node, service",
		"1 per 30d per consumer please": "want a frequency such as",
	} {
		_, err := ParseRate(text)
		require.ErrorContains(t, err, want, text)
	}
}

// Twelve faults a day among three consumers: 4 per day each.
func TestFaultsADay(t *testing.T) {
	sc := Space{Members: 3, Brokers: 1, EffectServices: []string{"a", "b"}, AllNodes: []string{"a-1", "b-1", "broker-1", "consumer-1"}}
	for text, want := range map[string][2]int64{
		"4 per 1d per consumer":   {12, 1},
		"1 per 30d per consumer":  {1, 10},
		"1 per 1h per broker":     {24, 1},
		"3 per 1d per service":    {6, 1},
		"1 per 365d per node":     {4, 365},
		"1 per 36h per system":    {2, 3},
		"0 per 1d per consumer":   {0, 1},
		"1000000 per 1s per node": {4_000_000 * 86_400, 1},
	} {
		r, err := ParseRate(text)
		require.NoError(t, err)
		num, den := r.PerDay(sc.Parties(r.Scope))
		require.Equal(t, want[0]*den, num*want[1], text)
	}
}

// Damage is measured on a party of the kind, so a kind is counted for these parties or for the system, and for
// nothing else: ten brokers say nothing about how often a consumer dies. Whatever kind is added has a scope.
func TestScopesFitTheirKinds(t *testing.T) {
	for _, k := range history.FaultKinds() {
		own := ScopeOf(k)
		for _, scope := range []string{"consumer", "broker", "node", "service", "system"} {
			err := Rate{1, day, scope}.Fits(k)
			require.Equal(t, k.Verb != "" && (scope == own || scope == ScopeSystem), err == nil, "%s per %s: %v", k.Name, scope, err)
		}
		require.NotPanics(t, func() { Space{}.Parties(own) })
	}
	kill, _ := history.FaultKindByName("consumer-kill")
	require.Equal(t, "consumer", ScopeOf(kill))
	require.EqualError(t, Rate{1, day, "broker"}.Fits(kill), "consumer-kill happens to a consumer: count it per consumer or per system, not per broker")
}
