package sqldoor

import (
	"math"
	"slices"
	"strconv"

	"github.com/twiceless/twiceless/model"
)

// What binds tighter stands further down, as in Postgres: OR, AND, NOT, IS, comparison, IN LIKE BETWEEN, ||, + -, *, sign, cast.

func apply(op model.SQLOp, args ...*model.SQLExpr) *model.SQLExpr {
	return &model.SQLExpr{Op: op, Args: args}
}

func negated(not bool, e *model.SQLExpr) *model.SQLExpr {
	if not {
		return apply(model.SQLNot, e)
	}
	return e
}

func (p *parser) expression() *model.SQLExpr {
	e := p.conjunction()
	for p.words("or") {
		e = apply(model.SQLOr, e, p.conjunction())
	}
	return e
}

func (p *parser) conjunction() *model.SQLExpr {
	e := p.negation()
	for p.words("and") {
		e = apply(model.SQLAnd, e, p.negation())
	}
	return e
}

// nested runs a rule that may come back to itself.
func (p *parser) nested(rule func() *model.SQLExpr) *model.SQLExpr {
	if p.depth == maxDepth {
		p.fail("expressions nested up to " + strconv.Itoa(maxDepth) + " deep")
	}
	if p.err != nil {
		return &model.SQLExpr{}
	}
	p.depth++
	e := rule()
	p.depth--
	return e
}

func (p *parser) negation() *model.SQLExpr {
	if p.words("not") {
		return apply(model.SQLNot, p.nested(p.negation))
	}
	return p.is()
}

// is reads IS [NOT] NULL, TRUE and FALSE. The last two are never NULL, which is what COALESCE makes of them.
func (p *parser) is() *model.SQLExpr {
	e := p.comparison()
	for p.words("is") {
		not := p.words("not")
		switch {
		case p.words("null"):
			e = apply(model.SQLIsNull, e)
		case p.words("true"):
			e = apply(model.SQLCoalesce, e, boolean(false))
		case p.words("false"):
			e = apply(model.SQLCoalesce, apply(model.SQLNot, e), boolean(false))
		default:
			p.fail("NULL, TRUE or FALSE after IS")
		}
		e = negated(not, e)
	}
	return e
}

var comparisons = []struct {
	symbol string
	op     model.SQLOp
}{
	{"=", model.SQLEqual}, {"<>", model.SQLNotEqual}, {"!=", model.SQLNotEqual},
	{"<", model.SQLLess}, {"<=", model.SQLLessEqual}, {">", model.SQLGreater}, {">=", model.SQLGreaterEqual},
}

func (p *parser) comparison() *model.SQLExpr {
	e := p.membership()
	for _, c := range comparisons {
		if p.symbol(c.symbol) {
			return apply(c.op, e, p.membership())
		}
	}
	return e
}

// membership reads IN, LIKE and BETWEEN, and their opposites.
func (p *parser) membership() *model.SQLExpr {
	e := p.joined()
	if !p.isWord(0, "not") && !p.isWord(0, "in") && !p.isWord(0, "like") && !p.isWord(0, "between") {
		return e
	}
	not := p.words("not")
	switch {
	case p.words("in"):
		e = apply(model.SQLIn, append([]*model.SQLExpr{e}, p.list()...)...)
	case p.words("like"):
		e = apply(model.SQLLike, e, p.joined())
	case p.words("between"):
		if holdsCondition(e) { // it stands in both comparisons: nested ones would double it each time
			p.fail("a value before BETWEEN, not a condition")
		}
		low := p.joined()
		p.needWords("and")
		e = apply(model.SQLAnd, apply(model.SQLGreaterEqual, e, low), apply(model.SQLLessEqual, e, p.joined()))
	default:
		p.fail("IN, LIKE or BETWEEN after NOT")
	}
	return negated(not, e)
}

func holdsCondition(e *model.SQLExpr) bool {
	return e.Op == model.SQLAnd || e.Op == model.SQLExists || slices.ContainsFunc(e.Args, holdsCondition)
}

// list reads (1, 2, 3), with at least one.
func (p *parser) list() []*model.SQLExpr {
	p.needSymbol("(")
	if p.isWord(0, "select") {
		p.fail("a list of values after IN; a subquery only in EXISTS")
	}
	all := []*model.SQLExpr{p.nested(p.expression)}
	for p.symbol(",") {
		all = append(all, p.nested(p.expression))
	}
	p.needSymbol(")")
	return all
}

