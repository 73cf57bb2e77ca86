package downstream

import (
	"slices"

	"github.com/twiceless/twiceless/model"
)

// Change is what one commit did to one row, or the table that it created: what a disk holds so that Load can do it
// again.
type Change struct {
	Table  string
	Row    int64
	Serial int64            // of the table: the last number given out
	Values []model.SQLValue // nil = the row is deleted
	Create *model.SQLStatement
}

// changes of a transaction, in the order in which it came to the rows. A row that is as it was is none.
func (t *Transaction) changes() []Change {
	var out []Change
	for _, made := range t.made {
		out = append(out, Change{Table: made.name, Create: made.create})
	}
	for _, x := range t.locked {
		if x.moved() {
			out = append(out, Change{Table: x.in.name, Row: x.id, Serial: x.in.serial, Values: x.values})
		}
	}
	return out
}

// Changed says whether a row that the statement wrote is other than it was before the transaction. It is asked before
// the transaction ends; after that, and of one that failed, it is false.
func (e *Execution) Changed() bool { return !e.t.over && slices.ContainsFunc(e.wrote, (*row).moved) }

// Load does again what a commit did, in the order of the commits, before there are transactions.
func (r *Relational) Load(changes []Change) {
	r.commits++
	for i := range changes {
		c := &changes[i]
		if c.Create != nil {
			made, err := newTable(c.Create)
			if err != nil {
				panic("downstream: damaged table " + c.Table)
			}
			r.tables = append(r.tables, made)
			continue
		}
		in, _ := r.find(nil, c.Table)
		if in == nil {
			panic("downstream: a row of table " + c.Table + ", which there is not")
		}
		r.installed(in.load(c, r.commits), r.commits)
	}
}

// load is one change of a row; it gives the objects that it wrote.
func (t *table) load(c *Change, commit int64) []string {
	t.serial, t.lastRow, t.changed = max(t.serial, c.Serial), max(t.lastRow, c.Row), commit
	at, found := t.find(c.Row)
	if !found {
		t.rows = slices.Insert(t.rows, at, &row{id: c.Row, in: t})
	}
	x := t.rows[at]
	wrote := x.names(x.latest().values, c.Values)
	x.versions = append(x.versions, version{commit, c.Values})
	x.enters(c.Values)
	x.prune(commit)
	return wrote
}

// The parts of a change on the disk.
const (
	changeDelete int64 = iota
	changeWrite
	changeCreate
)

func (c *Change) encode() string {
	kind := changeWrite
	switch {
	case c.Create != nil:
		kind = changeCreate
	case c.Values == nil:
		kind = changeDelete
	}
	b := model.AppendNumber(make([]byte, 0, 64), kind)
	b = model.AppendText(b, c.Table)
	b = model.AppendNumber(model.AppendNumber(b, c.Row), c.Serial)
	if c.Create != nil {
		return string(appendTable(b, c.Create.Create))
	}
	for i := range c.Values {
		b = appendValue(b, &c.Values[i])
	}
	return string(b)
}

func decodeChange(s string) (c Change, ok bool) {
	in := model.Fields{Rest: s}
	kind := in.Number()
	c.Table, c.Row, c.Serial = in.Text(), in.Number(), in.Number()
	switch kind {
	case changeCreate:
		c.Create = &model.SQLStatement{Does: model.SQLCreateTable, Table: c.Table, Create: takeTable(&in)}
	case changeWrite:
		c.Values = []model.SQLValue{}
		for in.More() {
			c.Values = append(c.Values, takeValue(&in))
		}
	}
	return c, !in.Bad && !in.More()
}

func appendValue(b []byte, v *model.SQLValue) []byte {
	b = model.AppendNumber(model.AppendNumber(b, int64(v.Kind)), v.Int)
	return model.AppendText(b, v.Text)
}

func takeValue(in *model.Fields) model.SQLValue {
	return model.SQLValue{Kind: model.SQLKind(in.Number()), Int: in.Number(), Text: in.Text()}
}

// appendTable appends a definition. A default is a literal or the present time.
func appendTable(b []byte, t *model.SQLTable) []byte {
	b = model.AppendNumber(b, int64(len(t.Columns)))
	for i := range t.Columns {
		c := &t.Columns[i]
		b = model.AppendText(b, c.Name)
		for _, n := range [...]int64{int64(c.Type), int64(c.Size), flag(c.NotNull), flag(c.Serial), flag(c.Default != nil)} {
			b = model.AppendNumber(b, n)
		}
		if c.Default != nil {
			b = appendValue(model.AppendNumber(b, int64(c.Default.Op)), &c.Default.Value)
		}
	}
	for i := range t.Keys {
		k := &t.Keys[i]
		b = model.AppendNumber(model.AppendText(b, k.Name), flag(k.Primary))
		b = model.AppendNumber(b, int64(len(k.Columns)))
		for _, name := range k.Columns {
			b = model.AppendText(b, name)
		}
	}
	return b
}

func takeTable(in *model.Fields) *model.SQLTable {
	t := &model.SQLTable{}
	for n := in.Number(); n > 0 && !in.Bad; n-- {
		c := model.SQLColumn{Name: in.Text(), Type: model.SQLKind(in.Number()), Size: int(in.Number()), NotNull: in.Number() == 1, Serial: in.Number() == 1}
		if in.Number() == 1 {
			c.Default = &model.SQLExpr{Op: model.SQLOp(in.Number()), Value: takeValue(in)}
		}
		t.Columns = append(t.Columns, c)
	}
	for in.More() {
		k := model.SQLKey{Name: in.Text(), Primary: in.Number() == 1}
		for n := in.Number(); n > 0 && !in.Bad; n-- {
			k.Columns = append(k.Columns, in.Text())
		}
		t.Keys = append(t.Keys, k)
	}
	return t
}
