package downstream

import (
	"slices"

	"github.com/twiceless/twiceless/model"
)

// step takes a statement on: until it has its reply, meets an error, or must wait for a transaction. It is called again
// when that has ended, and goes on where it was: what it has found, locked and written stays.
func (r *Relational) step(e *Execution) (waits *Transaction, err *model.SQLError) {
	if e.t.ReadOnly && (e.Statement.Does != model.SQLSelect || e.Statement.Lock != model.SQLNoLock) {
		return nil, failure(model.SQLReadOnly, "cannot execute %s in a read-only transaction", commandOf(e.Statement))
	}
	if e.Statement.Does == model.SQLCreateTable {
		return r.makeTable(e)
	}
	if !e.planned {
		if err := r.plan(e); err != nil {
			return nil, err
		}
	}
	switch e.Statement.Does {
	case model.SQLInsert:
		waits, err = r.insert(e)
	case model.SQLSelect:
		waits, err = r.read(e)
	default:
		waits, err = r.change(e)
	}
	if waits != nil || err != nil {
		return waits, err
	}
	e.Reply = &model.SQLReply{Affected: int64(len(e.output))}
	if e.Statement.Items != nil {
		e.Reply.Columns, e.Reply.Rows = columnNames(e.in, e.Statement.Items), e.output
	}
	return nil, nil
}

// commandOf names the command of a statement.
func commandOf(s *model.SQLStatement) string {
	return [...]string{"SELECT FOR UPDATE", "INSERT", "UPDATE", "DELETE", "CREATE TABLE"}[s.Does]
}

// makeTable is CREATE TABLE. It is part of its transaction: others see the table when that commits. Who creates the same
// table meanwhile waits, and then finds it; Postgres may tell it of a duplicate in the catalogue, even with IF NOT EXISTS.
func (r *Relational) makeTable(e *Execution) (*Transaction, *model.SQLError) {
	s := e.Statement
	found, maker := r.find(e.t, s.Table)
	switch {
	case maker != nil:
		return maker, nil
	case found != nil && !s.Create.IfNotExists:
		return nil, failure(model.SQLDuplicateTable, "relation %q already exists", s.Table)
	case found == nil:
		made, err := newTable(s)
		if err != nil {
			return nil, err
		}
		made.maker = e.t
		r.tables = append(r.tables, made)
		e.t.made = append(e.t.made, made)
	}
	e.Reply = &model.SQLReply{}
	return nil, nil
}

// plan finds the table, checks all names, and finds the rows that the statement is about.
func (r *Relational) plan(e *Execution) *model.SQLError {
	s := e.Statement
	if s.Params > len(e.Args) {
		return failure(model.SQLUndefinedParameter, "there is no parameter $%d", s.Params)
	}
	sc, err := r.scope(e, s, nil)
	if err != nil {
		return err
	}
	if err := sc.check(s); err != nil {
		return err
	}
	e.planned, e.in = true, sc.in
	if s.Does == model.SQLInsert {
		e.values, err = sc.valuesToInsert(s)
		return err
	}
	if s.Table == "" {
		return nil
	}
	e.found, err = sc.matching(s.Where)
	return err
}

// matching is the rows that the snapshot shows and that meet a condition, in the order of the table. A serializable
// transaction has read them, and that there are no others.
func (s *scope) matching(where *model.SQLExpr) ([]*row, *model.SQLError) {
	rows, k, text := s.in.rows, (*key)(nil), ""
	if k, text = s.pinned(where); k != nil {
		rows = k.index[text]
	}
	s.e.t.has(reading{s.in, k, text})
	var out []*row
	var has *version // of the key: which row has it
	for _, x := range rows {
		v := x.seen(s.e.t, s.e.snapshot)
		if s.values = v.values; s.values == nil {
			continue
		}
		if k != nil && is(k, v.values, text) {
			has = &v
		}
		ok, err := s.holds(where)
		if err != nil {
			return nil, err
		}
		if ok && k == nil {
			s.e.t.read(x.objects(v.values)[0], v.commit)
		}
		if ok {
			out = append(out, x)
		}
	}
	if k != nil {
		s.r.looked(s.e.t, s.in, k, text, has, s.e.snapshot)
	}
	return out, nil
}

