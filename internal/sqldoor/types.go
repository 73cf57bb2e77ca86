package sqldoor

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twiceless/twiceless/model"
)

// A columnType is what a type's name means.
type columnType struct {
	kind   model.SQLKind
	size   int // as in model.SQLColumn
	serial bool
	json   bool // bytes for the code under test, which drivers give a JSON column as; a text where it is written
}

// typeNames of the databases, in lower case. bit sizes are those of Postgres. What is not here is refused: REAL and NUMERIC, as a
// world has no floats and would compare a NUMERIC wrongly, DATE and INTERVAL, which are no points in time.
var typeNames = []struct {
	name string
	columnType
}{
	{"smallint", columnType{kind: model.SQLInteger, size: 16}}, {"int2", columnType{kind: model.SQLInteger, size: 16}},
	{"integer", columnType{kind: model.SQLInteger, size: 32}}, {"int", columnType{kind: model.SQLInteger, size: 32}},
	{"int4", columnType{kind: model.SQLInteger, size: 32}},
	{"bigint", columnType{kind: model.SQLInteger}}, {"int8", columnType{kind: model.SQLInteger}},
	{"smallserial", columnType{kind: model.SQLInteger, size: 16, serial: true}},
	{"serial", columnType{kind: model.SQLInteger, size: 32, serial: true}}, {"serial4", columnType{kind: model.SQLInteger, size: 32, serial: true}},
	{"bigserial", columnType{kind: model.SQLInteger, serial: true}}, {"serial8", columnType{kind: model.SQLInteger, serial: true}},
	{"text", columnType{kind: model.SQLText}}, {"varchar", columnType{kind: model.SQLText}}, {"char", columnType{kind: model.SQLText}},
	{"character", columnType{kind: model.SQLText}}, {"mediumtext", columnType{kind: model.SQLText}}, {"longtext", columnType{kind: model.SQLText}},
	{"uuid", columnType{kind: model.SQLText}},
	{"json", columnType{kind: model.SQLBytes, json: true}}, {"jsonb", columnType{kind: model.SQLBytes, json: true}},
	{"bytea", columnType{kind: model.SQLBytes}}, {"blob", columnType{kind: model.SQLBytes}}, {"longblob", columnType{kind: model.SQLBytes}},
	{"varbinary", columnType{kind: model.SQLBytes}}, {"binary", columnType{kind: model.SQLBytes}},
	{"boolean", columnType{kind: model.SQLBoolean}}, {"bool", columnType{kind: model.SQLBoolean}},
	{"timestamptz", columnType{kind: model.SQLTime}}, {"timestamp", columnType{kind: model.SQLTime}}, {"datetime", columnType{kind: model.SQLTime}},
}

func lookupType(name string) (columnType, bool) {
	for _, t := range typeNames {
		if t.name == name {
			return t.columnType, true
		}
	}
	return columnType{}, false
}

func isType(name string) bool {
	_, ok := lookupType(name)
	return ok
}

// maxTextSize is what Postgres allows for VARCHAR(n).
const maxTextSize = 10485760

// typeName reads a type with its size.
func (p *parser) typeName() columnType {
	name := p.peek()
	typ, ok := lookupType(name.text)
	if name.kind != tokWord || !ok {
		p.fail("the types SMALLINT, INTEGER, BIGINT, SERIAL, BIGSERIAL, TEXT, VARCHAR(n), UUID, JSON, JSONB, BYTEA, BOOLEAN, TIMESTAMP, TIMESTAMPTZ (amounts as BIGINT of the smallest unit)")
		return columnType{}
	}
	p.i++
	if name.text == "character" {
		p.words("varying")
	}
	if p.symbol("(") {
		switch typ.kind {
		case model.SQLText:
			typ.size = p.whole("a size", maxTextSize)
		case model.SQLTime: // what is finer than microseconds is cut off, what is coarser would have to be rounded
			if p.peek().text != "6" {
				p.fail("times in microseconds, (6)")
			}
			p.i++
		default:
			p.whole("a size", maxTextSize) // INT(11) says how wide it is shown, VARBINARY(16) how long it may be
		}
		p.needSymbol(")")
	}
	if typ.kind == model.SQLTime {
		_ = p.words("with", "time", "zone") || p.words("without", "time", "zone")
	}
	return typ
}

