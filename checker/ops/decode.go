package ops

import (
	"bytes"
	"strconv"
	"strings"
)

// events turns values into a header and events, and holds them to the order of the file.
type events struct {
	to      Sink
	p       *Problems
	most    int64
	n       int64
	began   bool // there was a first event, or a header, or what should have been one
	stopped bool
	header  int // its line, 0 = none
	index   position
	time    position
	mixed   bool
	e       Event // lent to the sink
	words   *words
}

// position is where a file has come to in one of its orders.
type position struct {
	at   int64
	line int // 0 = nowhere yet
}

func (x *events) done() bool { return x.stopped || x.p.Full() }

// none tells the sink of a file without events that there is no header.
func (x *events) none() {
	if !x.began {
		x.began = true
		x.to.Header(Header{})
	}
}

// broken notes an event that cannot be read. If it could be the header there is none: what the events mean is not known.
func (x *events) broken(line int, f *fault, subject string, text []byte) {
	what := f.text
	if f.cut {
		what = subject + what
	}
	const enough = 60 // of a path, to find the place in a line
	place := strings.TrimPrefix(f.path, ".")
	if len(place) > enough {
		place = strings.ToValidUTF8(place[:enough], "") + "…"
	}
	x.p.Add(line, place, "%s", what)
	x.p.unread = true
	if !x.began && !bytes.Contains(text, []byte("header")) {
		x.to.Header(Header{})
	}
	x.began = true
}

// take takes the next event of the file.
func (x *events) take(line int, e *raw) {
	if e.is != Map {
		x.broken(line, &fault{text: "an event is a map, not " + e.is.String()}, "", nil)
		return
	}
	if !e.fields[fieldHeader].IsNull() && e.fields[fieldType].IsNull() {
		x.head(line, e.fields[fieldHeader])
		return
	}
	x.none()
	if x.n == x.most {
		x.p.Add(line, "", "more than %d events", x.most)
		x.stopped = true
		return
	}
	x.event(line, e)
	x.n++
}

// raw are the fields of an event as they stand there.
type raw struct {
	fields [fieldCount]Value // null if left out
	seen   uint
	is     Kind // of the event itself; only a Map has fields
}

// The fields of events, and the header, that mean something here.
const (
	fieldIndex = iota
	fieldType
	fieldProcess
	fieldF
	fieldValue
	fieldTime
	fieldHeader
	fieldCount
	fieldUnknown = -1 // others add what they like: error, exception, node
)

var fieldNames = [fieldCount]string{"index", "type", "process", "f", "value", "time", "header"}

const fieldLongest = len("process")

func fieldOf(name string) int {
	switch name {
	case "index":
		return fieldIndex
	case "type":
		return fieldType
	case "process":
		return fieldProcess
	case "f":
		return fieldF
	case "value":
		return fieldValue
	case "time":
		return fieldTime
	case "header":
		return fieldHeader
	}
	return fieldUnknown
}

// clear forgets the event before.
func (e *raw) clear() {
	for i := range e.fields {
		if e.seen&(1<<i) != 0 {
			e.fields[i] = Value{}
		}
	}
	e.seen, e.is = 0, Map
}

// set keeps a field; again says that it was set before.
func (e *raw) set(field int, v *Value) (again bool) {
	bit := uint(1) << field
	again = e.seen&bit != 0
	e.seen |= bit
	e.fields[field] = *v
	return again
}

// ownFormats is how the formats of our own files begin.
const ownFormats = "twiceless-"

// head reads a header.
func (x *events) head(line int, fields Value) {
	switch {
	case x.header != 0:
		x.p.Add(line, "header", "a second one; the first is in line %d", x.header)
		return
	case x.began:
		x.p.Add(line, "header", "it belongs before the first event")
		return
	}
	x.began, x.header = true, line
	h := Header{Line: line, Fields: fields}
	if fields.Kind != Map {
		x.p.Add(line, "header", "a map belongs here, not %s", fields.Kind)
		x.to.Header(Header{Line: line})
		return
	}
	if f := fields.Field("format"); f.Kind == Text && strings.HasPrefix(f.Text, ownFormats) {
		x.p.Add(line, "header.format", "%s is what our own runs leave, facts of all components: simulate replay has judged them; check judges what clients saw of another system", f)
		x.stopped = true
		return
	}
	switch m := fields.Field("model"); m.Kind {
	case Null:
	case Text:
		h.Model = m.Text
	default:
		x.p.Add(line, "header.model", "text belongs here, not %s", m.Kind)
	}
	h.Fields = Value{Kind: Map, Items: fields.Items}
	x.to.Header(h)
}

