package downstream

import (
	"cmp"
	"math/bits"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/model"
)

// eval is the value of an expression for the present row. What is compared with or computed from NULL is NULL.
func (s *scope) eval(x *model.SQLExpr) (model.SQLValue, *model.SQLError) {
	switch x.Op {
	case model.SQLLiteral:
		return x.Value, nil
	case model.SQLPlaceholder:
		return whole(s.e.Args[x.Position-1]), nil
	case model.SQLColumnRef:
		return s.columnValue(x)
	case model.SQLNow:
		return whole(model.SQLValue{Kind: model.SQLTime, Int: s.e.t.now}), nil
	case model.SQLAnd, model.SQLOr:
		return s.connective(x)
	case model.SQLIn:
		return s.among(x)
	case model.SQLCoalesce:
		return s.coalesce(x)
	case model.SQLExists:
		return s.exists(x.Sub)
	case model.SQLCount, model.SQLSum, model.SQLMax, model.SQLMin:
		return s.aggregate(x)
	}
	args := make([]model.SQLValue, len(x.Args))
	for i, a := range x.Args {
		v, err := s.eval(a)
		if err != nil {
			return v, err
		}
		args[i] = v
	}
	if x.Op == model.SQLIsNull {
		return truth(args[0].Kind == model.SQLNull), nil
	}
	for i := range args {
		if args[i].Kind == model.SQLNull {
			return model.SQLValue{}, nil
		}
	}
	return operate(x, args)
}

// columnValue is the value of a column, whose name was checked.
func (s *scope) columnValue(x *model.SQLExpr) (v model.SQLValue, err *model.SQLError) {
	if x.Table == "excluded" && s.excluded != nil {
		return s.excluded[s.in.column(x.Name)], nil
	}
	sc, i := s.resolve(x)
	switch {
	case sc.values != nil:
		return sc.values[i], nil
	case s.grouped:
		return v, failure(model.SQLGrouping, "column %q must be used in an aggregate function", x.Name)
	}
	return v, failure(model.SQLUndefinedColumn, "there is no row here that column %q could be of", x.Name)
}

// operate is an operator whose operands are no NULLs.
func operate(x *model.SQLExpr, args []model.SQLValue) (model.SQLValue, *model.SQLError) {
	switch x.Op {
	case model.SQLNot:
		b, err := convert(args[0], model.SQLBoolean)
		return truth(b.Int == 0), err
	case model.SQLNegate:
		return arithmetic(&model.SQLExpr{Op: model.SQLSubtract}, model.SQLValue{Kind: model.SQLInteger}, args[0])
	case model.SQLLike:
		p, err := convert(args[1], model.SQLText)
		if err != nil || args[0].Kind != model.SQLText {
			return p, undefined(x, args)
		}
		return truth(like([]rune(args[0].Text), []rune(p.Text))), nil
	case model.SQLConcat:
		if args[0].Kind != model.SQLText && args[1].Kind != model.SQLText {
			return args[0], undefined(x, args)
		}
		a, _ := convert(args[0], model.SQLText)
		b, err := convert(args[1], model.SQLText)
		return model.SQLValue{Kind: model.SQLText, Text: a.Text + b.Text}, err
	case model.SQLAdd, model.SQLSubtract, model.SQLMultiply:
		if err := unify(x.Args[0], x.Args[1], &args[0], &args[1]); err != nil && args[0].Kind != model.SQLTime {
			return args[0], err
		}
		return arithmetic(x, args[0], args[1])
	}
	if err := unify(x.Args[0], x.Args[1], &args[0], &args[1]); err != nil {
		return args[0], err
	}
	c := compare(&args[0], &args[1])
	return truth([...]bool{model.SQLEqual: c == 0, model.SQLNotEqual: c != 0, model.SQLLess: c < 0, model.SQLLessEqual: c <= 0,
		model.SQLGreater: c > 0, model.SQLGreaterEqual: c >= 0}[x.Op]), nil
}

// unify makes two values of one type: a constant becomes what the other side is.
func unify(xa, xb *model.SQLExpr, a, b *model.SQLValue) *model.SQLError {
	var err *model.SQLError
	switch {
	case a.Kind == b.Kind:
	case constant(xb):
		*b, err = convert(*b, a.Kind)
	case constant(xa):
		*a, err = convert(*a, b.Kind)
	default:
		err = failure(model.SQLUndefinedFunction, "operator does not exist: %v = %v", a.Kind, b.Kind)
	}
	return err
}