func (p *parser) joined() *model.SQLExpr {
	e := p.sum()
	for p.symbol("||") {
		e = apply(model.SQLConcat, e, p.sum())
	}
	return e
}

func (p *parser) sum() *model.SQLExpr {
	e := p.product()
	for {
		switch {
		case p.symbol("+"):
			e = apply(model.SQLAdd, e, p.product())
		case p.symbol("-"):
			e = apply(model.SQLSubtract, e, p.product())
		default:
			return e
		}
	}
}

// product has no division: what / means for whole numbers differs between the databases.
func (p *parser) product() *model.SQLExpr {
	e := p.signed()
	for p.symbol("*") {
		e = apply(model.SQLMultiply, e, p.signed())
	}
	if p.isSymbol(0, "/") || p.isSymbol(0, "%") {
		p.fail("+, - and *")
	}
	return e
}

// signed reads -x. A number with its sign is one literal, so that the lowest number can be written.
func (p *parser) signed() *model.SQLExpr {
	switch {
	case p.isSymbol(0, "-") && p.ahead(1).kind == tokNumber && !p.isSymbol(2, "::"):
		p.i++
		return p.integer("-")
	case p.symbol("-"):
		e := p.nested(p.signed)
		if e.Op == model.SQLLiteral && e.Value.Kind == model.SQLInteger && e.Value.Int != math.MinInt64 {
			e.Value.Int = -e.Value.Int
			return e
		}
		return apply(model.SQLNegate, e)
	case p.symbol("+"):
		return p.nested(p.signed)
	}
	return p.casts(p.primary())
}

func (p *parser) casts(e *model.SQLExpr) *model.SQLExpr {
	for p.symbol("::") {
		e = p.castTo(e)
	}
	return e
}

// primary reads what has no operators outside of parentheses.
func (p *parser) primary() *model.SQLExpr {
	t := p.peek()
	switch {
	case t.kind == tokNumber:
		return p.integer("")
	case t.kind == tokText:
		p.i++
		return textLiteral(t.text)
	case t.kind == tokParam:
		return p.placeholder()
	case p.symbol("("):
		if p.isWord(0, "select") {
			p.fail("a subquery only in EXISTS")
		}
		e := p.nested(p.expression)
		if p.isSymbol(0, ",") {
			p.fail("one value in parentheses, no rows")
		}
		p.needSymbol(")")
		return e
	case t.kind == tokWord:
		if e := p.keyword(); e != nil {
			return e
		}
	}
	return p.columnRef()
}

// keyword reads what a word without quotes may begin; nil = it is a name.
func (p *parser) keyword() *model.SQLExpr {
	switch {
	case p.words("null"):
		return &model.SQLExpr{}
	case p.words("true"):
		return boolean(true)
	case p.words("false"):
		return boolean(false)
	case p.words("current_timestamp"), p.words("localtimestamp"):
		if p.symbol("(") { // SQLite and MySQL know it as a function as well
			p.needSymbol(")")
		}
		return apply(model.SQLNow)
	case p.isWord(0, "interval") && (p.ahead(1).kind == tokText || p.ahead(1).kind == tokNumber): // else it is a column
		p.i++
		return p.interval()
	case p.words("exists"):
		p.needSymbol("(")
		sub := p.nested(func() *model.SQLExpr { return &model.SQLExpr{Op: model.SQLExists, Sub: p.selectStatement()} })
		p.needSymbol(")")
		return sub
	case p.words("cast"):
		p.needSymbol("(")
		e := p.nested(p.expression)
		p.needWords("as")
		e = p.castTo(e)
		p.needSymbol(")")
		return e
	case p.isSymbol(1, "("):
		return p.call()
	}
	return nil
}

// A function and how many arguments it takes; most 0 = no limit.
var functions = []struct {
	name        string
	op          model.SQLOp
	least, most int
}{
	{"now", model.SQLNow, 0, 0}, {"transaction_timestamp", model.SQLNow, 0, 0},
	{"coalesce", model.SQLCoalesce, 1, 1000}, {"ifnull", model.SQLCoalesce, 2, 2},
	{"count", model.SQLCount, 1, 1}, {"sum", model.SQLSum, 1, 1}, {"max", model.SQLMax, 1, 1}, {"min", model.SQLMin, 1, 1},
}

