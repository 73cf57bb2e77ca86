package faults

import (
	"errors"
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// Parse reads one fault. Its error is a *ParseError. The grammar is that of the package comment; words are
// separated by spaces, lists by commas without spaces, and the parts come in the order
// trigger, verb, targets, from, by, grace, pause, for or until heal. "#1" and "grace 5s" may be left out.
func Parse(line string) (Fault, error) {
	p := &parser{line: line}
	if len(line) > MaxLine {
		return Fault{}, &ParseError{Column: MaxLine + 1, Msg: fmt.Sprintf("the line has %d bytes, more than %d", len(line), MaxLine)}
	}
	p.split()
	f := p.fault()
	if p.err == nil && len(f.String()) > MaxLine { // "1d" becomes "24h": what is printed must be readable too
		p.fail(word{"", 0}, fmt.Sprintf("the canonical text has more than %d bytes", MaxLine), "")
	}
	if p.err != nil {
		return Fault{}, p.err
	}
	return f, nil
}

// ParseLines reads a plan, one fault a line. Its error is Problems: every line that is wrong, not only the first.
func ParseLines(lines []string) ([]Fault, error) {
	if len(lines) > MaxFaults {
		return nil, Problems{{Line: MaxFaults + 1, Column: 1, Msg: fmt.Sprintf("the plan has %d faults, more than %d", len(lines), MaxFaults)}}
	}
	var out []Fault
	var problems Problems
	for i, line := range lines {
		f, err := Parse(line)
		if err != nil {
			e := &ParseError{Column: 1, Msg: err.Error()}
			errors.As(err, &e)
			e.Line = i + 1
			problems = append(problems, e)
			continue
		}
		out = append(out, f)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return out, nil
}

// ParseMeasuring reads a measuring plan of that kind: a line with a hook is an error.
func ParseMeasuring(kind string, lines []string) (Measuring, error) {
	plan, err := ParseLines(lines)
	if err != nil {
		return Measuring{}, err
	}
	m := Measuring{Kind: kind}
	var problems Problems
	for i, f := range plan {
		if !f.Trigger.Timed() {
			problems = append(problems, &ParseError{Line: i + 1, Column: 1, Msg: "a measuring plan has times only, no hooks",
				Hint: "begin with \"at\" and a time, or run it as a hunting plan"})
			continue
		}
		m.Faults = append(m.Faults, Timed{At: f.Trigger.At, Drained: f.Trigger.Drained, Verb: f.Verb, Targets: f.Targets, From: f.From,
			By: f.By, Grace: f.Grace, Pause: f.Pause, For: f.For, UntilHeal: f.UntilHeal})
	}
	if len(problems) > 0 {
		return Measuring{}, problems
	}
	return m, nil
}

// ParseHunting reads a hunting plan.
func ParseHunting(lines []string) (Hunting, error) {
	plan, err := ParseLines(lines)
	return Hunting{Faults: plan}, err
}

// fault reads the whole line.
func (p *parser) fault() (f Fault) {
	f.Trigger = p.trigger()
	word, ok := p.next("a verb", "one of "+verbNames())
	if !ok {
		return f
	}
	v, known := verbByName(word.text)
	if !known {
		p.fail(word, fmt.Sprintf("unknown verb %q", word.text), nearest(word.text, verbList(), "one of "+verbNames()))
		return f
	}
	f.Verb = v.name
	p.fits(word, v, f.Trigger)
	f.Targets = p.targets(v, &f.Trigger)
	if v.from && p.keyword("from", v) {
		f.From = p.list(targetNodes, &f.Trigger)
	}
	if v.by != noBy && p.keyword("by", v) {
		f.By = p.size(v.by)
	}
	if v.rolls {
		f.Grace = p.option("grace", defaultGrace)
		f.Pause = p.option("pause", 0)
	}
	if v.lasts {
		f.For, f.UntilHeal = p.end(v)
	}
	if rest, more := p.peek(); more && p.err == nil {
		p.fail(rest, fmt.Sprintf("unexpected %q", rest.text), "the form is: "+v.usage())
	}
	return f
}

// size reads what follows "by".
func (p *parser) size(k byKind) int64 {
	switch k {
	case byDelay:
		return p.duration(1, MaxSkew, "10s")
	case byLoss:
		return p.percent()
	}
	return p.duration(-MaxSkew, MaxSkew, "400ms or -400ms")
}

// fits says whether a verb can have this trigger: a replay is what happens after the drain, and all else is over by then;
// a message is there only where one is put on the wire.
func (p *parser) fits(verb word, v verb, t Trigger) {
	switch {
	case p.err != nil:
	case v.target == targetMessage && !t.Drained && !t.sends():
		p.fail(verb, v.name+" needs a message, and only the steps sent and replied of a call put one on the wire",
			"begin with \"when payments.charge/sent{event=order-117} #1\"")
	case v.drained == t.Drained:
	case v.drained:
		p.fail(verb, v.name+" comes after the drain", "begin with \"after drain 26h\"")
	default:
		p.fail(verb, "when the drain has ended, "+v.name+" can meet nothing", "only replay comes after the drain; begin with \"at 12.5s\"")
	}
}

// trigger reads "at TIME", "after drain DURATION" or "when HOOK{KEY} #N".
func (p *parser) trigger() (t Trigger) {
	const hint = "begin with \"at 12.5s\", \"after drain 26h\" or \"when payments.charge/applied{event=order-117} #1\""
	word, ok := p.next("a trigger", hint)
	switch {
	case !ok:
	case word.text == "at":
		t.At = p.duration(0, MaxTime, "12.5s")
	case word.text == "after":
		if drain, ok := p.next("drain", "after drain 26h"); ok && drain.text != "drain" {
			p.fail(drain, fmt.Sprintf("after %q", drain.text), "a time may count from the end of the drain only: after drain 26h")
		}
		t.At, t.Drained = p.duration(0, MaxTime, "26h"), true
	case word.text == "when":
		t.Nth = 1
		p.hook(&t)
		if n, more := p.peek(); more && strings.HasPrefix(n.text, "#") {
			p.at++
			t.Nth = p.number(n.skip(1), MaxHit)
		}
	default:
		p.fail(word, fmt.Sprintf("unknown trigger %q", word.text), hint)
	}
	return t
}

// hook reads "payments.charge/applied{event=order-117,stage=charge}".
func (p *parser) hook(t *Trigger) {
	const hint = "as in payments.charge/applied{event=order-117} or group/revoked{role=consumer}"
	w, ok := p.next("a hook", hint)
	if !ok {
		return
	}
	open := strings.IndexByte(w.text, '{')
	if open < 0 {
		p.fail(w.skip(len(w.text)), "a hook needs a key in braces", hint)
		return
	}
	if !strings.HasSuffix(w.text, "}") {
		p.fail(w.skip(len(w.text)), "the key of a hook ends with }", "no spaces inside the braces")
		return
	}
	t.Hook = w.text[:open]
	what, step, _ := strings.Cut(t.Hook, "/")
	if !isName(what, ".-_") || !isName(step, "-_") {
		p.fail(w, fmt.Sprintf("%q is no hook id", t.Hook), "a hook id is what/step, "+hint)
		return
	}
	p.keys(t, w.skip(open+1))
}

// keys reads what stands between the braces, and its closing brace.
func (p *parser) keys(t *Trigger, w word) {
	body := w.text[:len(w.text)-1]
	for _, part := range splitList(body) {
		at := word{part.text, w.start + part.start}
		key, value, _ := strings.Cut(part.text, "=")
		var field *string
		switch key {
		case "event":
			field = &t.Event
		case "stage":
			field = &t.Stage
		case "role":
			field = &t.Role
		default:
			p.fail(at, fmt.Sprintf("unknown key %q", key), nearest(key, []string{"event", "stage", "role"}, "event, stage or role"))
			return
		}
		if !isName(value, "-_.:/@+") {
			p.fail(at.skip(min(len(key)+1, len(at.text))), fmt.Sprintf("%q is no value of %s", value, key), "letters, digits and - _ . : / @ +")
			return
		}
		if *field != "" {
			p.fail(at, fmt.Sprintf("%s is given twice", key), "")
			return
		}
		*field = value
	}
	switch {
	case t.Event == "" && t.Stage != "":
		p.fail(w, "a stage needs an event beside it", "{event=order-117,stage="+t.Stage+"}")
	case t.Event == "" && t.Role == "", t.Event != "" && t.Role != "":
		p.fail(w, "a key is an event or a role, one of them", "a role counts the hits that have no event")
	}
}

// end reads "for DURATION" or "until heal".
func (p *parser) end(v verb) (d int64, untilHeal bool) {
	w, ok := p.next("an end", "add \"for 10s\" or \"until heal\": "+v.usage())
	switch {
	case !ok:
	case w.text == "for":
		return p.duration(1, MaxTime, "10s"), false
	case w.text == "until":
		h, ok := p.next("heal", "until heal")
		if ok && h.text != "heal" {
			p.fail(h, fmt.Sprintf("until %q", h.text), "the only such end is \"until heal\"")
		}
		return 0, true
	default:
		p.fail(w, fmt.Sprintf("unexpected %q", w.text), "the form is: "+v.usage())
	}
	return 0, false
}

// option reads a word with its duration, if it is there.
func (p *parser) option(word string, otherwise int64) int64 {
	if w, ok := p.peek(); !ok || w.text != word {
		return otherwise
	}
	p.at++
	return p.duration(1, MaxGrace, "5s")
}

// sends says whether the trigger is a step at which a message is put on the wire.
func (t Trigger) sends() bool {
	_, step, _ := strings.Cut(t.Hook, "/")
	return step == history.StepSent || step == history.StepReplied
}

// keyword takes one word that must be there.
func (p *parser) keyword(want string, v verb) bool {
	w, ok := p.next(fmt.Sprintf("%q", want), "the form is: "+v.usage())
	if ok && w.text != want {
		p.fail(w, fmt.Sprintf("unexpected %q", w.text), "the form is: "+v.usage())
		return false
	}
	return ok
}