// timeLayouts of texts that stand for a time; without a zone it is UTC.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02"}

// readAs reads a text as a value of another type, the way Postgres reads its input.
func readAs(kind model.SQLKind, v model.SQLValue) (model.SQLValue, bool) {
	if v.Kind != model.SQLText {
		return v, v.Kind == kind
	}
	text := strings.TrimSpace(v.Text)
	switch kind {
	case model.SQLText:
		return v, true
	case model.SQLInteger:
		n, err := strconv.ParseInt(text, 10, 64)
		return model.SQLValue{Kind: kind, Int: n}, err == nil
	case model.SQLBoolean:
		return readBoolean(strings.ToLower(text))
	case model.SQLBytes:
		if digits, ok := strings.CutPrefix(v.Text, `\x`); ok {
			b, err := hex.DecodeString(digits)
			return model.SQLValue{Kind: kind, Text: string(b)}, err == nil
		}
		return model.SQLValue{Kind: kind, Text: v.Text}, !strings.Contains(v.Text, `\`)
	case model.SQLTime:
		for _, layout := range timeLayouts {
			if t, err := time.Parse(layout, text); err == nil {
				return timeValue(t)
			}
		}
	}
	return v, false
}

func readBoolean(text string) (model.SQLValue, bool) {
	v := model.SQLValue{Kind: model.SQLBoolean}
	switch text {
	case "true", "t", "yes", "on", "1":
		v.Int = 1
		return v, true
	case "false", "f", "no", "off", "0":
		return v, true
	}
	return v, false
}

// timeValue is t in whole microseconds; false where 64 bits of nanoseconds do not reach, before 1678 and after 2262.
func timeValue(t time.Time) (model.SQLValue, bool) {
	if y := t.UTC().Year(); y < 1678 || y > 2261 {
		return model.SQLValue{}, false
	}
	return model.SQLValue{Kind: model.SQLTime, Int: t.UnixMicro() * 1000}, true
}

type intervalUnit struct {
	name string
	ns   int64
}

// intervalUnits in ns. A day has 24 hours, as times are UTC; a month has no length.
var intervalUnits = []intervalUnit{
	{"microsecond", 1e3}, {"us", 1e3}, {"millisecond", 1e6}, {"ms", 1e6}, {"second", 1e9}, {"sec", 1e9}, {"s", 1e9},
	{"minute", 60e9}, {"min", 60e9}, {"m", 60e9}, {"hour", 3600e9}, {"h", 3600e9}, {"day", 86400e9}, {"d", 86400e9}, {"week", 604800e9},
}

const intervalForm = "intervals such as '5 minutes' or '1 day 12 hours', without months"

// interval reads what follows INTERVAL: '5 minutes', or 5 MINUTE as MySQL writes it. It is an integer of ns, which may be added
// to a time.
func (p *parser) interval() *model.SQLExpr {
	at := p.peek()
	text := at.text
	switch {
	case at.kind == tokText:
	case at.kind == tokNumber && p.ahead(1).kind == tokWord:
		text += " " + p.ahead(1).text
		p.i++
	default:
		p.fail(intervalForm)
		return &model.SQLExpr{}
	}
	p.i++
	return p.intervalOf(at, text)
}

func (p *parser) intervalOf(at token, text string) *model.SQLExpr {
	ns, ok := readInterval(strings.Fields(strings.ToLower(text)))
	if !ok {
		p.failAt(at, intervalForm)
	}
	return literal(model.SQLValue{Kind: model.SQLInteger, Int: ns})
}

// readInterval adds up pairs of a number and a unit.
func readInterval(words []string) (ns int64, ok bool) {
	for ; len(words) >= 2; words = words[2:] {
		n, err := strconv.ParseInt(words[0], 10, 32)
		i := slices.IndexFunc(intervalUnits, func(u intervalUnit) bool { return words[1] == u.name || words[1] == u.name+"s" })
		if err != nil || i < 0 || n > maxInterval/intervalUnits[i].ns || n < -maxInterval/intervalUnits[i].ns {
			return 0, false
		}
		ns += n * intervalUnits[i].ns
		if ns > maxInterval || ns < -maxInterval {
			return 0, false
		}
		ok = true
	}
	return ns, ok && len(words) == 0
}

// maxInterval is about a hundred years.
const maxInterval = int64(36500 * 86400e9)
