package blackboxtest

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/checker/ops"
)

// Mutate changes a history the way systems and recorders go wrong, so that most of what comes out still pairs and
// reaches a judge: operations that are missing or there twice, other outcomes, other values, another order. It returns
// JSON Lines without indices and times; ok is false if the history cannot be read.
//
// An edit is three bytes: what to do, which event, and with what.
func Mutate(text []byte, f ops.Format, edits []byte) (out []byte, ok bool) {
	var p ops.Problems
	var m mutant
	err := ops.Read(strings.NewReader(string(text)), f, ops.Sink{
		Header: func(h ops.Header) { m.header = h.Fields },
		Event:  func(e *ops.Event) { m.events = append(m.events, *e) },
	}, &p)
	if err != nil || p.Len() > 0 || len(m.events) == 0 {
		return nil, false
	}
	for ; len(edits) >= 3 && len(m.events) > 0; edits = edits[3:] {
		mutations[int(edits[0])%len(mutations)](&m, int(edits[1])%len(m.events), int(edits[2]))
	}
	return m.text(), true
}

type mutant struct {
	header ops.Value
	events []ops.Event
	names  int // processes that were made up
}

var mutations = []func(m *mutant, at, with int){
	(*mutant).drop,
	(*mutant).repeat,
	(*mutant).exchange,
	(*mutant).outcome,
	(*mutant).crash,
	(*mutant).atom,
	(*mutant).item,
	(*mutant).function,
	(*mutant).value,
}

// drop leaves out an operation, or only its completion's answer.
func (m *mutant) drop(at, with int) {
	if with%2 == 0 {
		m.events[at].Value = ops.Value{}
		return
	}
	i, j := m.pair(at)
	if j > i {
		m.events = slices.Delete(m.events, j, j+1)
	}
	m.events = slices.Delete(m.events, i, i+1)
}

// repeat does an operation again, as another process, some events later.
func (m *mutant) repeat(at, with int) {
	const most = 1000
	i, j := m.pair(at)
	if len(m.events) > most {
		return
	}
	again := []ops.Event{m.events[i]}
	if j > i {
		again = append(again, m.events[j])
	}
	m.names++
	for k := range again {
		again[k].Process = "again " + strconv.Itoa(m.names)
	}
	m.events = slices.Insert(m.events, min(at+with%8, len(m.events)), again...)
}

// exchange swaps neighbours of different processes.
func (m *mutant) exchange(at, with int) {
	for range 1 + with%4 {
		if at+1 < len(m.events) && m.events[at].Process != m.events[at+1].Process {
			m.events[at], m.events[at+1] = m.events[at+1], m.events[at]
		}
		at++
	}
}

// outcome changes what a completion says.
func (m *mutant) outcome(at, with int) {
	if _, j := m.pair(at); m.events[j].Type != ops.Invoke {
		m.events[j].Type = []ops.Type{ops.OK, ops.Fail, ops.Info}[with%3]
	}
}

// crash leaves out a completion; the process goes on under another name.
func (m *mutant) crash(at, _ int) {
	i, j := m.pair(at)
	if j <= i {
		return
	}
	m.names++
	for k := j + 1; k < len(m.events); k++ {
		if m.events[k].Process == m.events[i].Process {
			m.events[k].Process += " after crash " + strconv.Itoa(m.names)
		}
	}
	m.events = slices.Delete(m.events, j, j+1)
}

// atom replaces a scalar somewhere in a value: by null, by a neighbour in number, or by one of another event.
func (m *mutant) atom(at, with int) {
	here := atoms(&m.events[at].Value, nil)
	if len(here) == 0 {
		return
	}
	v := here[with%len(here)]
	there := atoms(&m.events[(at+with)%len(m.events)].Value, nil)
	switch {
	case with%5 == 0:
		*v = ops.Value{}
	case with%5 == 1 && v.Kind == ops.Int:
		v.Int += int64(with%4) - 1
	case len(there) > 0:
		*v = *there[with/5%len(there)]
	}
}

