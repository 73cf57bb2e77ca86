package scenarios

import (
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// KindDoc is one row of a closed table of kinds.
type KindDoc struct{ Name, Doc string }

// EngineKinds is the closed table of engines.
func EngineKinds() []KindDoc {
	return []KindDoc{
		{"commit-after", "handles the event, then commits its position: what was in work comes again"},
		{"commit-before", "commits the position, then handles the event: what was in work is gone"},
	}
}

// LayerKinds is the closed table of layers.
func LayerKinds() []KindDoc {
	return []KindDoc{
		{"dead-letter", "parks an event that was given up where a person or a program finds it"},
		{"dedup-store", "remembers the stages that were done and suppresses their repetition"},
		{"idempotency-key", "sends a key with each call, by which a service that offers it recognises a repetition"},
		{"retry", "tries again after a growing delay, up to a budget"},
	}
}

// DownstreamKinds is the closed table of services that stages call.
func DownstreamKinds() []KindDoc {
	return []KindDoc{
		{"database", "a store of rows"},
		{"notification", "sends messages to people; takes no key and answers no query"},
		{"payments-api", "moves money"},
	}
}

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
	return []string{"broker", "client", "consumer", "group", "network", "operator", "producer"}
}

// namesOf expands the tags enum and keys: "a|b", or "@" and a table's name.
func namesOf(tag string) []string {
	var out []string
	switch tag {
	case "":
		return nil
	case "@engine":
		return kindNames(EngineKinds())
	case "@downstream":
		return kindNames(DownstreamKinds())
	case "@fault":
		for _, k := range history.FaultKinds() {
			out = append(out, k.Name)
		}
		return out
	case "@dimension":
		for _, d := range history.Dimensions() {
			out = append(out, string(d.Name))
		}
		return out
	}
	return strings.Split(tag, "|")
}

func kindNames(rows []KindDoc) []string {
	var out []string
	for _, r := range rows {
		out = append(out, r.Name)
	}
	return out
}

// laterField says of fields that designs mention, and that this version does not know yet, what they wait for.
func laterField(path string) string {
	const replicated = "arrives with the replicated broker; this version has one node"
	switch path {
	case "broker.nodes", "broker.topics.*.replication", "broker.topics.*.min_insync":
		return replicated
	case "operators":
		return "arrives with late replay; this version has no operators"
	case "exposure":
		return "not part of a scenario in this version: frequencies are a matter of the report"
	case "calibration":
		return "arrives with calibration; this version knows the priors only"
	}
	return ""
}
