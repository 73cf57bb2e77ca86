package faults

import (
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/sim/rng"
)

// String is the canonical text of the fault: what Parse reads back to the same value. It prints every field that
// is set, also one that the verb does not take.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.Trigger.String())
	b.WriteByte(' ')
	b.WriteString(f.Verb)
	b.WriteByte(' ')
	b.WriteString(strings.Join(f.Targets, ","))
	if len(f.From) > 0 {
		b.WriteString(" from " + strings.Join(f.From, ","))
	}
	if f.By != 0 {
		b.WriteString(" by " + f.size())
	}
	if f.Grace != 0 {
		b.WriteString(" grace " + rng.FormatDuration(f.Grace))
	}
	if f.Pause != 0 {
		b.WriteString(" pause " + rng.FormatDuration(f.Pause))
	}
	if f.For != 0 {
		b.WriteString(" for " + rng.FormatDuration(f.For))
	}
	if f.UntilHeal {
		b.WriteString(" until heal")
	}
	return b.String()
}

// size is the text of By: a percentage of a verb about loss, a duration of any other.
func (f Fault) size() string {
	if v, _ := verbByName(f.Verb); v.by != byLoss || f.By < 0 {
		return rng.FormatDuration(f.By)
	}
	whole, part := f.By/(percentage/100), strconv.FormatInt(percentage/100+f.By%(percentage/100), 10)[1:]
	if part = strings.TrimRight(part, "0"); part != "" {
		part = "." + part
	}
	return strconv.FormatInt(whole, 10) + part + "%"
}

// String is the canonical text of the fault.
func (t Timed) String() string { return t.Fault().String() }

// String is the trigger as it begins a line: "at 12.5s", "after drain 26h", "when payments.charge/applied{event=order-117} #1".
func (t Trigger) String() string {
	if t.Drained {
		return "after drain " + rng.FormatDuration(t.At)
	}
	if t.Timed() {
		return "at " + rng.FormatDuration(t.At)
	}
	var keys []string
	if t.Event != "" {
		keys = append(keys, "event="+t.Event)
	}
	if t.Stage != "" {
		keys = append(keys, "stage="+t.Stage)
	}
	if t.Role != "" {
		keys = append(keys, "role="+t.Role)
	}
	return "when " + t.Hook + "{" + strings.Join(keys, ",") + "} #" + strconv.Itoa(t.Nth)
}
