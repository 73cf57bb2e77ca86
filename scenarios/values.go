package scenarios

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/twiceless/twiceless/sim/rng"
)

// The scalar types of a scenario file. Each reads its text; the tags of a field add bounds and enumerations.
type (
	prose       string   // prose
	ident       string   // kebab-case
	dotted      string   // name of a topic: kebab-case parts joined by points
	choice      string   // one of the enumeration in the tag enum
	whole       int64    // whole number
	yesNo       bool     //
	period      int64    // ns
	cents       int64    // decimal with at most two places
	perSec      int64    // 20/s
	distText    rng.Dist // distribution of durations
	arrivalText struct{ interval, num, unit int64 }
	keySpace    struct{ n, milli int64 }
	callRef     string // service or service.op
	ackText     int64  // 0, 1, all = -1
	atMost      string // <= 500ms
	chanceText  string // p_duplicate < 1%
)

// scalar is a type above.
type scalar interface {
	set(n *docNode) error
	shape() form // of its texts, for the schema
}

// bounded is a scalar that a field's tags min and max may bound.
type bounded interface {
	value() int64
	show(v int64) string
	parse(s string) (int64, error)
}

// form describes a scalar for people and for the schema.
type form struct {
	want    string // a duration such as 250ms
	types   []string
	pattern string
	max     int // length
}

const (
	maxName     = 64
	maxText     = 2000
	namePattern = `^[a-z][a-z0-9]*(-[a-z0-9]+)*$`
)

func (prose) shape() form { return form{want: "a text", types: []string{"string"}, max: maxText} }
func (v *prose) set(n *docNode) error {
	if len(n.text) > maxText {
		return fmt.Errorf("%d bytes long; at most %d", len(n.text), maxText)
	}
	*v = prose(strings.TrimSpace(n.text))
	if i := strings.IndexFunc(string(*v), func(r rune) bool { return r != '\n' && !unicode.IsGraphic(r) }); i >= 0 {
		return errors.New("has control characters")
	}
	return nil
}

func (ident) shape() form {
	return form{want: "a name such as key-event-stage", types: []string{"string"}, pattern: namePattern, max: maxName}
}
func (v *ident) set(n *docNode) error {
	*v = ident(n.text)
	return checkName(n.text)
}

// checkName reports what keeps s from being a name.
func checkName(s string) error {
	switch {
	case s == "":
		return errors.New("empty; want a name")
	case len(s) > maxName:
		return fmt.Errorf("%d bytes long; a name has at most %d", len(s), maxName)
	case !isName(s):
		return fmt.Errorf("%s is not a name: want lower-case letters, digits and single hyphens, beginning with a letter", quoteShort(s))
	}
	return nil
}