// item leaves out, repeats or moves an element of a list.
func (m *mutant) item(at, with int) {
	all := lists(&m.events[at].Value, nil)
	if len(all) == 0 {
		return
	}
	v := all[with%len(all)]
	i := with / 4 % len(v.Items)
	switch with % 3 {
	case 0:
		v.Items = slices.Delete(slices.Clone(v.Items), i, i+1)
	case 1:
		v.Items = append(slices.Clone(v.Items), v.Items[i])
	default:
		v.Items[0], v.Items[i] = v.Items[i], v.Items[0]
	}
}

// function asks for something else, in both events.
func (m *mutant) function(at, with int) {
	i, j := m.pair(at)
	f := m.events[(at+with)%len(m.events)].F
	m.events[i].F, m.events[j].F = f, f
}

// value takes the value of another event.
func (m *mutant) value(at, with int) {
	m.events[at].Value = m.events[(at+with)%len(m.events)].Value
}

// pair are the places of the invoke and the completion of an operation; the same place if one of them is missing.
func (m *mutant) pair(at int) (i, j int) {
	p := m.events[at].Process
	if m.events[at].Type == ops.Invoke {
		if n := slices.IndexFunc(m.events[at+1:], func(e ops.Event) bool { return e.Process == p }); n >= 0 && m.events[at+1+n].Type != ops.Invoke {
			return at, at + 1 + n
		}
		return at, at
	}
	for k := at - 1; k >= 0; k-- {
		if m.events[k].Process == p {
			if m.events[k].Type == ops.Invoke {
				return k, at
			}
			break
		}
	}
	return at, at
}

// atoms are the scalars of a value, keys of maps excepted.
func atoms(v *ops.Value, to []*ops.Value) []*ops.Value {
	if v.Scalar() {
		return append(to, v)
	}
	for i := range v.Items {
		if v.Kind == ops.List || i%2 == 1 {
			to = atoms(&v.Items[i], to)
		}
	}
	return to
}

// lists are the lists in a value that are not empty.
func lists(v *ops.Value, to []*ops.Value) []*ops.Value {
	if v.Kind == ops.List && len(v.Items) > 0 {
		to = append(to, v)
	}
	for i := range v.Items {
		to = lists(&v.Items[i], to)
	}
	return to
}

func (m *mutant) text() []byte {
	var b []byte
	if m.header.Kind == ops.Map {
		b = append(b, `{"header":`...)
		b = append(appendValue(b, m.header), "}\n"...)
	}
	for _, e := range m.events {
		b = append(b, `{"process":`...)
		b = appendText(b, e.Process)
		b = append(b, `,"type":`...)
		b = appendText(b, e.Type.String())
		b = append(b, `,"f":`...)
		b = appendText(b, e.F)
		b = append(b, `,"value":`...)
		b = append(appendValue(b, e.Value), "}\n"...)
	}
	return b
}

// appendValue writes a value as JSON. Keys become text, and what EDN alone has too.
func appendValue(b []byte, v ops.Value) []byte {
	switch v.Kind {
	case ops.Null:
		return append(b, "null"...)
	case ops.Int, ops.Bool:
		name, _ := v.Name()
		return append(b, name...)
	case ops.Text:
		return appendText(b, v.Text)
	case ops.Other:
		if json.Valid([]byte(v.Text)) {
			return append(b, v.Text...)
		}
		return appendText(b, v.Text)
	}
	brackets := "[]"
	if v.Kind == ops.Map {
		brackets = "{}"
	}
	b = append(b, brackets[0])
	for i, item := range v.Items {
		switch {
		case v.Kind == ops.Map && i%2 == 1:
			b = append(b, ':')
		case i > 0:
			b = append(b, ',')
		}
		if name, ok := item.Name(); ok && v.Kind == ops.Map && i%2 == 0 {
			b = appendText(b, name)
		} else {
			b = appendValue(b, item)
		}
	}
	return append(b, brackets[1])
}

func appendText(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic("blackboxtest: a text that is no JSON: " + err.Error())
	}
	return append(b, text...)
}