func (p *parser) call() *model.SQLExpr {
	name := p.peek()
	for _, f := range functions {
		if !p.words(f.name) {
			continue
		}
		p.i++ // (
		if f.op == model.SQLCount && p.symbol("*") {
			p.needSymbol(")")
			return apply(f.op)
		}
		var args []*model.SQLExpr
		for len(args) < f.most && (len(args) == 0 || p.symbol(",")) {
			args = append(args, p.nested(p.expression))
		}
		if len(args) < f.least {
			p.failAt(name, strconv.Itoa(f.least)+" arguments of "+f.name)
		}
		p.needSymbol(")")
		return apply(f.op, args...)
	}
	p.fail("the functions count, sum, max, min, coalesce, now")
	return &model.SQLExpr{}
}

// columnRef reads id, orders.id and public.orders.id.
func (p *parser) columnRef() *model.SQLExpr {
	if !p.isName(0) {
		p.fail("a value or a column")
		return &model.SQLExpr{}
	}
	path := []string{p.name("a column")}
	for len(path) < 3 && p.symbol(".") {
		path = append(path, p.name("a column"))
	}
	e := &model.SQLExpr{Op: model.SQLColumnRef, Name: path[len(path)-1]}
	if len(path) > 1 {
		e.Table = path[len(path)-2]
	}
	return e
}

// maxParams is what Postgres can number.
const maxParams = 65535

// placeholder reads $n or ?, which take the places in their order. A statement has one kind of them.
func (p *parser) placeholder() *model.SQLExpr {
	t := p.peek()
	style := p.src[t.from]
	if p.style != 0 && p.style != style {
		p.fail("placeholders of one kind in a statement, $1 or ?")
		return &model.SQLExpr{}
	}
	n := p.params + 1
	if style == '$' {
		n, _ = strconv.Atoi(t.text)
	}
	if n < 1 || n > maxParams {
		p.fail("placeholders from 1 to " + strconv.Itoa(maxParams))
		return &model.SQLExpr{}
	}
	p.i++
	p.style, p.params = style, max(p.params, n)
	return &model.SQLExpr{Op: model.SQLPlaceholder, Position: n}
}

func (p *parser) integer(sign string) *model.SQLExpr {
	n, err := strconv.ParseInt(sign+p.peek().text, 10, 64)
	if err != nil {
		p.fail("whole numbers of 64 bits; amounts in their smallest unit")
		return &model.SQLExpr{}
	}
	p.i++
	return literal(model.SQLValue{Kind: model.SQLInteger, Int: n})
}

func literal(v model.SQLValue) *model.SQLExpr { return &model.SQLExpr{Op: model.SQLLiteral, Value: v} }

func textLiteral(text string) *model.SQLExpr {
	return literal(model.SQLValue{Kind: model.SQLText, Text: text})
}

func boolean(b bool) *model.SQLExpr {
	v := model.SQLValue{Kind: model.SQLBoolean}
	if b {
		v.Int = 1
	}
	return literal(v)
}

// castTo reads a type and gives e that type. A text that stands there is read as a value of it. Placeholders keep the type of
// their value, and so does what is computed: there only casts are taken that change nothing that can be seen, such as
// count(*)::int.
func (p *parser) castTo(e *model.SQLExpr) *model.SQLExpr {
	at := p.peek()
	if e.Op == model.SQLLiteral && e.Value.Kind == model.SQLText && p.words("interval") {
		return p.intervalOf(at, e.Value.Text)
	}
	typ := p.typeName()
	switch {
	case p.err != nil || e.Op == model.SQLPlaceholder || e.Op == model.SQLLiteral && e.Value.Kind == model.SQLText && typ.json:
	case e.Op != model.SQLLiteral:
		if !slices.Contains([]model.SQLKind{model.SQLInteger, model.SQLTime, model.SQLBoolean}, typ.kind) {
			p.failAt(at, "casts of literals and placeholders, and of expressions to integers, booleans and times")
		}
	case e.Value.Kind == model.SQLNull || e.Value.Kind == typ.kind:
	case e.Value.Kind == model.SQLInteger && typ.kind == model.SQLText:
		return textLiteral(strconv.FormatInt(e.Value.Int, 10))
	default:
		v, ok := readAs(typ.kind, e.Value)
		if !ok {
			p.failAt(at, "casts of texts that are such a value")
		}
		return literal(v)
	}
	return e
}
