package downstream

import (
	"math/bits"
	"slices"

	"github.com/twiceless/twiceless/model"
)

// everyRow is a limit that is none.
const everyRow = int64(1) << 61

// scope is what the names of a statement mean while one row of it is looked at.
type scope struct {
	r        *Relational
	e        *Execution
	in       *table // nil = a statement without a table
	name     string // of the table, or its alias
	values   []model.SQLValue
	excluded []model.SQLValue   // in ON CONFLICT DO UPDATE: the row that was to be inserted
	group    [][]model.SQLValue // of aggregates
	grouped  bool
	outer    *scope // of a subselect
}

func (r *Relational) scope(e *Execution, s *model.SQLStatement, outer *scope) (*scope, *model.SQLError) {
	sc := &scope{r: r, e: e, name: s.Table, outer: outer}
	if s.Alias != "" {
		sc.name = s.Alias
	}
	if s.Table == "" {
		return sc, nil
	}
	if sc.in, _ = r.find(e.t, s.Table); sc.in == nil {
		return nil, failure(model.SQLUndefinedTable, "relation %q does not exist", s.Table)
	}
	return sc, nil
}

// check looks up every name of a statement, so that a wrong one is an error also while there are no rows.
func (s *scope) check(st *model.SQLStatement) *model.SQLError {
	for _, name := range st.Columns {
		if s.in.column(name) < 0 {
			return s.unknown(name)
		}
	}
	exprs := []*model.SQLExpr{st.Where, st.Limit, st.Offset}
	for _, values := range st.Values {
		exprs = append(exprs, values...)
	}
	sets := st.Set
	if c := st.Conflict; c != nil {
		sets, exprs = c.Set, append(exprs, c.Where)
	}
	for _, set := range sets {
		if s.in.column(set.Column) < 0 {
			return s.unknown(set.Column)
		}
		exprs = append(exprs, set.To)
	}
	for _, it := range st.Items {
		if it.Star && s.in == nil {
			return failure(model.SQLSyntax, "SELECT * with no tables specified is not valid")
		}
		exprs = append(exprs, it.Expr)
	}
	for _, o := range st.Order {
		exprs = append(exprs, o.By)
	}
	for _, x := range exprs {
		if err := s.checkExpr(x, st.Does == model.SQLInsert && st.Conflict != nil); err != nil {
			return err
		}
	}
	if aggregates(st.Items) && st.Lock != model.SQLNoLock {
		return failure(model.SQLFeatureNotSupported, "FOR UPDATE is not allowed with aggregate functions")
	}
	return nil
}

func (s *scope) checkExpr(x *model.SQLExpr, excluded bool) *model.SQLError {
	if x == nil {
		return nil
	}
	if x.Op == model.SQLColumnRef && (!excluded || x.Table != "excluded" || s.in.column(x.Name) < 0) {
		if sc, _ := s.resolve(x); sc == nil {
			return s.missing(x)
		}
	}
	for _, a := range x.Args {
		if err := s.checkExpr(a, excluded); err != nil {
			return err
		}
	}
	if x.Sub != nil {
		sub, err := s.r.scope(s.e, x.Sub, s)
		if err != nil {
			return err
		}
		return sub.check(x.Sub)
	}
	return nil
}

func (s *scope) unknown(column string) *model.SQLError {
	return failure(model.SQLUndefinedColumn, "column %q does not exist", column)
}

// missing is a column reference that leads nowhere.
func (s *scope) missing(x *model.SQLExpr) *model.SQLError {
	for sc := s; sc != nil; sc = sc.outer {
		if x.Table == "" || x.Table == sc.name {
			return s.unknown(x.Name)
		}
	}
	return failure(model.SQLUndefinedTable, "missing FROM-clause entry for table %q", x.Table)
}

