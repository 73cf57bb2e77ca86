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
	var out []string
	switch word {
	case "@engine":
		for _, k := range stack.Engines() {
			out = append(out, k.Name)
		}
		return out
	case "@downstream":
		for _, k := range downstream.Kinds() {
			out = append(out, k.Name)
		}
		return out
	case "@store":
		for _, k := range store.Kinds() {
			if slices.Contains(k.Gives, model.StoreClaim) {
				out = append(out, k.Name)
			}
		}
		return out
	case "@fault":
		for _, k := range history.FaultKinds() {
			out = append(out, k.Name)
		}
		return out
	case "@broker":
		for _, k := range busKinds() {
			out = append(out, k.name)
		}
		return out
	case "@costs":
		for _, p := range cost.Profiles() {
			out = append(out, p.Name)
		}
		return out
	case "@queue":
		for _, k := range queue.Kinds() {
			out = append(out, k.Name)
		}
		return out
	case "@defect":
		for _, k := range model.DefectTable() {
			out = append(out, k.Name)
		}
		return out
	case "@planted":
		return namesOfBugs()
	case "@source":
		return faults.Sources()
	case "@dimension":
		for _, d := range history.Dimensions() {
			out = append(out, string(d.Name))
		}
		return out
	}
	return []string{word}
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
