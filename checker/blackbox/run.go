package blackbox

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/checker/ops"
)

// Source is a history to be judged.
type Source struct {
	Name   string // for error texts
	Format ops.Format
	Reader io.Reader
}

// Judged is a history's report, with the model that judged it.
type Judged struct {
	Model  Model
	Header ops.Header
	Events int64
	Report *ops.Report
}

// Check judges a history by a model of the table: the named one, or that of the header if name is "". An error of type
// *ops.BadHistory lists everything that is wrong with the file; another one is that of its reader.
func Check(src Source, name string, o Options) (*Judged, error) {
	var p ops.Problems
	var judge Judge
	var pairs *ops.Pairs
	out := &Judged{}
	err := ops.Read(src.Reader, src.Format, ops.Sink{
		Header: func(h ops.Header) {
			out.Header = h
			m, ok := modelFor(h, name, &p)
			if !ok {
				return
			}
			out.Model = m
			o.check(&m, h.Line, &p)
			judge = m.New(h, o, &p)
			pairs = ops.NewPairs(m.Alone, func(op *ops.Operation) {
				if m.knows(op, &p) {
					judge.Take(op)
				}
			}, &p)
		},
		Event: func(e *ops.Event) {
			out.Events++
			if pairs != nil {
				pairs.Event(e)
			}
		},
	}, &p)
	if err != nil {
		return nil, err
	}
	if pairs != nil {
		pairs.End()
	}
	if err := p.Error(src.Name); err != nil {
		return nil, err
	}
	out.Report = judge.Report()
	out.Report.Sort()
	return out, nil
}

// ModelNames are the names of the table.
func ModelNames() []string {
	var names []string
	for _, m := range Models() {
		names = append(names, m.Name)
	}
	return names
}

func modelFor(h ops.Header, name string, p *ops.Problems) (Model, bool) {
	line := max(h.Line, 1)
	switch {
	case name == "" && h.Model == "":
		p.Add(line, "", "no model: say it with --model or in a header line {\"header\":{\"model\":\"…\"}} (%s)", strings.Join(ModelNames(), ", "))
		return Model{}, false
	case name != "" && h.Model != "" && name != h.Model:
		p.Add(line, "header.model", "%q, but %q was asked for", h.Model, name)
		return Model{}, false
	case name == "":
		name = h.Model
	}
	i := slices.IndexFunc(Models(), func(m Model) bool { return m.Name == name })
	if i < 0 {
		p.Add(line, "model", "unknown model %q (%s)", name, strings.Join(ModelNames(), ", "))
		return Model{}, false
	}
	return Models()[i], true
}

// check holds the options against the model.
func (o *Options) check(m *Model, line int, p *ops.Problems) {
	for _, x := range []struct {
		flag, value string
		known       []string
	}{{"--level", o.Level, m.Levels}, {"--promise", o.Promise, m.Promises}} {
		switch {
		case x.value == "" || slices.Contains(x.known, x.value):
		case len(x.known) == 0:
			p.Add(max(line, 1), x.flag, "model %s takes none", m.Name)
		default:
			p.Add(max(line, 1), x.flag, "model %s does not know %q (%s)", m.Name, x.value, strings.Join(x.known, ", "))
		}
	}
	if o.Budget == 0 {
		o.Budget = DefaultBudget
	}
}

// knows says whether the model has the operation.
func (m *Model) knows(o *ops.Operation, p *ops.Problems) bool {
	var names []string
	for _, f := range m.Functions {
		if f.Name == o.F {
			return true
		}
		names = append(names, f.Name)
	}
	p.Add(o.Line, "f", "%s", fmt.Sprintf("model %s has no %q (%s)", m.Name, o.F, strings.Join(names, ", ")))
	return false
}