func isName(s string) bool {
	if s == "" || s[0] < 'a' || s[0] > 'z' || s[len(s)-1] == '-' || strings.Contains(s, "--") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func (dotted) shape() form {
	return form{want: "a topic's name", types: []string{"string"}, pattern: `^[a-z][a-z0-9]*(-[a-z0-9]+)*(\.[a-z][a-z0-9]*(-[a-z0-9]+)*)*$`, max: maxName}
}
func (v *dotted) set(n *docNode) error {
	*v = dotted(n.text)
	if len(n.text) > maxName {
		return checkName(n.text)
	}
	for part := range strings.SplitSeq(n.text, ".") {
		if err := checkName(part); err != nil {
			return err
		}
	}
	return nil
}

func (ackText) shape() form {
	return form{want: "0, 1 or all", types: []string{"integer", "string"}, pattern: `^(0|1|all)$`}
}
func (v *ackText) set(n *docNode) error {
	for acks := int64(-1); acks <= 1; acks++ {
		if n.text == formatAcks(int(acks)) {
			*v = ackText(acks)
			return nil
		}
	}
	return fmt.Errorf("want 0, 1 or all, not %s", n.what())
}

// formatAcks is the text of acks.
func formatAcks(acks int) string {
	if acks < 0 {
		return "all"
	}
	return strconv.Itoa(acks)
}

func (choice) shape() form { return form{want: "a word", types: []string{"string"}} }
func (v *choice) set(n *docNode) error { //nolint:unparam // of interface scalar
	*v = choice(n.text)
	return nil
}

func (yesNo) shape() form { return form{want: "true or false", types: []string{"boolean"}} }
func (v *yesNo) set(n *docNode) error {
	if n.quoted || n.text != "true" && n.text != "false" {
		return fmt.Errorf("want true or false, not %s", n.what())
	}
	*v = n.text == "true"
	return nil
}

func (whole) shape() form { return form{want: "a whole number", types: []string{"integer"}} }
func (v *whole) set(n *docNode) error {
	i, err := v.parse(n.text)
	if n.quoted || err != nil {
		return fmt.Errorf("want a whole number, not %s", n.what())
	}
	*v = whole(i)
	return nil
}
func (v whole) value() int64      { return int64(v) }
func (whole) show(v int64) string { return strconv.FormatInt(v, 10) }
func (whole) parse(s string) (int64, error) {
	i, err := strconv.ParseInt(s, 10, 64)
	if err == nil && strconv.FormatInt(i, 10) != s {
		err = errors.New("not in plain decimal form")
	}
	return i, err
}

func (period) shape() form {
	return form{want: "a duration such as 250ms or 1h30m", types: []string{"string", "integer"}, pattern: `^[0-9.]+[0-9.nuµμmshd]*$`, max: maxName}
}
func (v *period) set(n *docNode) error {
	ns, err := v.parse(n.text)
	*v = period(ns)
	return err
}
func (v period) value() int64                     { return int64(v) }
func (period) show(v int64) string                { return rng.FormatDuration(v) }
func (period) parse(s string) (int64, error)      { return rng.ParseDuration(s) }
func (cents) show(v int64) string                 { return fmt.Sprintf("%d.%02d", v/100, v%100) }
func (v cents) value() int64                      { return int64(v) }
func (cents) parse(s string) (int64, error)       { return parseDecimal(s, 2) }
func (v perSec) value() int64                     { return int64(v) }
func (perSec) show(v int64) string                { return strconv.FormatInt(v, 10) + "/s" }
func (perSec) parse(s string) (int64, error)      { return parsePerSecond(s) }
func (v arrivalText) value() int64                { return v.interval }
func (v keySpace) value() int64                   { return v.n }
func (arrivalText) parse(s string) (int64, error) { return rng.ParseDuration(s) }
func (keySpace) parse(s string) (int64, error)    { return whole(0).parse(s) }
func (keySpace) show(v int64) string              { return strconv.FormatInt(v, 10) }
func (arrivalText) show(v int64) string           { return "one every " + rng.FormatDuration(v) }
func (v distText) value() int64                   { return rng.Dist(v).Max() }
func (distText) show(v int64) string              { return "up to " + rng.FormatDuration(v) }
func (distText) parse(s string) (int64, error)    { return rng.ParseDuration(s) }

func (cents) shape() form {
	return form{want: "an amount such as 40.00", types: []string{"number", "string"}, pattern: `^[0-9]+(\.[0-9]{1,2})?$`, max: maxName}
}
func (v *cents) set(n *docNode) error {
	i, err := v.parse(n.text)
	*v = cents(i)
	return err
}

func (perSec) shape() form {
	return form{want: "a rate such as 20/s", types: []string{"string"}, pattern: `^[0-9]+ */ *s$`, max: maxName}
}
func (v *perSec) set(n *docNode) error {
	i, err := v.parse(n.text)
	*v = perSec(i)
	return err
}

// parsePerSecond reads 20/s.
func parsePerSecond(s string) (int64, error) {
	number, unit, ok := strings.Cut(s, "/")
	i, err := whole(0).parse(strings.TrimSpace(number))
	if !ok || err != nil || strings.TrimSpace(unit) != "s" {
		return 0, fmt.Errorf("want a whole number of calls a second such as 20/s, not %s", quoteShort(s))
	}
	return i, nil
}

// parseDecimal reads a decimal with at most the given places, as an integer of the last place.
func parseDecimal(s string, places int) (int64, error) {
	whole, frac, _ := strings.Cut(s, ".")
	if len(frac) > places {
		return 0, fmt.Errorf("%s has %d decimals; at most %d", quoteShort(s), len(frac), places)
	}
	digits := whole + frac + strings.Repeat("0", places-len(frac))
	if whole == "" || strings.HasSuffix(s, ".") || strings.Trim(digits, "0123456789") != "" {
		return 0, fmt.Errorf("want a decimal number, not %s", quoteShort(s))
	}
	i, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is too large", quoteShort(s))
	}
	return i, nil
}

// formatDecimal is the inverse of parseDecimal, without zeros at the end.
func formatDecimal(v int64, places int) string {
	s := fmt.Sprintf("%0*d", places+1, v)
	return strings.TrimSuffix(strings.TrimRight(s[:len(s)-places]+"."+s[len(s)-places:], "0"), ".")
}
