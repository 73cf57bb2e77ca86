package scenarios

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// CaseVersion is the version of the format of case files that this program writes.
const CaseVersion = 1

// Case re-runs one run bit for bit, anywhere: the intent half says what is run and what is expected, the witness
// half what it looked like when it was recorded.
type Case struct {
	Version int     `json:"version"`
	Intent  Intent  `json:"intent"`
	Witness Witness `json:"witness"`

	missing []string // paths of the fields that its file did not have
}

// Missing lists the fields, such as intent.scenario.limits.facts, that the file of a case did not have, because models
// have gained them since it was written, and that have their defaults now.
func (c *Case) Missing() []string { return c.missing }

// Intent is what is run. Its canonical JSON gives the case its name.
type Intent struct {
	Scenario    *Scenario   `json:"scenario"` // resolved, by value
	Stack       string      `json:"stack"`
	Fault       string      `json:"fault"`     // name of the fault kind; history.HuntFault also under a hunting plan, a history.PoissonFault under a Poisson plan
	PlanType    string      `json:"plan_type"` // measuring, hunting or poisson
	Plan        []string    `json:"plan"`      // one fault a line, as package faults prints it
	Reductions  *Reductions `json:"reductions,omitempty"`
	Planted     []string    `json:"planted,omitempty"` // names of planted bugs that the world has, sorted
	Property    string      `json:"property,omitempty"`
	Fingerprint string      `json:"fingerprint,omitempty"`
	Expected    string      `json:"expected"`        // verdict: pass, fail, vacuous, unknown
	Owner       string      `json:"owner,omitempty"` // who has the handlers: a test or a program, as ParseOwner reads it
	Door        string      `json:"door,omitempty"`  // native or hosted: how the owner's handlers are bound
}

// Witness is what the run looked like when the case was recorded.
type Witness struct {
	Seed          uint64   `json:"seed,string"`           // decimal
	Digest        string   `json:"digest"`                // 16 hex digits
	HistoryDigest string   `json:"history_digest"`        // 16 hex digits
	Checkpoints   []string `json:"checkpoints,omitempty"` // digests every 4,096 events
	Epoch         int      `json:"epoch"`                 // model epoch
	Go            string   `json:"go"`                    // Go version
	Format        string   `json:"format"`                // format versions
	Shrunk        *Origin  `json:"shrunk,omitempty"`      // what it was shrunk from; nil = it was not
}

// Origin is what a case was shrunk from, over however many steps.
type Origin struct {
	Case   string `json:"case"`   // name of the case
	Faults int    `json:"faults"` // of its plan
	Events int64  `json:"events"` // offered in its run
}

// The types of a plan.
const (
	PlanMeasuring = "measuring"
	PlanHunting   = "hunting"
	PlanPoisson   = "poisson"
)

// Name is the first 12 hex digits of the SHA-256 of the canonical intent half, with nothing left to defaults: a case
// whose file lacked fields has another name than when it was written.
func (c *Case) Name() string { return shortHash(&c.Intent, 12) }

// Encode returns the case file: indented JSON with a final newline.
func (c *Case) Encode() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(c); err != nil {
		panic("scenarios: case: " + err.Error())
	}
	return b.Bytes()
}

// DecodeCase reads a case file. It trusts nothing in it: the scenario is validated and rebuilt, names and digests are
// checked; only the lines of the plan are left to package faults. Fields of the scenario and parameters of layers that
// the file does not have get their defaults (see Missing). The error is of type Problems.
func DecodeCase(file string, src []byte) (*Case, error) {
	source, root, ps := parseJSON(file, src)
	if len(ps) > 0 {
		return nil, ps.sorted()
	}
	d := &fileDecoder{source: source, root: root}
	if v := root.field("version"); v == nil || v.text != strconv.Itoa(CaseVersion) {
		d.version(v)
		return nil, d.problems.sorted()
	}
	d.strict(root, reflect.TypeFor[Case](), "")
	d.seed()
	if len(d.problems) > 0 {
		return nil, d.problems.sorted()
	}
	var c Case
	if err := json.Unmarshal(src, &c); err != nil {
		return nil, d.unmarshal(err, src).sorted()
	}
	d.add(c.check())
	if c.Intent.Scenario != nil {
		at := root.field("intent").field("scenario")
		missing, ps := c.Intent.Scenario.rebuild(source, at, "intent.scenario.")
		c.missing, d.problems = missing, append(d.problems, ps...)
	}
	if err := d.problems.orNil(); err != nil {
		return nil, err
	}
	return &c, nil
}

// version reports a version that this program does not read.
func (d *fileDecoder) version(v *docNode) {
	if v == nil {
		d.report(d.root, "version", "", "missing; is this a case file?")
		return
	}
	d.report(v, "version", "", "this program reads version %d, not %s", CaseVersion, v.what())
}

// seed reports a seed that is no number in quotes; encoding/json would name neither place nor field.
func (d *fileDecoder) seed() {
	witness := d.root.field("witness")
	if witness == nil {
		return
	}
	if n := witness.field("seed"); n != nil {
		if _, err := strconv.ParseUint(n.text, 10, 64); err != nil || !n.quoted {
			d.report(n, "witness.seed", "", "want a whole number from 0 to 2^64-1 in quotes, not %s", n.what())
		}
	}
}

