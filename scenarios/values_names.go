package scenarios

import (
	"slices"
	"strings"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/cost"
	"github.com/twiceless/twiceless/model/downstream"
	"github.com/twiceless/twiceless/model/queue"
	"github.com/twiceless/twiceless/model/queue/service"
	"github.com/twiceless/twiceless/model/stack"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim/history"
)

// defaultLatency is the prior of a kind of downstream.
func defaultLatency(kind string) string {
	switch kind {
	case "payments-api":
		return "lognormal(p50 80ms, p99 400ms)"
	case "notification":
		return "lognormal(p50 90ms, p99 300ms)"
	}
	return "lognormal(p50 4ms, p99 25ms)"
}

// reservedNames are roles of a world; no downstream may have one as its name.
func reservedNames() []string {
	return []string{"broker", "client", "consumer", "controller", store.Service, "group", "lease", "network", "operator", store.OutboxService, "producer", service.Letters, store.SentinelService, "stages"}
}

// namesOf expands the tags enum and keys: words such as "a|b", of which one with "@" stands for the names of a table.
func namesOf(tag string) []string {
	if tag == "" {
		return nil
	}
	var out []string
	for word := range strings.SplitSeq(tag, "|") {
		out = append(out, namesIn(word)...)
	}
	return out
}

// namesIn are the names of a table; a word that names none stands for itself.
func namesIn(word string) []string {
	switch word {
	case "@engine":
		return eachName(stack.Engines(), func(k stack.EngineKind) string { return k.Name })
	case "@downstream":
		return eachName(downstream.Kinds(), func(k downstream.Kind) string { return k.Name })
	case "@store":
		claims := slices.DeleteFunc(slices.Clone(store.Kinds()), func(k store.Kind) bool { return !slices.Contains(k.Gives, model.StoreClaim) })
		return eachName(claims, func(k store.Kind) string { return k.Name })
	case "@fault":
		return eachName(history.FaultKinds(), func(k history.FaultKind) string { return k.Name })
	case "@broker":
		return eachName(busKinds(), func(k busKind) string { return k.name })
	case "@costs":
		return eachName(cost.Profiles(), func(p cost.Profile) string { return p.Name })
	case "@queue":
		return eachName(queue.Kinds(), func(k queue.Kind) string { return k.Name })
	case "@defect":
		return eachName(model.DefectTable(), func(k model.DefectKind) string { return k.Name })
	case "@planted":
		return namesOfBugs()
	case "@source":
		return faults.Sources()
	case "@dimension":
		var out []string
		for _, d := range history.Dimensions() {
			out = append(out, string(d.Name))
		}
		return out
	}
	return []string{word}
}

func eachName[T any](table []T, name func(T) string) []string {
	out := make([]string, len(table))
	for i, row := range table {
		out[i] = name(row)
	}
	return out
}

// downstreamGives reports whether a kind of downstream can offer something.
func downstreamGives(kind string, what model.Capability) bool {
	k, _ := downstream.KindByName(kind)
	return slices.Contains(k.Gives, what)
}

// laterField says of fields that designs mention, and that this version does not know yet, what they wait for.
func laterField(path string) string {
	switch path {
	case "operators":
		return "arrives with late replay; this version has no operators"
	case "exposure":
		return "not part of a scenario: frequencies are a matter of the report; use compare --exposure"
	case "calibration":
		return "arrives with calibration; this version knows the priors only"
	}
	return ""
}
