package sqldoor

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twiceless/twiceless/model"
)

// print writes a statement as SQL again, with all parentheses, so that a reader sees how it was understood and Parse can read
// it back.
func print(s *model.SQLStatement) string {
	var b strings.Builder
	add := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	table := quote(s.Table)
	if s.Alias != "" {
		table += " AS " + quote(s.Alias)
	}
	switch s.Does {
	case model.SQLCreateTable:
		return printCreate(s)
	case model.SQLSelect:
		add("SELECT %s", printItems(s.Items))
		if s.Table != "" {
			add(" FROM %s", table)
		}
	case model.SQLInsert:
		add("INSERT INTO %s", table)
		if s.Columns != nil {
			add(" %s", quoteAll(s.Columns))
		}
		var rows []string
		for _, row := range s.Values {
			rows = append(rows, "("+each(row, printValue)+")")
		}
		add(" VALUES %s", strings.Join(rows, ", "))
		add("%s", printConflict(s.Conflict))
	case model.SQLUpdate:
		add("UPDATE %s SET %s", table, each(s.Set, printSet))
	case model.SQLDelete:
		add("DELETE FROM %s", table)
	}
	if s.Where != nil {
		add(" WHERE %s", printExpr(s.Where))
	}
	if s.Order != nil {
		add(" ORDER BY %s", each(s.Order, printOrder))
	}
	if s.Limit != nil {
		add(" LIMIT %s", printExpr(s.Limit))
	}
	if s.Offset != nil {
		add(" OFFSET %s", printExpr(s.Offset))
	}
	if s.Lock == model.SQLForUpdate {
		add(" FOR UPDATE%s", []string{"", " SKIP LOCKED", " NOWAIT"}[s.Locked])
	}
	if s.Does != model.SQLSelect && s.Items != nil {
		add(" RETURNING %s", printItems(s.Items))
	}
	return b.String()
}

func each[T any](all []T, one func(T) string) string {
	var out []string
	for _, x := range all {
		out = append(out, one(x))
	}
	return strings.Join(out, ", ")
}

