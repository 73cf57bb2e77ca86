package downstream

import (
	"cmp"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/model"
)

// table holds its rows in the order in which they were inserted, dead ones included as long as a snapshot may see them.
type table struct {
	name    string
	create  *model.SQLStatement
	columns []model.SQLColumn
	keys    []*key
	rows    []*row
	serial  int64        // the last number given out. As with a sequence, an insert that fails gives none back
	lastRow int64        // id of the row inserted last
	changed int64        // number of the commit that changed a row last
	maker   *Transaction // that created it and has not committed; nil = it is there for all
}

// key is a primary key or unique constraint. Its index finds rows by every value that a version of theirs has; what the
// row says now has to be looked at.
type key struct {
	name    string
	columns []int
	index   map[string][]*row
}

// row is a row with the versions that a snapshot may still see, and at most one that is not committed.
type row struct {
	id       int64
	in       *table
	versions []version    // committed, oldest first; none = its insert is not committed
	owner    *Transaction // who has it locked, until that ends; nil = nobody
	dirty    bool         // the owner has written it: values is what it wrote
	values   []model.SQLValue
}

// version is what one commit wrote; nil values = it deleted the row.
type version struct {
	commit int64
	values []model.SQLValue
}

// newTable makes the table of a statement, or says what is wrong with it.
func newTable(s *model.SQLStatement) (*table, *model.SQLError) {
	t := &table{name: s.Table, create: s, columns: slices.Clone(s.Create.Columns)}
	serial := false
	for i := range t.columns {
		c := &t.columns[i]
		if t.column(c.Name) != i {
			return nil, failure(model.SQLDuplicateColumn, "column %q specified more than once", c.Name)
		}
		if c.Serial && (serial || c.Type != model.SQLInteger) {
			return nil, failure(model.SQLFeatureNotSupported, "table %q: one integer column may be serial", t.name)
		}
		serial = serial || c.Serial
		c.NotNull = c.NotNull || c.Serial
	}
	for _, k := range s.Create.Keys {
		made := &key{name: k.Name, index: map[string][]*row{}}
		for _, name := range k.Columns {
			i := t.column(name)
			if i < 0 {
				return nil, failure(model.SQLUndefinedColumn, "column %q named in key does not exist", name)
			}
			made.columns = append(made.columns, i)
			t.columns[i].NotNull = t.columns[i].NotNull || k.Primary
		}
		if made.name == "" {
			made.name = keyName(t.name, &k)
		}
		t.keys = append(t.keys, made)
	}
	return t, nil
}

// keyName is the name that Postgres gives a key.
func keyName(table string, k *model.SQLKey) string {
	if k.Primary {
		return table + "_pkey"
	}
	return table + "_" + strings.Join(k.Columns, "_") + "_key"
}

// column is the position of a column; -1 = there is none.
func (t *table) column(name string) int {
	return slices.IndexFunc(t.columns, func(c model.SQLColumn) bool { return c.Name == name })
}

// at is the text by which the index knows these values; ok is false if one is NULL: such a row collides with no other.
func (k *key) at(values []model.SQLValue) (text string, ok bool) {
	if values == nil {
		return "", false
	}
	b := make([]byte, 0, 32)
	for _, c := range k.columns {
		if values[c].Kind == model.SQLNull {
			return "", false
		}
		b = appendValue(b, &values[c])
	}
	return string(b), true
}

// insert adds a row that is not committed.
func (t *table) insert(by *Transaction, values []model.SQLValue) *row {
	t.lastRow++
	r := &row{id: t.lastRow, in: t}
	t.rows = append(t.rows, r)
	r.lock(by)
	r.write(values)
	return r
}

// lock makes the transaction the row's owner. It must have none, or this one.
func (r *row) lock(by *Transaction) {
	if r.owner == by {
		return
	}
	if r.owner != nil {
		panic("downstream: a row has two owners")
	}
	r.owner = by
	by.locked = append(by.locked, r)
}

// write sets what the owner has made of the row; nil = it has deleted it.
func (r *row) write(values []model.SQLValue) {
	before := r.values
	r.dirty, r.values = true, values
	r.leaves(before)
	r.enters(values)
}

// latest is the newest committed version; the zero version if there is none.
func (r *row) latest() version {
	if len(r.versions) == 0 {
		return version{}
	}
	return r.versions[len(r.versions)-1]
}

// seen is what a transaction sees of the row under a snapshot: what it wrote itself, or else the newest version that was
// committed by then; nil values = nothing.
func (r *row) seen(by *Transaction, snapshot int64) version {
	if r.owner == by && r.dirty {
		return version{own, r.values}
	}
	for i := len(r.versions) - 1; i >= 0; i-- {
		if r.versions[i].commit <= snapshot {
			return r.versions[i]
		}
	}
	return version{}
}

// moved says whether the owner's write leaves the row other than it was.
func (r *row) moved() bool { return r.dirty && !slices.Equal(r.latest().values, r.values) }

// settle ends the ownership: what the owner wrote becomes the version of that commit, or is forgotten if commit is 0.
func (r *row) settle(commit int64) {
	wrote := r.values
	if commit > 0 && r.moved() {
		r.versions = append(r.versions, version{commit, wrote})
		r.in.changed = commit
	}
	r.owner, r.dirty, r.values = nil, false, nil
	r.leaves(wrote)
}

// prune drops the versions that no snapshot from the horizon on can see, and the row if nothing of it is left. done says
// that there is nothing to be dropped later.
func (r *row) prune(horizon int64) (done bool) {
	for len(r.versions) > 1 && r.versions[1].commit <= horizon {
		old := r.versions[0].values
		r.versions = r.versions[1:]
		r.leaves(old)
	}
	if len(r.versions) == 1 && r.versions[0].values == nil && r.versions[0].commit <= horizon {
		r.versions = nil
	}
	if len(r.versions) == 0 && r.owner == nil {
		if i, found := r.in.find(r.id); found {
			r.in.rows = slices.Delete(r.in.rows, i, i+1)
		}
	}
	return len(r.versions) == 0 || len(r.versions) == 1 && r.versions[0].values != nil
}

// find is the place of a row in the table: rows are ordered by id.
func (t *table) find(id int64) (at int, found bool) {
	return slices.BinarySearchFunc(t.rows, id, func(r *row, id int64) int { return cmp.Compare(r.id, id) })
}

// enters has the indexes find the row by these values.
func (r *row) enters(values []model.SQLValue) {
	for _, k := range r.in.keys {
		if text, ok := k.at(values); ok && !slices.Contains(k.index[text], r) {
			k.index[text] = append(k.index[text], r)
		}
	}
}

// leaves ends that, unless the row still has the same key in some version.
func (r *row) leaves(values []model.SQLValue) {
	for _, k := range r.in.keys {
		text, ok := k.at(values)
		if !ok || r.has(k, text) {
			continue
		}
		rows := k.index[text]
		if i := slices.Index(rows, r); i >= 0 {
			rows = slices.Delete(slices.Clone(rows), i, i+1) // a statement that waits may hold the old slice
		}
		if k.index[text] = rows; len(rows) == 0 {
			delete(k.index, text)
		}
	}
}

func (r *row) has(k *key, text string) bool {
	if r.dirty && is(k, r.values, text) {
		return true
	}
	return slices.ContainsFunc(r.versions, func(v version) bool { return is(k, v.values, text) })
}

// is says whether the values have that key.
func is(k *key, values []model.SQLValue, text string) bool {
	has, ok := k.at(values)
	return ok && has == text
}