// event makes an event of its fields. One whose order is wrong goes on: who did what is clear.
func (x *events) event(line int, raw *raw) {
	e := &x.e
	*e = Event{Line: line, Index: x.n, Time: NoTime}
	e.Value = raw.fields[fieldValue]
	x.order(line, raw, e)
	known := x.typeOf(line, &raw.fields[fieldType], e)
	known = x.processOf(line, &raw.fields[fieldProcess], e) && known
	known = x.functionOf(line, &raw.fields[fieldF], e) && known
	if !known {
		x.p.unread = true
		return
	}
	x.to.Event(e)
}

func (x *events) typeOf(line int, v *Value, e *Event) bool {
	if !x.kind(line, "type", v, Text) {
		return false
	}
	for i, name := range typeTable {
		if name == v.Text {
			e.Type = Type(i)
			return true
		}
	}
	_, err := ParseType(v.Text)
	x.p.Add(line, "type", "%v", err)
	return false
}

// kind holds a field that must be there to its kind.
func (x *events) kind(line int, name string, v *Value, k Kind) bool {
	switch {
	case v.IsNull():
		x.p.Add(line, name, "missing")
	case v.Kind != k:
		x.p.Add(line, name, "%s belongs here, not %s", k, describe(v))
	case k == Text && v.Text == "":
		x.p.Add(line, name, "empty")
	default:
		return true
	}
	return false
}

func (x *events) processOf(line int, v *Value, e *Event) bool {
	if v.Kind == Int {
		var b [20]byte
		e.Process = x.words.share(strconv.AppendInt(b[:0], v.Int, 10))
		return true
	}
	if !v.IsNull() && v.Kind != Text {
		x.p.Add(line, "process", "a whole number or text belongs here, not %s", describe(v))
		return false
	}
	if !x.kind(line, "process", v, Text) {
		return false
	}
	e.Process = v.Text
	return true
}

// functionOf reads f. Elle leaves it out where the value says it: a list of lists is a transaction.
func (x *events) functionOf(line int, v *Value, e *Event) bool {
	if items := e.Value.Items; v.IsNull() && e.Value.Kind == List && len(items) > 0 && items[0].Kind == List {
		e.F = "txn"
		return true
	}
	if !x.kind(line, "f", v, Text) {
		return false
	}
	e.F = v.Text
	return true
}

// order holds index and time to the order of the file. Jepsen writes -1 for what is not stated.
func (x *events) order(line int, raw *raw, e *Event) {
	index, ok := x.whole(line, "index", &raw.fields[fieldIndex])
	switch {
	case !ok:
		x.mixed = true // it states one, but which
	case x.n > 0 && (index < 0) != (x.index.line == 0):
		if !x.mixed {
			x.p.Add(line, "index", "either all events state one or none does")
		}
		x.mixed = true
	case index < 0:
	case x.index.line != 0 && index == x.index.at:
		x.p.Add(line, "index", "%d is that of line %d too", index, x.index.line)
	case x.index.line != 0 && index < x.index.at:
		x.p.Add(line, "index", "%d after %d in line %d: indices ascend", index, x.index.at, x.index.line)
	}
	if index >= 0 {
		e.Index = index
		x.index = position{index, line}
	}
	time, ok := x.whole(line, "time", &raw.fields[fieldTime])
	if ok && time >= 0 && x.time.line != 0 && time < x.time.at {
		x.p.Add(line, "time", "%d after %d in line %d: events stand in the order of time", time, x.time.at, x.time.line)
	}
	if time >= 0 {
		e.Time = time
		x.time = position{time, line}
	}
}

// whole reads a number that may be left out and is not negative; -1 = it is not there.
func (x *events) whole(line int, name string, v *Value) (n int64, ok bool) {
	switch {
	case v.IsNull():
		return -1, true
	case v.Kind != Int:
		x.p.Add(line, name, "a whole number belongs here, not %s", describe(v))
	case v.Int < -1:
		x.p.Add(line, name, "%d is negative", v.Int)
	default:
		return v.Int, true
	}
	return -1, false
}

// describe says what a value is where a number belongs: one too large or with a fraction is shown.
func describe(v *Value) string {
	if v.Kind == Other {
		return v.String()
	}
	return v.Kind.String()
}
