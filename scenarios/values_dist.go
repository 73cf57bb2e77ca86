package scenarios

import (
	"errors"
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

func (distText) shape() form {
	return form{want: "a distribution such as lognormal(p50 80ms, p99 400ms)", types: []string{"string"},
		pattern: `^(constant|uniform|lognormal) *\(.*\)$|^[0-9.]+[0-9.nuµμmshd]*$`, max: 200}
}
func (v *distText) set(n *docNode) error {
	if err := openParenthesis(n.text); err != nil {
		return err
	}
	d, err := rng.ParseDist(n.text)
	*v = distText(d)
	return err
}

// openParenthesis explains what YAML does to a comma between braces.
func openParenthesis(s string) error {
	if strings.Contains(s, "(") && !strings.Contains(s, ")") {
		return fmt.Errorf("%s ends at its comma: inside { } put the value in quotes", quoteShort(s))
	}
	return nil
}

// argsOf splits name(a, b) into its arguments.
func argsOf(s string) (name string, args []string, ok bool) {
	name, rest, ok := strings.Cut(strings.TrimSpace(s), "(")
	inner, closed := strings.CutSuffix(rest, ")")
	if !ok || !closed {
		return "", nil, false
	}
	for arg := range strings.SplitSeq(inner, ",") {
		args = append(args, strings.TrimSpace(arg))
	}
	return strings.TrimSpace(name), args, true
}

func (arrivalText) shape() form {
	return form{want: "an arrival such as poisson(4/s)", types: []string{"string"}, pattern: `^poisson *\( *[0-9.]+ */ *[smh] *\)$`, max: 200}
}

// set reads poisson(4/s), poisson(0.5/s) or poisson(90/m).
func (v *arrivalText) set(n *docNode) error {
	kind, args, ok := argsOf(n.text)
	if !ok || kind != "poisson" || len(args) != 1 {
		return fmt.Errorf("want an arrival such as poisson(4/s), not %s", quoteShort(n.text))
	}
	number, unit, _ := strings.Cut(args[0], "/")
	milli, err := parseDecimal(strings.TrimSpace(number), 3)
	if err != nil {
		return err
	}
	ns, err := rng.ParseDuration("1" + strings.TrimSpace(unit))
	switch {
	case err != nil || strings.Trim(unit, " smh") != "":
		return fmt.Errorf("want a rate such as 4/s, 90/m or 10/h, not %s", quoteShort(args[0]))
	case milli == 0:
		return errors.New("a rate of 0; events must arrive")
	}
	*v = arrivalText{interval: (ns*1000 + milli/2) / milli, num: milli, unit: ns}
	return nil
}

func (v arrivalText) String() string {
	unit := strings.TrimPrefix(rng.FormatDuration(v.unit), "1")
	return "poisson(" + formatDecimal(v.num, 3) + "/" + unit + ")"
}

func (keySpace) shape() form {
	return form{want: "keys such as zipf(100, 1.1) or uniform(100)", types: []string{"string"},
		pattern: `^(zipf *\( *[0-9]+ *, *[0-9.]+ *\)|uniform *\( *[0-9]+ *\))$`, max: 200}
}

// maxSkew is the largest exponent of zipf, in thousandths.
const maxSkew = 10_000

// set reads zipf(100, 1.1) or uniform(100).
func (v *keySpace) set(n *docNode) error {
	if err := openParenthesis(n.text); err != nil {
		return err
	}
	kind, args, ok := argsOf(n.text)
	if want := map[string]int{"zipf": 2, "uniform": 1}[kind]; !ok || want == 0 || len(args) != want {
		return fmt.Errorf("want zipf(100, 1.1) or uniform(100), not %s", quoteShort(n.text))
	}
	keys, err := whole(0).parse(args[0])
	if err != nil {
		return fmt.Errorf("want a number of keys, not %s", quoteShort(args[0]))
	}
	v.n = keys
	if kind == "uniform" {
		return nil
	}
	v.milli, err = parseDecimal(args[1], 3)
	if err == nil && (v.milli < 1 || v.milli > maxSkew) {
		err = fmt.Errorf("an exponent of %s; want 0.001 to %d", args[1], maxSkew/1000)
	}
	return err
}

func (v keySpace) String() string {
	if v.milli == 0 {
		return fmt.Sprintf("uniform(%d)", v.n)
	}
	return fmt.Sprintf("zipf(%d, %s)", v.n, formatDecimal(v.milli, 3))
}

func (callRef) shape() form {
	return form{want: "service or service.op", types: []string{"string"}, pattern: `^[a-z][a-z0-9]*(-[a-z0-9]+)*(\.[a-z][a-z0-9]*(-[a-z0-9]+)*)?$`, max: 2*maxName + 1}
}
func (v *callRef) set(n *docNode) error {
	*v = callRef(n.text)
	service, op, has := strings.Cut(n.text, ".")
	if err := checkName(service); err != nil {
		return err
	}
	if has {
		return checkName(op)
	}
	return nil
}

func (atMost) shape() form {
	return form{want: `a bound such as "<= 500ms"`, types: []string{"string"}, pattern: `^(<=|≤) *[0-9.]+[0-9.nuµμmshd]*$`, max: maxName}
}
func (v *atMost) set(n *docNode) error {
	*v = atMost(n.text)
	if !strings.HasPrefix(n.text, "<=") && !strings.HasPrefix(n.text, "≤") {
		return fmt.Errorf(`want a bound such as "<= 500ms", not %s`, n.what())
	}
	return nil
}

// max reads the bound in the unit of its dimension: ns or a count.
func (v atMost) max(inTime bool) (int64, error) {
	rest := strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(string(v), "<="), "≤"))
	parse := whole(0).parse
	if inTime {
		parse = rng.ParseDuration
	}
	limit, err := parse(rest)
	switch {
	case err != nil && inTime:
		return 0, err
	case err != nil:
		return 0, fmt.Errorf("want a whole number, not %s", quoteShort(rest))
	case limit < 0 || !inTime && limit > 1000:
		return 0, fmt.Errorf("%s is out of range", quoteShort(rest))
	}
	return limit, nil
}

// dimensionInTime reports whether the bounds of a dimension are durations.
func dimensionInTime(name string) bool {
	for _, d := range history.Dimensions() {
		if string(d.Name) == name {
			return d.Duration
		}
	}
	return false
}

func (chanceText) shape() form {
	return form{want: `a statement such as "p_duplicate < 1%"`, types: []string{"string"}, pattern: `^(p_duplicate|p_loss) *<=? *[0-9./%]+$`, max: maxName}
}
func (v *chanceText) set(n *docNode) error {
	*v = chanceText(n.text)
	_, err := ParseChance(n.text)
	return err
}

// Chance is a parsed statement about the share of runs of a cell with damage.
type Chance struct {
	Metric string // p_duplicate or p_loss
	Equal  bool   // <= instead of <
	Limit  rng.Ratio
}

// ParseChance reads the text of an Expectation's damage: "p_duplicate < 1%".
func ParseChance(s string) (Chance, error) {
	metric, rest, ok := strings.Cut(s, "<")
	metric = strings.TrimSpace(metric)
	if !ok || metric != "p_duplicate" && metric != "p_loss" {
		return Chance{}, fmt.Errorf(`want p_duplicate or p_loss and a limit, such as "p_duplicate < 1%%", not %s`, quoteShort(s))
	}
	rest, equal := strings.CutPrefix(rest, "=")
	limit, err := rng.ParseRatio(strings.TrimSpace(rest))
	return Chance{Metric: metric, Equal: equal, Limit: limit}, err
}