// unmarshal locates an error of encoding/json.
func (d *fileDecoder) unmarshal(err error, src []byte) Problems {
	at, path := d.root, ""
	if typed, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		r := &jsonReader{source: d.source, src: src, line: 1, col: 1}
		r.advance(int(max(typed.Offset-1, 0)))
		at, path = &docNode{line: r.line, col: r.col, width: 1}, typed.Field
		err = fmt.Errorf("want a value of Go type %s, not a %s", typed.Type, typed.Value)
	}
	d.report(at, path, "", "%v", err)
	return d.problems
}

// Limits of the lists of a case.
const (
	maxPlanLines   = 10_000
	maxPlanLine    = 1000
	maxCaseList    = 100_000
	maxCheckpoints = 100_000
)

// check reports what is wrong with a case besides its scenario.
func (c *Case) check() []issue {
	k := &crossChecks{}
	in, w := &c.Intent, &c.Witness
	if in.Scenario == nil {
		k.add("intent.scenario", "missing")
	} else if names := namesOfStacks(in.Scenario); !slices.Contains(names, in.Stack) {
		k.unknown("intent.stack", "stack", in.Stack, names)
	}
	known := namesOf("@fault")
	if in.PlanType == PlanHunting {
		known = append(known, history.HuntFault)
	}
	if _, ok := history.ParsePoissonFault(in.Fault); ok && in.PlanType == PlanPoisson {
		known = append(known, in.Fault)
	}
	k.oneOf("intent.fault", "fault", in.Fault, known)
	k.oneOf("intent.plan_type", "type of plan", in.PlanType, []string{PlanMeasuring, PlanHunting, PlanPoisson})
	k.oneOf("intent.expected", "verdict", in.Expected, []string{"pass", "vacuous", "unknown", "fail"})
	if in.Door != "" && in.Owner == "" {
		k.add("intent.door", "a case without an owner has no door")
	} else if in.Door != "" {
		k.oneOf("intent.door", "door", in.Door, []string{DoorNative, DoorHosted})
	}
	k.lines("intent.plan", in.Plan, maxPlanLines)
	k.planted("intent.planted", in.Planted)
	if in.Reductions != nil {
		in.Reductions.check(k, in.Scenario)
	}
	for _, text := range []struct{ path, s string }{
		{"intent.property", in.Property}, {"intent.fingerprint", in.Fingerprint}, {"intent.owner", in.Owner},
		{"witness.go", w.Go}, {"witness.format", w.Format},
	} {
		k.line(text.path, text.s, maxText)
	}
	if _, err := ParseOwner(in.Owner); err != nil && in.Owner != "" {
		k.add("intent.owner", "%v", err)
	}
	k.hex("witness.digest", w.Digest)
	k.hex("witness.history_digest", w.HistoryDigest)
	if len(w.Checkpoints) > maxCheckpoints {
		k.add("witness.checkpoints", "%d entries; at most %d", len(w.Checkpoints), maxCheckpoints)
	}
	for i, digest := range w.Checkpoints[:min(len(w.Checkpoints), maxCheckpoints)] {
		k.hex(fmt.Sprintf("witness.checkpoints[%d]", i), digest)
	}
	if w.Epoch < 0 {
		k.add("witness.epoch", "%d; at least 0", w.Epoch)
	}
	if w.Shrunk != nil {
		w.Shrunk.check(k)
	}
	return k.issues
}

// planted checks a list of planted bugs: the order is part of the case's name, so there is one.
func (c *crossChecks) planted(path string, names []string) {
	known := namesOfBugs()
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.oneOf(at, "planted bug", name, known)
		if i > 0 && names[i-1] >= name {
			c.add(at, "%s does not come after %s; want them sorted, each once", name, names[i-1])
		}
	}
}

func (c *crossChecks) oneOf(path, what, s string, known []string) {
	if !slices.Contains(known, s) {
		c.unknown(path, what, s, known)
	}
}

// lines checks a list of single lines.
func (c *crossChecks) lines(path string, lines []string, most int) {
	if len(lines) > most {
		c.add(path, "%d entries; at most %d", len(lines), most)
		return
	}
	for i, s := range lines {
		if at := fmt.Sprintf("%s[%d]", path, i); strings.TrimSpace(s) == "" {
			c.add(at, "empty")
		} else {
			c.line(at, s, maxPlanLine)
		}
	}
}

// line checks one printable line.
func (c *crossChecks) line(path, s string, most int) {
	switch {
	case len(s) > most:
		c.add(path, "%d bytes long; at most %d", len(s), most)
	case printable(s) != s:
		c.add(path, "has unprintable characters")
	}
}

// hex checks a digest.
func (c *crossChecks) hex(path, s string) {
	if len(s) != 16 || strings.Trim(s, "0123456789abcdef") != "" {
		c.add(path, "want 16 hexadecimal digits, not %s", quoteShort(s))
	}
}
