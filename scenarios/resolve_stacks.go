package scenarios

import (
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

func (c *crossChecks) stacks() {
	if len(c.s.Stacks) == 0 {
		c.add("stacks", "no stack; at least one")
	}
	for i, st := range c.s.Stacks {
		path := fmt.Sprintf("stacks[%d]", i)
		if st.Acks == 0 && st.Retries {
			c.add(path+".retries", "with acks: 0 the producer hears no answer, so it never knows what to try again; set acks: 1")
		}
		var kinds []string
		for j, l := range st.Layers {
			kinds = append(kinds, l.Kind)
			c.layer(fmt.Sprintf("%s.layers[%d]", path, j), st, l)
		}
		c.twice(kinds, path+".layers[%d]", "a layer")
	}
	c.twice(namesOfStacks(c.s), "stacks[%d].name", "a stack")
}

// layer checks the needs of one layer.
func (c *crossChecks) layer(path string, st Stack, l Layer) {
	path = joinPath(path, l.Kind)
	before := st.Engine == "commit-before"
	has := func(kind string) bool {
		return slices.ContainsFunc(st.Layers, func(o Layer) bool { return o.Kind == kind })
	}
	switch l.Kind {
	case "retry":
		if before {
			c.add(path, "commit-before moves the position on before the handler runs, so an event in work is gone with its consumer and nothing is left to try again; use engine: commit-after")
		}
		if l.Backoff == "none" && (l.From != 0 || l.To != 0) {
			c.add(path+".backoff", "none has no delays; leave out from and to, or use exponential")
		}
		if l.Backoff != "none" && l.To < l.From {
			c.add(path+".to", "%s is shorter than from, %s", rng.FormatDuration(l.To), rng.FormatDuration(l.From))
		}
	case "dead-letter":
		switch {
		case before:
			c.add(path, "commit-before never sees an event twice, so none is given up after several tries; use engine: commit-after and a retry layer")
		case !has("retry"):
			c.add(path, "parks events that were tried in vain, but nothing tries again; add a layer { retry: {} }")
		}
		if i, j := position(st, "retry"), position(st, "dead-letter"); i >= 0 && i < j {
			c.add(path, "stands inside retry, so it would park at the first failure: the first layer of the list is the outermost; put dead-letter before retry")
		}
		if l.Topic == c.s.Workload.Topic {
			c.add(path+".topic", "%s is the topic of the workload: parked events would come back at once; want another, such as %s.dlq", l.Topic, l.Topic)
		}
	case "idempotency-key":
		c.keys(path, l)
	case "dedup-store":
		if before {
			c.add(path, "commit-before never sees an event twice, so there is no repetition to suppress; use engine: commit-after")
		}
	}
}

// keys checks an idempotency-key layer against the services that critical effects call.
func (c *crossChecks) keys(path string, l Layer) {
	if len(l.KeyFrom) == 0 {
		c.add(path+".from", "empty; want [event, stage]")
	}
	for i, part := range l.KeyFrom {
		if slices.Index(l.KeyFrom, part) < i {
			c.add(fmt.Sprintf("%s.from[%d]", path, i), "%s is there already", part)
		}
	}
	var could, offered []string
	for _, st := range c.s.Flow {
		d := c.s.Downstreams[st.Service]
		switch {
		case st.Class != history.Critical || !takesKeys(d.Kind):
		case d.IdempotencyKeys != "offered":
			could = append(could, st.Service)
		default:
			offered = append(offered, st.Service)
			if d.KeepKeys != 0 && (l.Keep == 0 || l.Keep > d.KeepKeys) {
				c.add(path+".keep", "longer than %s keeps keys, %s", st.Service, rng.FormatDuration(d.KeepKeys))
			}
		}
	}
	const store = "use the layer { dedup-store: { variant: durable } }"
	switch {
	case len(could) > 0:
		c.add(path, "%s takes no key; set downstreams.%s.idempotency_keys: offered, or %s", could[0], could[0], store)
	case len(offered) == 0:
		c.add(path, "no service that a critical effect calls can take a key; %s", store)
	}
}

// position of a layer in its stack's list; -1 = not there.
func position(st Stack, kind string) int {
	return slices.IndexFunc(st.Layers, func(l Layer) bool { return l.Kind == kind })
}
