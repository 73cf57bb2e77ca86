package sqldoor

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/model"
)

// Parse reads one statement on rows, or one CREATE TABLE, in the dialect that the package comment describes. Its error is a
// *SyntaxError.
func Parse(text string) (*model.SQLStatement, error) {
	all, _, err := parseAll(text)
	switch {
	case err != nil:
		return nil, err
	case len(all) != 1 || all[0].statement == nil:
		return nil, syntaxError(text, 0, strings.TrimSpace(text), "one SELECT, INSERT, UPDATE, DELETE or CREATE TABLE")
	}
	return all[0].statement, nil
}

// ParseScript reads a schema file: statements separated by semicolons. A CREATE UNIQUE INDEX becomes a key of its table,
// which the script must have created before. The notes say what was read and is not kept: indexes, which only make a
// database faster, and foreign keys. The error joins the first problem of each statement.
func ParseScript(text string) (statements []*model.SQLStatement, notes []string, err error) {
	all, notes, err := parseAll(text)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range all {
		if c.do != model.SQLExecute {
			return nil, nil, syntaxError(text, c.from, text[c.from:c.to], "statements without a transaction")
		}
		if c.statement != nil {
			statements = append(statements, c.statement)
		}
	}
	return statements, notes, nil
}

// A command is one statement of a text: one for the database, or a bound of a transaction.
type command struct {
	from, to  int // its first word
	do        model.SQLVerb
	level     model.Isolation
	readOnly  bool
	statement *model.SQLStatement // of SQLExecute; nil = nothing is asked of the database
}

// parseAll reads all statements of a text. One that cannot be read does not hide the problems of those behind it.
func parseAll(text string) (all []command, notes []string, err error) {
	toks, err := tokens(text)
	if err != nil {
		return nil, nil, err
	}
	var problems []error
	p := &parser{src: text, toks: toks}
	for {
		for p.symbol(";") {
		}
		if p.peek().kind == tokEnd {
			break
		}
		p.style, p.params = 0, 0
		first := p.peek()
		c := p.command(all)
		c.from, c.to = first.from, first.to
		if p.end(); p.err != nil {
			problems = append(problems, p.err)
			p.resync()
			continue
		}
		if c.do != model.SQLExecute || c.statement != nil {
			all = append(all, c)
		}
	}
	if len(problems) == 1 {
		return nil, nil, problems[0]
	}
	return all, p.notes, errors.Join(problems...)
}

// maxDepth bounds how deep expressions nest: a parser by recursive descent has the stack for its memory.
const maxDepth = 200

// A parser descends along the tokens of a text. The first problem stays in err, and from then on the parser sees nothing but the
// end, so that the rules need not ask after every step.
type parser struct {
	src    string
	toks   []token
	i      int
	err    error
	depth  int
	style  byte // of the placeholders of this statement: '$', '?' or 0
	params int
	notes  []string
}

// resync forgets the problem and goes to the end of its statement.
func (p *parser) resync() {
	p.err, p.depth = nil, 0
	for p.peek().kind != tokEnd && !p.isSymbol(0, ";") {
		p.i++
	}
}

func (p *parser) peek() token { return p.ahead(0) }

func (p *parser) ahead(n int) token {
	if last := len(p.toks) - 1; p.err != nil || p.i+n > last {
		return p.toks[last]
	}
	return p.toks[p.i+n]
}

// fail notes that the next token is none of want.
func (p *parser) fail(want string) { p.failAt(p.peek(), want) }

func (p *parser) failAt(t token, want string) {
	if p.err == nil {
		p.err = syntaxError(p.src, t.from, p.src[t.from:t.to], want)
	}
}

// words takes the keywords, all or none of them.
func (p *parser) words(words ...string) bool {
	for n, w := range words {
		if !p.isWord(n, w) {
			return false
		}
	}
	p.i += len(words)
	return true
}

func (p *parser) isWord(n int, word string) bool {
	t := p.ahead(n)
	return t.kind == tokWord && t.text == word
}

func (p *parser) symbol(s string) bool {
	if !p.isSymbol(0, s) {
		return false
	}
	p.i++
	return true
}

func (p *parser) isSymbol(n int, s string) bool {
	t := p.ahead(n)
	return t.kind == tokSymbol && t.text == s
}