// read is SELECT.
func (r *Relational) read(e *Execution) (*Transaction, *model.SQLError) {
	s := e.Statement
	sc, err := r.scope(e, s, nil)
	if err != nil {
		return nil, err
	}
	skip, count, err := sc.window(s)
	if err != nil {
		return nil, err
	}
	if e.values == nil { // the first time: the order is that of the snapshot
		if err := sc.sort(s.Order, e.found); err != nil {
			return nil, err
		}
		e.values = [][]model.SQLValue{}
	}
	if s.Lock == model.SQLNoLock {
		e.taken = e.found
	} else if waits, err := r.lock(e, sc, skip+count); waits != nil || err != nil {
		return waits, err
	}
	var rows [][]model.SQLValue
	for _, x := range e.taken {
		rows = append(rows, current(x, e))
	}
	if s.Table == "" { // one row of nothing
		if ok, err := sc.holds(s.Where); err != nil {
			return nil, err
		} else if ok {
			rows = [][]model.SQLValue{nil}
		}
	}
	if aggregates(s.Items) {
		sc.group, sc.grouped, rows = rows, true, [][]model.SQLValue{nil}
	}
	rows = rows[min(int64(len(rows)), skip):]
	rows = rows[:min(int64(len(rows)), count)]
	for _, values := range rows {
		if err := sc.output(values); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// current is what a statement works on: of a row that its transaction has locked the newest version, otherwise what the
// snapshot shows.
func current(x *row, e *Execution) []model.SQLValue {
	if x.owner == e.t && !x.dirty {
		return x.latest().values
	}
	return x.seen(e.t, e.snapshot).values
}

// lock makes the statement's transaction the owner of the rows that it has found, in order, until there are enough. A row
// that was changed after the snapshot is looked at again: whether its newest version still meets the condition.
func (r *Relational) lock(e *Execution, sc *scope, enough int64) (*Transaction, *model.SQLError) {
	for ; e.next < len(e.found) && int64(len(e.taken)) < enough; e.next++ {
		x := e.found[e.next]
		if x.owner != nil && x.owner != e.t {
			switch e.Statement.Locked {
			case model.SQLSkipLocked:
				continue
			case model.SQLNoWait:
				return nil, failure(model.SQLLockNotAvailable, "could not obtain lock on row in relation %q", e.in.name)
			}
			return x.owner, nil
		}
		if own := x.owner == e.t && x.dirty; !own && x.latest().commit > e.snapshot {
			if e.t.Level == model.Serializable {
				return nil, failure(model.SQLSerialization, "could not serialize access due to concurrent update")
			}
			if x.latest().values == nil {
				continue
			}
			x.lock(e.t) // stays locked even if it is passed over, as in Postgres
			e.t.read(x.objects(x.latest().values)[0], x.latest().commit)
			sc.values = x.latest().values
			ok, err := sc.holds(e.Statement.Where)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
		}
		x.lock(e.t)
		e.taken = append(e.taken, x)
	}
	return nil, nil
}

// change is UPDATE and DELETE: all rows are locked, all new values are computed, then all are written.
func (r *Relational) change(e *Execution) (*Transaction, *model.SQLError) {
	s := e.Statement
	sc, err := r.scope(e, s, nil)
	if err != nil {
		return nil, err
	}
	if waits, err := r.lock(e, sc, everyRow); waits != nil || err != nil {
		return waits, err
	}
	for len(e.values) < len(e.taken) {
		values := []model.SQLValue(nil) // DELETE
		if s.Does == model.SQLUpdate {
			sc.values = current(e.taken[len(e.values)], e)
			if values, err = sc.set(s.Set); err != nil {
				return nil, err
			}
		}
		e.values = append(e.values, values)
	}
	for ; e.put < len(e.taken); e.put++ {
		x, values := e.taken[e.put], e.values[e.put]
		shown := values
		if s.Does == model.SQLDelete {
			shown = current(x, e)
		}
		if waits, err := r.put(e, x, values); waits != nil || err != nil {
			return waits, err
		}
		if err := sc.output(shown); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// put writes a row that the transaction owns, unless another one has or may get a key of it.
func (r *Relational) put(e *Execution, x *row, values []model.SQLValue) (*Transaction, *model.SQLError) {
	hit, k, waits := collision(e, x, values, e.in.keys)
	if waits != nil {
		return waits, nil
	}
	if hit != nil {
		return nil, r.violation(e, k)
	}
	names := x.names(current(x, e), values)
	x.write(values)
	e.t.wrote(x, names)
	e.wrote = append(e.wrote, x)
	return nil, nil
}

// insert is INSERT: row by row.
func (r *Relational) insert(e *Execution) (*Transaction, *model.SQLError) {
	sc, err := r.scope(e, e.Statement, nil)
	if err != nil {
		return nil, err
	}
	for ; e.put < len(e.values); e.put++ {
		waits, err := r.insertRow(e, sc, e.values[e.put])
		if waits != nil || err != nil {
			return waits, err
		}
	}
	return nil, nil
}

func (r *Relational) insertRow(e *Execution, sc *scope, values []model.SQLValue) (*Transaction, *model.SQLError) {
	keys, err := arbiters(e)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if text, ok := k.at(values); ok {
			e.t.has(reading{e.in, k, text})
		}
	}
	hit, k, waits := collision(e, nil, values, keys)
	if waits != nil {
		return waits, nil
	}
	r.arbitrated(e, keys, hit, k, values)
	if hit != nil {
		e.Recognised = true
		return r.onConflict(e, sc, hit, values)
	}
	hit, k, waits = collision(e, nil, values, e.in.keys)
	if waits != nil {
		return waits, nil
	}
	if hit != nil {
		return nil, r.violation(e, k)
	}
	x := e.in.insert(e.t, values)
	e.wrote = append(e.wrote, x)
	e.t.wrote(x, x.objects(values))
	return nil, sc.output(values)
}

// onConflict is what ON CONFLICT does with a row that has the key already. At read committed that row counts even if the
// statement's snapshot does not show it.
func (r *Relational) onConflict(e *Execution, sc *scope, hit *row, values []model.SQLValue) (*Transaction, *model.SQLError) {
	own := hit.owner == e.t && hit.dirty
	if !own && e.t.Level == model.Serializable && hit.latest().commit > e.snapshot {
		return nil, failure(model.SQLSerialization, "could not serialize access due to concurrent update")
	}
	c := e.Statement.Conflict
	if c.Set == nil {
		return nil, nil
	}
	if slices.Contains(e.wrote, hit) {
		return nil, failure(model.SQLCardinality, "ON CONFLICT DO UPDATE command cannot affect row a second time")
	}
	if hit.owner != nil && hit.owner != e.t {
		return hit.owner, nil
	}
	hit.lock(e.t)
	sc.values, sc.excluded = current(hit, e), values
	ok, err := sc.holds(c.Where)
	if err != nil || !ok {
		return nil, err
	}
	set, err := sc.set(c.Set)
	if err != nil {
		return nil, err
	}
	if waits, err := r.put(e, hit, set); waits != nil || err != nil {
		return waits, err
	}
	return nil, sc.output(set)
}

// arbitrated notes what ON CONFLICT has seen of its keys, which is the newest there is: that a row has one, or that none
// has any.
func (r *Relational) arbitrated(e *Execution, keys []*key, hit *row, of *key, values []model.SQLValue) {
	for _, k := range keys {
		text, ok := k.at(values)
		if !ok || hit != nil && k != of {
			continue
		}
		var row *version
		if hit != nil {
			v := hit.seen(e.t, r.commits)
			row = &v
		}
		r.looked(e.t, e.in, k, text, row, r.commits)
	}
}

// arbiters are the keys that ON CONFLICT is about.
func arbiters(e *Execution) ([]*key, *model.SQLError) {
	c := e.Statement.Conflict
	if c == nil {
		return nil, nil
	}
	if c.Columns == nil {
		return e.in.keys, nil
	}
	for _, k := range e.in.keys {
		same := len(k.columns) == len(c.Columns)
		for _, i := range k.columns {
			same = same && slices.Contains(c.Columns, e.in.columns[i].Name)
		}
		if same {
			return []*key{k}, nil
		}
	}
	return nil, failure(model.SQLInvalidColumn, "there is no unique or exclusion constraint matching the ON CONFLICT specification")
}

// collision finds another row that has one of the keys of these values, or the transaction on which it depends whether
// there will be one.
func collision(e *Execution, self *row, values []model.SQLValue, keys []*key) (hit *row, of *key, waits *Transaction) {
	for _, k := range keys {
		text, ok := k.at(values)
		if !ok {
			continue
		}
		for _, x := range k.index[text] {
			now := x.latest().values
			switch {
			case x == self:
				continue
			case x.dirty && x.owner != e.t:
				if is(k, now, text) || is(k, x.values, text) {
					return nil, nil, x.owner
				}
				continue
			case x.dirty:
				now = x.values
			}
			if is(k, now, text) {
				return x, k, nil
			}
		}
	}
	return nil, nil, nil
}

// violation is the error of a row whose key there is already. A serializable transaction that had looked whether it is
// there is told to repeat instead.
func (r *Relational) violation(e *Execution, k *key) *model.SQLError {
	if !r.stands(e.t) {
		return failure(model.SQLSerialization, "could not serialize access due to read/write dependencies among transactions")
	}
	e.Recognised = true
	err := failure(model.SQLUniqueViolation, "duplicate key value violates unique constraint %q", k.name)
	err.Constraint = k.name
	return err
}