// resolve finds the scope and position of a column; a nil scope = there is none.
func (s *scope) resolve(x *model.SQLExpr) (*scope, int) {
	for ; s != nil; s = s.outer {
		if s.in == nil || x.Table != "" && x.Table != s.name {
			continue
		}
		if i := s.in.column(x.Name); i >= 0 {
			return s, i
		}
	}
	return nil, -1
}

// pinned is the key that a condition names by equality with constants; nil = none.
func (s *scope) pinned(where *model.SQLExpr) (*key, string) {
	values := make([]model.SQLValue, len(s.in.columns))
	s.pin(where, values)
	for _, k := range s.in.keys {
		if text, ok := k.at(values); ok {
			return k, text
		}
	}
	return nil, ""
}

func (s *scope) pin(x *model.SQLExpr, values []model.SQLValue) {
	if x == nil {
		return
	}
	if x.Op == model.SQLAnd {
		for _, a := range x.Args {
			s.pin(a, values)
		}
		return
	}
	if x.Op != model.SQLEqual {
		return
	}
	column, constant := x.Args[0], x.Args[1]
	if constant.Op == model.SQLColumnRef {
		column, constant = constant, column
	}
	if column.Op != model.SQLColumnRef || constant.Op != model.SQLLiteral && constant.Op != model.SQLPlaceholder {
		return
	}
	if sc, i := s.resolve(column); sc == s {
		if v, err := s.eval(constant); err == nil {
			if v, err = convert(v, s.in.columns[i].Type); err == nil {
				values[i] = v
			}
		}
	}
}

// window is OFFSET and LIMIT.
func (s *scope) window(st *model.SQLStatement) (skip, count int64, err *model.SQLError) {
	if skip, err = s.bound(st.Offset, 0); err == nil {
		count, err = s.bound(st.Limit, everyRow)
	}
	return skip, count, err
}

func (s *scope) bound(x *model.SQLExpr, none int64) (int64, *model.SQLError) {
	if x == nil {
		return none, nil
	}
	v, err := s.eval(x)
	if err == nil {
		v, err = convert(v, model.SQLInteger)
	}
	if err != nil || v.Kind == model.SQLNull {
		return none, err
	}
	if v.Int < 0 {
		return 0, failure("2201W", "LIMIT must not be negative")
	}
	return min(v.Int, everyRow), nil
}

// sort orders rows by what the snapshot shows of them; equal ones stay in the order of the table.
func (s *scope) sort(by []model.SQLOrder, rows []*row) *model.SQLError {
	if len(by) == 0 {
		return nil
	}
	type keyed struct {
		x    *row
		keys []model.SQLValue
	}
	list := make([]keyed, len(rows))
	for i, x := range rows {
		list[i].x = x
		s.values = x.seen(s.e.t, s.e.snapshot).values
		for _, o := range by {
			v, err := s.eval(o.By)
			if err != nil {
				return err
			}
			list[i].keys = append(list[i].keys, v)
		}
	}
	slices.SortStableFunc(list, func(a, b keyed) int {
		for i, o := range by {
			if c := orderOf(&a.keys[i], &b.keys[i]); c != 0 {
				if o.Desc {
					return -c
				}
				return c
			}
		}
		return 0
	})
	for i := range list {
		rows[i] = list[i].x
	}
	return nil
}

// orderOf compares values of one column; NULL is greater than all others.
func orderOf(a, b *model.SQLValue) int {
	switch an, bn := a.Kind == model.SQLNull, b.Kind == model.SQLNull; {
	case an && bn:
		return 0
	case an:
		return 1
	case bn:
		return -1
	}
	return compare(a, b)
}

// output adds what the statement answers for one row.
func (s *scope) output(values []model.SQLValue) *model.SQLError {
	s.values = values
	var out []model.SQLValue
	for _, it := range s.e.Statement.Items {
		if it.Star {
			out = append(out, values...)
			continue
		}
		v, err := s.eval(it.Expr)
		if err != nil {
			return err
		}
		out = append(out, v)
	}
	s.e.output = append(s.e.output, out)
	return nil
}

