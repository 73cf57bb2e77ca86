package sqldoor

import (
	"slices"

	"github.com/twiceless/twiceless/model"
)

// createTable reads what follows CREATE TABLE.
func (p *parser) createTable() *model.SQLStatement {
	t := &model.SQLTable{IfNotExists: p.words("if", "not", "exists")}
	s := &model.SQLStatement{Does: model.SQLCreateTable, Table: p.table(), Create: t}
	p.needSymbol("(")
	for more := true; more; more = p.symbol(",") {
		p.element(s)
	}
	if !p.symbol(")") {
		p.fail("PRIMARY KEY, UNIQUE, NOT NULL, DEFAULT, REFERENCES, a further column or )")
	}
	p.checkTable(s)
	return s
}

// element reads one column, or one constraint of the table.
func (p *parser) element(s *model.SQLStatement) {
	if named := p.words("constraint"); named || !p.isName(0) || p.isKeyOfTable() {
		name := ""
		if named {
			name = p.name("a constraint")
		}
		p.tableConstraint(s, name)
		return
	}
	s.Create.Columns = append(s.Create.Columns, p.column(s))
}

// isKeyOfTable tells MySQL's KEY name (…) from a column that is called key, whose type follows.
func (p *parser) isKeyOfTable() bool {
	return (p.isWord(0, "key") || p.isWord(0, "index")) && (p.isSymbol(1, "(") || p.isName(1) && p.isSymbol(2, "(") && !isType(p.ahead(1).text))
}

func (p *parser) tableConstraint(s *model.SQLStatement, name string) {
	switch {
	case p.words("primary", "key"):
		p.addKey(s.Create, model.SQLKey{Name: name, Primary: true, Columns: p.names("a column")})
	case p.words("unique"):
		if p.words("key") || p.words("index") || p.isName(0) { // MySQL: UNIQUE KEY name (…)
			name = p.name("a key")
		}
		p.addKey(s.Create, model.SQLKey{Name: name, Columns: p.names("a column")})
	case p.words("foreign", "key"):
		p.names("a column")
		p.needWords("references")
		p.references(s.Table)
	case p.words("key"), p.words("index"):
		index := ""
		if p.isName(0) {
			index = p.name("an index")
		}
		p.names("a column")
		p.note("index %s of %s is not kept: it changes no answer", index, s.Table)
	default:
		// A CHECK decides whether an effect happens: leaving it out would let pass what the real database refuses.
		p.fail("columns, PRIMARY KEY, UNIQUE and FOREIGN KEY, no CHECK")
	}
}

func (p *parser) addKey(t *model.SQLTable, k model.SQLKey) { t.Keys = append(t.Keys, k) }

// references reads the rest of a foreign key, which is not kept: the code under test inserts in an order that satisfies it, or
// it would not run at all.
func (p *parser) references(table string) {
	other := p.table()
	if p.isSymbol(0, "(") {
		p.names("a column")
	}
	for p.words("on", "delete") || p.words("on", "update") {
		if p.words("cascade") || p.words("set", "null") || p.words("set", "default") {
			p.i--
			p.fail("RESTRICT or NO ACTION: foreign keys are not kept, so nothing cascades")
		}
		if !p.words("restrict") {
			p.needWords("no", "action")
		}
	}
	p.note("the foreign key of %s to %s is not kept", table, other)
}

// column reads a name, a type and what follows it, in any order.
func (p *parser) column(s *model.SQLStatement) model.SQLColumn {
	c := model.SQLColumn{Name: p.name("a column")}
	typ := p.typeName()
	c.Type, c.Size, c.Serial = typ.kind, typ.size, typ.serial
	c.NotNull = typ.serial
	for p.err == nil {
		name := ""
		if p.words("constraint") {
			name = p.name("a constraint")
		}
		switch {
		case p.words("not", "null"):
			c.NotNull = true
		case p.words("null"):
		case p.words("default"):
			c.Default = p.defaultValue(typ)
		case p.words("primary", "key"):
			p.addKey(s.Create, model.SQLKey{Name: name, Primary: true, Columns: []string{c.Name}})
			_ = p.words("asc")
		case p.words("unique"):
			p.addKey(s.Create, model.SQLKey{Name: name, Columns: []string{c.Name}})
		case p.words("references"):
			p.references(s.Table)
		case p.words("generated", "always", "as", "identity"), p.words("generated", "by", "default", "as", "identity"), p.words("auto_increment"):
			c.Serial, c.NotNull = true, true
		case p.words("autoincrement"): // SQLite, whose INTEGER has 64 bits
			c.Serial, c.NotNull, c.Size = true, true, 0
		default:
			return c
		}
	}
	return c
}

