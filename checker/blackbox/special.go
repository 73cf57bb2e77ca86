package blackbox

import (
	"fmt"
	"io"
	"strings"

	"github.com/twiceless/twiceless/checker/linear"
	"github.com/twiceless/twiceless/checker/ops"
)

// specialCase is what the judges of one object keep beside the operations that a special algorithm takes: their events,
// and the values that it knows by number. What the algorithm leaves open is searched.
type specialCase struct {
	object   linear.Object
	general  func(i int) linear.Action // an operation as the object knows it
	spanOf   func(i int) linear.Span
	budget   int64
	report   ops.Report
	events   [][]int64          // of each operation
	clients  []string           // of each operation
	words    func(i int) string // an operation for people
	numbers  map[ops.Atom]int32
	atoms    []ops.Atom
	pendings int64
}

// number is that of a value; each new one is the next.
func (c *specialCase) number(a ops.Atom) int32 {
	n, known := c.numbers[a]
	if !known {
		if c.numbers == nil {
			c.numbers = map[ops.Atom]int32{}
		}
		n = int32(len(c.atoms))
		c.numbers[a] = n
		c.atoms = append(c.atoms, a)
	}
	return n
}

// value is the one of a number, for people.
func (c *specialCase) value(n int32) string {
	a := c.atoms[n]
	return ops.Value{Kind: a.Kind, Int: a.Int, Text: a.Text}.String()
}

// content is the value of a number, for the object.
func (c *specialCase) content(n int32) linear.Value {
	a := c.atoms[n]
	v, _ := valueOf(ops.Value{Kind: a.Kind, Int: a.Int, Text: a.Text}) // atoms are scalars
	return v
}

// span notes the events of an operation and gives when it took effect.
func (c *specialCase) span(o *ops.Operation) linear.Span {
	c.events = append(c.events, o.Evidence())
	c.clients = append(c.clients, o.Process)
	s := linear.Span{Call: o.Call, Return: o.Return}
	if o.Outcome == ops.Info {
		s.Return = linear.Never
		c.pendings++
	}
	return s
}

// operations are all of them as a search takes them.
func (c *specialCase) operations() []linear.Operation {
	list := make([]linear.Operation, len(c.events))
	for i := range list {
		list[i] = linear.Operation{Span: c.spanOf(i), Action: c.general(i), Client: c.clients[i]}
	}
	return list
}

// conclude turns a result into a report. What the special algorithm does not decide, a search may.
func (c *specialCase) conclude(r linear.Result, exercised int64, nothing string) *ops.Report {
	c.report.Exercised = exercised
	if exercised == 0 {
		c.report.Why = append(c.report.Why, nothing)
	}
	c.report.Numbers["steps"] = 0
	if r.Verdict == linear.Unknown {
		open := r.Because
		r = c.object.Search(c.operations(), c.budget)
		c.report.Numbers["steps"] = r.Steps
		if r.Verdict == linear.Unknown {
			r.Because = open + ", and a search does not decide it: " + r.Because
		}
	}
	switch r.Verdict {
	case linear.Violated:
		c.report.Picture = func(w io.Writer) error { return c.object.Picture(c.operations(), c.budget, w) }
		c.report.Find("nonlinearizable", ops.SeverityFail, func(a *ops.Anomaly) {
			a.Evidence = c.evidence(r)
			a.Detail = c.detail(r)
		})
	case linear.Unknown:
		c.report.Undecided++
		c.report.Why = append(c.report.Why, r.Because)
	case linear.Linearizable:
	}
	return &c.report
}

// evidence are the events of the culprit and of as many others as fit.
func (c *specialCase) evidence(r linear.Result) []int64 {
	list := append([]int64(nil), c.events[r.Culprit]...)
	for _, i := range r.Involved {
		if i != r.Culprit && len(list)+len(c.events[i]) <= ops.MaxEvidence {
			list = append(list, c.events[i]...)
		}
	}
	return list
}

// maxTold is how many operations a sentence names beside the culprit.
const maxTold = 5

// detail is the culprit, the rule that it breaks, and the others that show it.
func (c *specialCase) detail(r linear.Result) string {
	var others []string
	for _, i := range r.Involved {
		if i == r.Culprit {
			continue
		}
		if len(others) == maxTold {
			others = append(others, "…")
			break
		}
		others = append(others, c.words(i))
	}
	if len(others) == 0 {
		return fmt.Sprintf("%s: %s", c.words(r.Culprit), r.Because)
	}
	return fmt.Sprintf("%s: %s (%s)", c.words(r.Culprit), r.Because, strings.Join(others, ", "))
}
