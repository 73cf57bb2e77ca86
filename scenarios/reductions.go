package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Reductions say what of the scenario is kept; a nil list keeps everything, and so do nil reductions. What is kept
// of events may be any of them: draws are keyed, so the rest meets what it met before. Nodes and partitions are
// numbered, and the first ones are kept; keys then spread over fewer partitions.
type Reductions struct {
	KeepEvents     []string `json:"keep_events,omitempty"`     // order-117
	KeepNodes      []string `json:"keep_nodes,omitempty"`      // consumer-1, consumer-2, … : members of every group
	KeepPartitions []string `json:"keep_partitions,omitempty"` // orders/0, orders/1, … ; a topic without entries keeps all
}

// members is the number of members of a group that has all without reductions.
func (r *Reductions) members(all int) int {
	if r == nil || r.KeepNodes == nil {
		return all
	}
	return len(r.KeepNodes)
}

// partitions is the number of partitions of a topic that has all without reductions.
func (r *Reductions) partitions(topic string, all int) int {
	if r == nil {
		return all
	}
	kept := 0
	for _, p := range r.KeepPartitions {
		if strings.HasPrefix(p, topic+"/") {
			kept++
		}
	}
	if kept == 0 {
		return all
	}
	return kept
}

// events says which events are kept; nil = every one.
func (r *Reductions) events() func(event string) bool {
	if r == nil || r.KeepEvents == nil {
		return nil
	}
	kept := map[string]bool{}
	for _, e := range r.KeepEvents {
		kept[e] = true
	}
	return func(event string) bool { return kept[event] }
}

// check reports what is not of the scenario, nil if that is missing.
func (r *Reductions) check(k *crossChecks, sc *Scenario) {
	const at = "intent.reductions."
	before := len(k.issues)
	k.lines(at+"keep_events", r.KeepEvents, maxCaseList)
	k.lines(at+"keep_nodes", r.KeepNodes, maxCaseList)
	k.lines(at+"keep_partitions", r.KeepPartitions, maxCaseList)
	if sc == nil || len(k.issues) > before {
		return
	}
	seen := map[string]bool{}
	for i, e := range r.KeepEvents {
		if seen[e] {
			k.add(fmt.Sprintf("%skeep_events[%d]", at, i), "%s is there already", e)
		}
		seen[e] = true
		if n, ok := strings.CutPrefix(e, sc.Event+"-"); !ok || !isNumber(n, 1) {
			k.add(fmt.Sprintf("%skeep_events[%d]", at, i), "want an event of the workload such as %s-1, not %s", sc.Event, quoteShort(e))
		}
	}
	k.firstOf(at+"keep_nodes", r.KeepNodes, numbered("consumer-", 1, sc.Consumers.Members))
	r.checkPartitions(k, sc)
}

func (r *Reductions) checkPartitions(k *crossChecks, sc *Scenario) {
	const at = "intent.reductions.keep_partitions"
	of := map[string][]string{}
	for i, p := range r.KeepPartitions {
		topic, _, _ := strings.Cut(p, "/")
		if _, known := sc.Broker.Topics[topic]; !known {
			k.unknown(fmt.Sprintf("%s[%d]", at, i), "topic", topic, SortedKeys(sc.Broker.Topics))
			continue
		}
		of[topic] = append(of[topic], p)
	}
	for _, topic := range SortedKeys(of) {
		k.firstOf(at, of[topic], numbered(topic+"/", 0, sc.Broker.Topics[topic].Partitions))
	}
}

// firstOf reports a list that is not a beginning of another.
func (c *crossChecks) firstOf(path string, list, whole []string) {
	for i, name := range list {
		switch {
		case i >= len(whole):
			c.add(path, "%d entries, but the scenario has %d", len(list), len(whole))
			return
		case name != whole[i]:
			c.add(path, "the first ones are kept: want %s, not %s", whole[i], quoteShort(name))
			return
		}
	}
}

// numbered is n names that count from first. A scenario that was not checked yet may have any number of anything.
func numbered(prefix string, first, n int) []string {
	out := make([]string, min(max(n, 0), maxCaseList))
	for i := range out {
		out[i] = prefix + strconv.Itoa(first+i)
	}
	return out
}

// isNumber says whether s is a decimal number of at least low in its shortest form.
func isNumber(s string, low int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= low && strconv.Itoa(n) == s
}

func (o *Origin) check(k *crossChecks) {
	if len(o.Case) != 12 || strings.Trim(o.Case, "0123456789abcdef") != "" {
		k.add("witness.shrunk.case", "want 12 hexadecimal digits, not %s", quoteShort(o.Case))
	}
	if o.Faults < 0 || o.Events < 0 {
		k.add("witness.shrunk", "%d faults and %d events; at least 0", o.Faults, o.Events)
	}
}

// reductionsOf is nil if everything is kept.
func reductionsOf(events []string, members, partitions int, sc *Scenario) *Reductions {
	r := &Reductions{KeepEvents: slices.Clone(events)}
	topic := sc.Workload.Topic
	if members < sc.Consumers.Members {
		r.KeepNodes = numbered("consumer-", 1, members)
	}
	if partitions < sc.Broker.Topics[topic].Partitions {
		r.KeepPartitions = numbered(topic+"/", 0, partitions)
	}
	if r.KeepEvents == nil && r.KeepNodes == nil && r.KeepPartitions == nil {
		return nil
	}
	return r
}