// defaultValue is a literal of the column's type, or the time.
func (p *parser) defaultValue(typ columnType) *model.SQLExpr {
	at := p.peek()
	e := p.joined()
	if e.Op != model.SQLLiteral && e.Op != model.SQLNow {
		p.failAt(at, "a literal or CURRENT_TIMESTAMP as DEFAULT")
	}
	if p.err != nil || e.Op != model.SQLLiteral {
		return e
	}
	v, ok := readAs(typ.kind, e.Value)
	switch {
	case e.Value.Kind == model.SQLNull:
		return nil
	case typ.json && e.Value.Kind == model.SQLText:
		v, ok = model.SQLValue{Kind: typ.kind, Text: e.Value.Text}, true
	}
	if !ok {
		p.failAt(at, "a DEFAULT of the type of its column")
	}
	return literal(v)
}

// checkTable finds what the parts of a CREATE TABLE say against each other.
func (p *parser) checkTable(s *model.SQLStatement) {
	var names []string
	serial, primary := 0, 0
	for _, c := range s.Create.Columns {
		if slices.Contains(names, c.Name) {
			p.fail("columns with different names: " + c.Name + " stands twice in " + s.Table)
		}
		names = append(names, c.Name)
		if c.Serial {
			serial++
		}
		if c.Serial && c.Type != model.SQLInteger {
			p.fail("integers as serial columns, not " + c.Name)
		}
	}
	for _, k := range s.Create.Keys {
		if k.Primary {
			primary++
		}
		p.checkKey(s.Table, names, k.Columns)
	}
	if len(names) == 0 || serial > 1 || primary > 1 {
		p.fail("tables of one or more columns, with at most one that is serial and at most one primary key, not " + s.Table)
	}
}

func (p *parser) checkKey(table string, columns, key []string) {
	for _, name := range key {
		if !slices.Contains(columns, name) {
			p.fail("keys of the columns of " + table + ", which has no " + name)
		}
	}
}

// index reads what follows CREATE INDEX.
func (p *parser) index() {
	name := p.indexName()
	table := p.table()
	if p.words("using") {
		p.name("a kind of index")
	}
	// What it is of does not matter: an index changes no answer.
	for p.peek().kind != tokEnd && !p.isSymbol(0, ";") {
		p.i++
	}
	p.note("index %s of %s is not kept: it changes no answer", name, table)
}

func (p *parser) indexName() string {
	p.words("concurrently")
	p.words("if", "not", "exists")
	name := ""
	if !p.isWord(0, "on") {
		name = p.name("an index")
	}
	p.needWords("on")
	return name
}

// uniqueIndex reads what follows CREATE UNIQUE INDEX and makes it a key of its table, which stands before it.
func (p *parser) uniqueIndex(before []command) {
	name := p.indexName()
	at := p.peek()
	table := p.table()
	if p.words("using") {
		p.needWords("btree")
	}
	columns := p.names("a column") // and then the end: a unique index of some rows (WHERE) is no key
	i := slices.IndexFunc(before, func(c command) bool {
		return c.statement != nil && c.statement.Does == model.SQLCreateTable && c.statement.Table == table
	})
	if i < 0 {
		p.failAt(at, "CREATE UNIQUE INDEX in the same text as the CREATE TABLE before it")
	}
	if p.err != nil {
		return
	}
	t := before[i].statement.Create
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	p.checkKey(table, names, columns)
	p.addKey(t, model.SQLKey{Name: name, Columns: columns})
}