func (p *parser) needWords(words ...string) {
	if !p.words(words...) {
		p.fail(strings.ToUpper(strings.Join(words, " ")))
	}
}

func (p *parser) needSymbol(s string) {
	if !p.symbol(s) {
		p.fail(s)
	}
}

// reserved words are no names unless they are quoted: those of Postgres, as far as statements here may meet them.
var reserved = strings.Fields(`all analyse analyze and any array as asc both case cast check collate column constraint create cross
	current_date current_timestamp default deferrable desc distinct do else end except exists false fetch for foreign from full grant group
	having in inner intersect into is join lateral leading left like limit localtimestamp natural not null offset on only or order
	outer primary references returning right select some table then to trailing true union unique user using values when where window with`)

func (p *parser) isName(n int) bool {
	t := p.ahead(n)
	return t.kind == tokQuoted || t.kind == tokWord && !slices.Contains(reserved, t.text)
}

// name takes the name of a thing.
func (p *parser) name(what string) string {
	if !p.isName(0) {
		p.fail("the name of " + what)
		return ""
	}
	t := p.peek()
	p.i++
	return t.text
}

// table takes the name of a table. The schema before it is passed over: the modelled database has one.
func (p *parser) table() string {
	name := p.name("a table")
	if p.symbol(".") {
		name = p.name("a table")
	}
	return name
}

// names takes (a, b).
func (p *parser) names(what string) []string {
	p.needSymbol("(")
	all := []string{p.name(what)}
	for p.symbol(",") {
		all = append(all, p.name(what))
	}
	p.needSymbol(")")
	return all
}

// whole takes a whole number without a sign.
func (p *parser) whole(what string, most int) int {
	t := p.peek()
	n, err := strconv.Atoi(t.text)
	if t.kind != tokNumber || err != nil || n > most {
		p.fail(fmt.Sprintf("%s up to %d", what, most))
		return 0
	}
	p.i++
	return n
}

// note says once what was read and is not kept.
func (p *parser) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); p.err == nil && !slices.Contains(p.notes, text) {
		p.notes = append(p.notes, text)
	}
}

// end demands that the statement is over.
func (p *parser) end() {
	if !p.isSymbol(0, ";") && p.peek().kind != tokEnd {
		p.fail("the end of the statement")
	}
}

// command reads one statement; before are the ones of the text so far.
func (p *parser) command(before []command) command {
	var s *model.SQLStatement
	switch {
	case p.isWord(0, "select"):
		s = p.selectStatement()
	case p.isWord(0, "insert"):
		s = p.insert()
	case p.words("update"):
		s = p.update()
	case p.words("delete", "from"):
		s = p.delete()
	case p.words("create", "table"):
		s = p.createTable()
	case p.words("create", "unique", "index"):
		p.uniqueIndex(before)
	case p.words("create", "index"):
		p.index()
	default:
		return p.transaction()
	}
	if s != nil {
		s.Params = p.params
	}
	return command{statement: s}
}

// transaction reads BEGIN, COMMIT and ROLLBACK in their spellings.
func (p *parser) transaction() command {
	var c command
	switch {
	case p.words("begin"), p.words("start", "transaction"):
		c.do = model.SQLBegin
	case p.words("commit"), p.words("end"):
		c.do = model.SQLCommit
	case p.words("rollback"), p.words("abort"):
		c.do = model.SQLRollback
	default:
		p.fail("SELECT, INSERT, UPDATE, DELETE, CREATE TABLE, BEGIN, COMMIT or ROLLBACK")
	}
	_ = p.words("transaction") || p.words("work")
	for c.do == model.SQLBegin && p.err == nil {
		switch {
		case p.symbol(","):
		case p.words("isolation", "level", "read", "committed"), p.words("isolation", "level", "read", "uncommitted"):
			c.level = model.ReadCommitted
		case p.words("isolation", "level", "serializable"):
			c.level = model.Serializable
		case p.words("isolation"):
			p.i += 1 // LEVEL: the level is what is not understood
			p.fail("the isolation levels READ COMMITTED and SERIALIZABLE")
		case p.words("read", "only"):
			c.readOnly = true
		case p.words("read", "write"):
			c.readOnly = false
		default:
			return c
		}
	}
	return c
}