// columnNames of an answer.
func columnNames(in *table, items []model.SQLItem) []string {
	var out []string
	for _, it := range items {
		switch {
		case it.Star:
			for i := range in.columns {
				out = append(out, in.columns[i].Name)
			}
		case it.Name != "":
			out = append(out, it.Name)
		default:
			out = append(out, nameOf(it.Expr))
		}
	}
	return out
}

func nameOf(x *model.SQLExpr) string {
	switch x.Op {
	case model.SQLColumnRef:
		return x.Name
	case model.SQLNow:
		return "now"
	case model.SQLCoalesce:
		return "coalesce"
	case model.SQLExists:
		return "exists"
	case model.SQLCount:
		return "count"
	case model.SQLSum:
		return "sum"
	case model.SQLMax:
		return "max"
	case model.SQLMin:
		return "min"
	}
	return "?column?"
}

// valuesToInsert are the rows of VALUES with their defaults.
func (s *scope) valuesToInsert(st *model.SQLStatement) ([][]model.SQLValue, *model.SQLError) {
	out := make([][]model.SQLValue, 0, len(st.Values))
	for _, exprs := range st.Values {
		to := make([]*model.SQLExpr, len(s.in.columns))
		if st.Columns != nil && len(exprs) != len(st.Columns) || len(exprs) > len(to) {
			return nil, failure(model.SQLSyntax, "INSERT has other numbers of expressions and target columns")
		}
		for i, x := range exprs {
			at := i
			if st.Columns != nil {
				at = s.in.column(st.Columns[i])
			}
			to[at] = x
		}
		values := make([]model.SQLValue, len(to))
		for i, x := range to {
			if err := s.assign(values, i, x); err != nil {
				return nil, err
			}
		}
		if err := s.notNull(values); err != nil {
			return nil, err
		}
		out = append(out, values)
	}
	return out, nil
}

// set is the row that assignments make of the present one.
func (s *scope) set(sets []model.SQLSet) ([]model.SQLValue, *model.SQLError) {
	values := slices.Clone(s.values)
	for _, set := range sets {
		if err := s.assign(values, s.in.column(set.Column), set.To); err != nil {
			return nil, err
		}
	}
	return values, s.notNull(values)
}

// assign sets one column of a row; a nil expression is the default.
func (s *scope) assign(values []model.SQLValue, column int, x *model.SQLExpr) *model.SQLError {
	c := &s.in.columns[column]
	if x == nil {
		if c.Serial {
			s.in.serial++
			values[column] = model.SQLValue{Kind: model.SQLInteger, Int: s.in.serial}
			return nil
		}
		x = c.Default
	}
	if x == nil {
		values[column] = model.SQLValue{}
		return nil
	}
	v, err := s.eval(x)
	if err == nil {
		v, err = convert(v, c.Type)
	}
	if err != nil {
		return err
	}
	values[column] = v
	return fits(c, &v)
}

func (s *scope) notNull(values []model.SQLValue) *model.SQLError {
	for i := range values {
		if values[i].Kind == model.SQLNull && s.in.columns[i].NotNull {
			return failure(model.SQLNotNullViolation, "null value in column %q of relation %q violates not-null constraint", s.in.columns[i].Name, s.in.name)
		}
	}
	return nil
}

// fits says whether a value of the column's type is within its size.
func fits(c *model.SQLColumn, v *model.SQLValue) *model.SQLError {
	switch {
	case c.Size == 0:
	case v.Kind == model.SQLInteger && bits.Len64(uint64(v.Int^v.Int>>63)) >= c.Size:
		return failure(model.SQLOutOfRange, "integer out of range")
	case v.Kind == model.SQLText && len([]rune(v.Text)) > c.Size:
		return failure(model.SQLValueTooLong, "value too long for type character varying(%d)", c.Size)
	}
	return nil
}