// quote leaves names alone that mean themselves without quotes.
func quote(name string) string {
	toks, err := tokens(name)
	p := &parser{toks: toks}
	if err == nil && len(toks) == 2 && p.isName(0) && toks[0].kind == tokWord && toks[0].text == name && name != "key" && name != "index" && name != "set" && name != "nulls" {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func quoteAll(names []string) string { return "(" + each(names, quote) + ")" }

func printItems(items []model.SQLItem) string {
	return each(items, func(i model.SQLItem) string {
		switch {
		case i.Star:
			return "*"
		case i.Name != "":
			return printExpr(i.Expr) + " AS " + quote(i.Name)
		}
		return printExpr(i.Expr)
	})
}

func printSet(s model.SQLSet) string { return quote(s.Column) + " = " + printValue(s.To) }

func printOrder(o model.SQLOrder) string {
	if o.Desc {
		return printExpr(o.By) + " DESC"
	}
	return printExpr(o.By)
}

func printConflict(c *model.SQLConflict) string {
	if c == nil {
		return ""
	}
	s := " ON CONFLICT"
	if c.Columns != nil {
		s += " " + quoteAll(c.Columns)
	}
	if c.Set == nil {
		return s + " DO NOTHING"
	}
	s += " DO UPDATE SET " + each(c.Set, printSet)
	if c.Where != nil {
		s += " WHERE " + printExpr(c.Where)
	}
	return s
}

func printValue(e *model.SQLExpr) string {
	if e == nil {
		return "DEFAULT"
	}
	return printExpr(e)
}

var operatorSigns = map[model.SQLOp]string{
	model.SQLEqual: "=", model.SQLNotEqual: "<>", model.SQLLess: "<", model.SQLLessEqual: "<=", model.SQLGreater: ">", model.SQLGreaterEqual: ">=",
	model.SQLAnd: "AND", model.SQLOr: "OR", model.SQLLike: "LIKE", model.SQLAdd: "+", model.SQLSubtract: "-", model.SQLMultiply: "*", model.SQLConcat: "||",
}

var functionNames = map[model.SQLOp]string{
	model.SQLNow: "now", model.SQLCoalesce: "coalesce", model.SQLSum: "sum", model.SQLMax: "max", model.SQLMin: "min", model.SQLCount: "count",
}

func printExpr(e *model.SQLExpr) string {
	if sign, ok := operatorSigns[e.Op]; ok {
		return "(" + printExpr(e.Args[0]) + " " + sign + " " + printExpr(e.Args[1]) + ")"
	}
	if e.Op == model.SQLCount && e.Args == nil {
		return "count(*)"
	}
	if name, ok := functionNames[e.Op]; ok {
		return name + "(" + each(e.Args, printExpr) + ")"
	}
	switch e.Op {
	case model.SQLLiteral:
		return printLiteral(e.Value)
	case model.SQLColumnRef:
		if e.Table != "" {
			return quote(e.Table) + "." + quote(e.Name)
		}
		return quote(e.Name)
	case model.SQLPlaceholder:
		return "$" + strconv.Itoa(e.Position)
	case model.SQLNot:
		return "(NOT " + printExpr(e.Args[0]) + ")"
	case model.SQLNegate:
		return "(- " + printExpr(e.Args[0]) + ")"
	case model.SQLIsNull:
		return "(" + printExpr(e.Args[0]) + " IS NULL)"
	case model.SQLIn:
		return "(" + printExpr(e.Args[0]) + " IN (" + each(e.Args[1:], printExpr) + "))"
	case model.SQLExists:
		return "EXISTS (" + print(e.Sub) + ")"
	}
	panic(fmt.Sprintf("operator %d", e.Op))
}

func printLiteral(v model.SQLValue) string {
	switch v.Kind {
	case model.SQLNull:
		return "NULL"
	case model.SQLInteger:
		return strconv.FormatInt(v.Int, 10)
	case model.SQLText:
		return "'" + strings.ReplaceAll(v.Text, "'", "''") + "'"
	case model.SQLBytes:
		return fmt.Sprintf(`'\x%x'::bytea`, v.Text)
	case model.SQLBoolean:
		return map[int64]string{0: "FALSE", 1: "TRUE"}[v.Int]
	case model.SQLTime:
		return "'" + time.Unix(0, v.Int).UTC().Format("2006-01-02 15:04:05.999999999Z07:00") + "'::timestamptz"
	}
	panic(fmt.Sprintf("kind %d", v.Kind))
}

func printCreate(s *model.SQLStatement) string {
	parts := each(s.Create.Columns, printColumn)
	for _, k := range s.Create.Keys {
		parts += ", "
		if k.Name != "" {
			parts += "CONSTRAINT " + quote(k.Name) + " "
		}
		parts += map[bool]string{true: "PRIMARY KEY ", false: "UNIQUE "}[k.Primary] + quoteAll(k.Columns)
	}
	exists := map[bool]string{true: "IF NOT EXISTS "}[s.Create.IfNotExists]
	return "CREATE TABLE " + exists + quote(s.Table) + " (" + parts + ")"
}

func printColumn(c model.SQLColumn) string {
	typ := map[model.SQLKind]string{model.SQLText: "TEXT", model.SQLBytes: "BYTEA", model.SQLBoolean: "BOOLEAN", model.SQLTime: "TIMESTAMPTZ"}[c.Type]
	switch {
	case c.Type == model.SQLInteger:
		typ = map[int]string{16: "SMALLINT", 32: "INTEGER", 0: "BIGINT"}[c.Size]
	case c.Size > 0:
		typ = fmt.Sprintf("VARCHAR(%d)", c.Size)
	}
	s := quote(c.Name) + " " + typ
	if c.Serial {
		s += " GENERATED BY DEFAULT AS IDENTITY"
	} else if c.NotNull {
		s += " NOT NULL"
	}
	if c.Default != nil {
		s += " DEFAULT " + printExpr(c.Default)
	}
	return s
}
