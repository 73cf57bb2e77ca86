package sqldoor

import "github.com/twiceless/twiceless/model"

// selectStatement reads a SELECT of one table, or of none.
func (p *parser) selectStatement() *model.SQLStatement {
	p.needWords("select")
	p.words("all")
	s := &model.SQLStatement{Does: model.SQLSelect, Items: p.items()}
	if p.words("from") {
		s.Table, s.Alias = p.table(), p.alias()
	}
	if p.words("where") {
		s.Where = p.expression()
	}
	if p.words("order", "by") {
		s.Order = p.order()
	}
	p.limits(s)
	p.lock(s)
	if !p.isSymbol(0, ")") && !p.isSymbol(0, ";") && p.peek().kind != tokEnd {
		p.fail("FROM with one table, WHERE, ORDER BY, LIMIT, OFFSET, FOR UPDATE (in this order) or the end of a SELECT")
	}
	return s
}

// items reads what SELECT or RETURNING answers with.
func (p *parser) items() []model.SQLItem {
	all := []model.SQLItem{p.item()}
	for p.symbol(",") {
		all = append(all, p.item())
	}
	return all
}

func (p *parser) item() model.SQLItem {
	if p.symbol("*") {
		return model.SQLItem{Star: true}
	}
	if p.isName(0) && p.isSymbol(1, ".") && p.isSymbol(2, "*") {
		p.i += 3
		return model.SQLItem{Star: true}
	}
	item := model.SQLItem{Expr: p.expression()}
	if p.words("as") || p.isName(0) {
		item.Name = p.name("a column of the answer")
	}
	return item
}

// alias reads AS o, or o alone. SET and ON are names that may follow a table as well, and never stand for it here.
func (p *parser) alias() string {
	if p.words("as") {
		return p.name("an alias")
	}
	if p.isName(0) && !p.isWord(0, "set") {
		return p.name("an alias")
	}
	return ""
}

func (p *parser) order() []model.SQLOrder {
	var all []model.SQLOrder
	for more := true; more; more = p.symbol(",") {
		by := model.SQLOrder{By: p.expression()}
		if !p.words("asc") {
			by.Desc = p.words("desc")
		}
		// NULL stands above every value; any other place is not modelled.
		if by.Desc {
			p.words("nulls", "first")
		} else {
			p.words("nulls", "last")
		}
		if p.isWord(0, "nulls") {
			p.fail("ASC NULLS LAST and DESC NULLS FIRST")
		}
		all = append(all, by)
	}
	return all
}

// limits reads LIMIT and OFFSET, in either order.
func (p *parser) limits(s *model.SQLStatement) {
	for {
		switch {
		case s.Limit == nil && p.words("limit"):
			s.Limit = p.expression()
		case s.Offset == nil && p.words("offset"):
			s.Offset = p.expression()
			_ = p.words("rows") || p.words("row")
		default:
			return
		}
	}
}

// lock reads FOR UPDATE. FOR NO KEY UPDATE differs from it only where foreign keys are. FOR SHARE is not taken for it: two
// readers would wait for each other that in truth do not.
func (p *parser) lock(s *model.SQLStatement) {
	switch {
	case p.words("for", "update"), p.words("for", "no", "key", "update"):
		s.Lock = model.SQLForUpdate
	case p.isWord(0, "for"):
		p.i++
		p.fail("FOR UPDATE")
		return
	default:
		return
	}
	if p.words("of") {
		p.table()
	}
	switch {
	case p.words("nowait"):
		s.Locked = model.SQLNoWait
	case p.words("skip", "locked"):
		s.Locked = model.SQLSkipLocked
	}
}

// insert reads INSERT. INSERT IGNORE and INSERT OR IGNORE are ON CONFLICT DO NOTHING.
func (p *parser) insert() *model.SQLStatement {
	s := &model.SQLStatement{Does: model.SQLInsert}
	p.needWords("insert")
	if p.words("or", "ignore") || p.words("ignore") {
		s.Conflict = &model.SQLConflict{}
	}
	p.needWords("into")
	s.Table = p.table()
	if p.words("as") {
		s.Alias = p.name("an alias")
	}
	if p.isSymbol(0, "(") {
		s.Columns = p.names("a column")
	}
	p.needWords("values")
	for more := true; more; more = p.symbol(",") {
		s.Values = append(s.Values, p.row(s.Columns))
	}
	if s.Conflict == nil && p.words("on", "conflict") {
		s.Conflict = p.conflict()
	}
	p.returning(s)
	return s
}

// row reads (1, $2, DEFAULT), one expression for each column if columns are named.
func (p *parser) row(columns []string) []*model.SQLExpr {
	open := p.peek()
	p.needSymbol("(")
	row := []*model.SQLExpr{p.valueOrDefault()}
	for p.symbol(",") {
		row = append(row, p.valueOrDefault())
	}
	if columns != nil && len(row) != len(columns) {
		p.failAt(open, "as many values as columns")
	}
	p.needSymbol(")")
	return row
}

// valueOrDefault is nil for DEFAULT.
func (p *parser) valueOrDefault() *model.SQLExpr {
	if p.words("default") {
		return nil
	}
	return p.expression()
}

func (p *parser) conflict() *model.SQLConflict {
	c := &model.SQLConflict{}
	if p.isSymbol(0, "(") {
		c.Columns = p.names("a column of a key")
	}
	switch {
	case p.words("do", "nothing"):
		return c
	case c.Columns != nil && p.words("do", "update", "set"):
		c.Set = p.assignments()
	case c.Columns == nil:
		p.fail("ON CONFLICT DO NOTHING, or ON CONFLICT with the columns of a key")
	default:
		p.fail("DO NOTHING or DO UPDATE SET")
	}
	if p.words("where") {
		c.Where = p.expression()
	}
	return c
}

func (p *parser) update() *model.SQLStatement {
	s := &model.SQLStatement{Does: model.SQLUpdate}
	s.Table, s.Alias = p.table(), p.alias()
	p.needWords("set")
	s.Set = p.assignments()
	p.whereReturning(s)
	return s
}

func (p *parser) assignments() []model.SQLSet {
	var all []model.SQLSet
	for more := true; more; more = p.symbol(",") {
		column := p.name("a column")
		if p.symbol(".") { // SQLite and MySQL let the table stand before it
			column = p.name("a column")
		}
		p.needSymbol("=")
		all = append(all, model.SQLSet{Column: column, To: p.valueOrDefault()})
	}
	return all
}

func (p *parser) delete() *model.SQLStatement {
	s := &model.SQLStatement{Does: model.SQLDelete}
	s.Table, s.Alias = p.table(), p.alias()
	p.whereReturning(s)
	return s
}

func (p *parser) whereReturning(s *model.SQLStatement) {
	if p.words("where") {
		s.Where = p.expression()
	}
	p.returning(s)
}

func (p *parser) returning(s *model.SQLStatement) {
	if p.words("returning") {
		s.Items = p.items()
	}
}