func constant(x *model.SQLExpr) bool { return x.Op == model.SQLLiteral || x.Op == model.SQLPlaceholder }

func undefined(x *model.SQLExpr, args []model.SQLValue) *model.SQLError {
	return failure(model.SQLUndefinedFunction, "operator %d does not exist for %v and %v", x.Op, args[0].Kind, args[len(args)-1].Kind)
}

// compare orders two values of one type; text by its bytes, as in the collation C.
func compare(a, b *model.SQLValue) int {
	if c := cmp.Compare(a.Int, b.Int); c != 0 {
		return c
	}
	return strings.Compare(a.Text, b.Text)
}

// arithmetic is exact or an error. A time and an integer of ns, which an interval is, make a time.
func arithmetic(x *model.SQLExpr, a, b model.SQLValue) (model.SQLValue, *model.SQLError) {
	timed := a.Kind == model.SQLTime && x.Op != model.SQLMultiply
	if a.Kind != model.SQLInteger && !timed || b.Kind != model.SQLInteger {
		return a, undefined(x, []model.SQLValue{a, b})
	}
	out := model.SQLValue{Kind: a.Kind}
	over := false
	switch x.Op {
	case model.SQLAdd:
		out.Int = a.Int + b.Int
		over = (a.Int > 0) == (b.Int > 0) && (out.Int > 0) != (a.Int > 0) && a.Int != 0 && b.Int != 0
	case model.SQLSubtract:
		out.Int = a.Int - b.Int
		over = (a.Int < 0) != (b.Int < 0) && (out.Int < 0) != (a.Int < 0)
	default:
		high, low := bits.Mul64(magnitude(a.Int), magnitude(b.Int))
		out.Int = a.Int * b.Int
		over = high != 0 || low != magnitude(out.Int) || out.Int != 0 && (out.Int < 0) != ((a.Int < 0) != (b.Int < 0))
	}
	if over {
		return a, failure(model.SQLOutOfRange, "bigint out of range")
	}
	return whole(out), nil
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// connective is AND and OR: what decides alone decides, even beside NULL.
func (s *scope) connective(x *model.SQLExpr) (model.SQLValue, *model.SQLError) {
	decides := truth(x.Op == model.SQLOr)
	out := truth(x.Op == model.SQLAnd)
	for _, a := range x.Args {
		v, err := s.eval(a)
		if err == nil {
			v, err = convert(v, model.SQLBoolean)
		}
		if err != nil || v == decides {
			return v, err
		}
		if v.Kind == model.SQLNull {
			out = v
		}
	}
	return out, nil
}

// among is IN: NULL where nothing is equal and something is NULL.
func (s *scope) among(x *model.SQLExpr) (model.SQLValue, *model.SQLError) {
	out := truth(false)
	for _, a := range x.Args[1:] {
		v, err := s.eval(&model.SQLExpr{Op: model.SQLEqual, Args: []*model.SQLExpr{x.Args[0], a}})
		if err != nil || v == truth(true) {
			return v, err
		}
		if v.Kind == model.SQLNull {
			out = v
		}
	}
	return out, nil
}

func (s *scope) coalesce(x *model.SQLExpr) (v model.SQLValue, err *model.SQLError) {
	for _, a := range x.Args {
		if v, err = s.eval(a); err != nil || v.Kind != model.SQLNull {
			break
		}
	}
	return v, err
}

// exists runs a subselect under the statement's snapshot.
func (s *scope) exists(sub *model.SQLStatement) (model.SQLValue, *model.SQLError) {
	sc, err := s.r.scope(s.e, sub, s)
	if err != nil {
		return model.SQLValue{}, err
	}
	if sc.in == nil { // one row of nothing
		ok, err := sc.holds(sub.Where)
		return truth(ok || aggregates(sub.Items)), err
	}
	rows, err := sc.matching(sub.Where)
	return truth(len(rows) > 0 || aggregates(sub.Items)), err
}

// aggregates says whether an answer is one row about all rows.
func aggregates(items []model.SQLItem) bool {
	for _, it := range items {
		if it.Expr != nil && aggregated(it.Expr) {
			return true
		}
	}
	return false
}

func aggregated(x *model.SQLExpr) bool {
	if x.Op == model.SQLCount || x.Op == model.SQLSum || x.Op == model.SQLMax || x.Op == model.SQLMin {
		return true
	}
	for _, a := range x.Args {
		if aggregated(a) {
			return true
		}
	}
	return false
}

// aggregate passes over NULLs. Of no rows COUNT is 0 and the others are NULL.
func (s *scope) aggregate(x *model.SQLExpr) (model.SQLValue, *model.SQLError) {
	count, out := int64(0), model.SQLValue{}
	if !s.grouped {
		return out, failure(model.SQLGrouping, "aggregate functions are not allowed here")
	}
	one := *s
	one.grouped = false
	for _, values := range s.group {
		if len(x.Args) == 0 {
			count++
			continue
		}
		one.values = values
		v, err := one.eval(x.Args[0])
		if err != nil {
			return v, err
		}
		if v.Kind == model.SQLNull {
			continue
		}
		count++
		switch {
		case count == 1 && x.Op != model.SQLSum:
			out = v
		case x.Op == model.SQLSum:
			if count == 1 {
				out = model.SQLValue{Kind: model.SQLInteger}
			}
			if out, err = arithmetic(&model.SQLExpr{Op: model.SQLAdd}, out, v); err != nil {
				return out, err
			}
		case x.Op == model.SQLMax && compare(&v, &out) > 0, x.Op == model.SQLMin && compare(&v, &out) < 0:
			out = v
		}
	}
	if x.Op == model.SQLCount {
		out = model.SQLValue{Kind: model.SQLInteger, Int: count}
	}
	return out, nil
}

// holds says whether a condition is true; nil always is, NULL never.
func (s *scope) holds(where *model.SQLExpr) (bool, *model.SQLError) {
	if where == nil {
		return true, nil
	}
	v, err := s.eval(where)
	if err == nil && v.Kind != model.SQLBoolean && v.Kind != model.SQLNull {
		err = failure(model.SQLDatatypeMismatch, "argument of WHERE must be type boolean, not type %v", v.Kind)
	}
	return v == truth(true), err
}

func truth(b bool) model.SQLValue { return model.SQLValue{Kind: model.SQLBoolean, Int: flag(b)} }

// whole cuts a time off at microseconds.
func whole(v model.SQLValue) model.SQLValue {
	const micro = 1000
	if v.Kind == model.SQLTime {
		v.Int -= (v.Int%micro + micro) % micro
	}
	return v
}

// convert reads a value as another type.
func convert(v model.SQLValue, to model.SQLKind) (model.SQLValue, *model.SQLError) {
	from := v.Kind
	switch {
	case from == to || from == model.SQLNull || to == model.SQLNull:
		return v, nil
	case from == model.SQLText && to == model.SQLBytes, from == model.SQLBytes && to == model.SQLText:
		v.Kind = to
		return v, nil
	case to == model.SQLText && from == model.SQLInteger:
		return model.SQLValue{Kind: to, Text: strconv.FormatInt(v.Int, 10)}, nil
	case to == model.SQLText && from == model.SQLBoolean:
		return model.SQLValue{Kind: to, Text: strconv.FormatBool(v.Int != 0)}, nil
	case from == model.SQLText && to == model.SQLInteger:
		n, err := strconv.ParseInt(strings.TrimSpace(v.Text), 10, 64)
		if err != nil {
			return v, failure(model.SQLInvalidText, "invalid input syntax for type bigint: %q", v.Text)
		}
		return model.SQLValue{Kind: to, Int: n}, nil
	case from == model.SQLText && to == model.SQLBoolean:
		switch strings.ToLower(strings.TrimSpace(v.Text)) {
		case "t", "true", "y", "yes", "on", "1":
			return truth(true), nil
		case "f", "false", "n", "no", "off", "0":
			return truth(false), nil
		}
		return v, failure(model.SQLInvalidText, "invalid input syntax for type boolean: %q", v.Text)
	}
	return v, failure(model.SQLDatatypeMismatch, "a value of type %v cannot stand for type %v", from, to)
}

// like matches % with any text and _ with any character; a backslash takes the next character as it is.
func like(text, pattern []rune) bool {
	for len(pattern) > 0 {
		switch c := pattern[0]; {
		case c == '%':
			for i := range len(text) + 1 {
				if like(text[i:], pattern[1:]) {
					return true
				}
			}
			return false
		case len(text) == 0:
			return false
		case c == '_':
		case c == '\\' && len(pattern) > 1:
			if pattern = pattern[1:]; pattern[0] != text[0] {
				return false
			}
		case c != text[0]:
			return false
		}
		text, pattern = text[1:], pattern[1:]
	}
	return len(text) == 0
}
