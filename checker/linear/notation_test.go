package linear

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// draw reads a picture of a history: a line per client, an operation in brackets from its call to its return, text
// running from left to right as time does. One that ends with ~ instead of ] has an unknown outcome.
//
//	"a: [write 1]        [read -> 1]",
//	"b:       [write 2 ~",
//
// Words after the function are arguments: numbers, texts, nil; "by x" says who asks; after -> come the result's name, if
// the object has one of that name, and what it gave; in parentheses a list.
func draw(t *testing.T, o *Object, lines ...string) []Operation {
	t.Helper()
	var out []Operation
	for row, line := range lines {
		client, _, _ := strings.Cut(line, ":")
		for at := 0; ; {
			from := strings.IndexByte(line[at:], '[')
			if from < 0 {
				break
			}
			from += at
			to := from + strings.IndexAny(line[from:], "]~")
			if to < from {
				t.Fatalf("an operation without an end: %s", line)
			}
			op := Operation{Span: Span{int64(from*len(lines) + row), int64(to*len(lines) + row)}, Action: parse(o, line[from+1:to]), Client: client}
			if line[to] == '~' {
				op.Return = Never
			}
			if problem := o.Problem(&op.Action, !op.Pending()); problem != "" {
				t.Fatalf("%s: %s", line[from:to], problem)
			}
			out = append(out, op)
			at = to + 1
		}
	}
	return out
}

func parse(o *Object, text string) Action {
	asked, answered, _ := strings.Cut(text, "->")
	words := strings.Fields(asked)
	a := Action{F: words[0]}
	f := o.function(a.F)
	args := []*Value{&a.Arg, &a.Arg2}
	for i := 1; i < len(words); i++ {
		if words[i] == "by" {
			a.By = words[i+1]
			break
		}
		*args[i-1] = value(words[i])
	}
	for _, word := range strings.Fields(answered) {
		bare := strings.Trim(word, "()")
		switch {
		case f != nil && len(f.Results) > 0 && contains(f.Results, word):
			a.Result = word
		case f != nil && f.Lists && bare != "":
			a.Outs = append(a.Outs, value(bare))
		case f != nil && !f.Lists:
			a.Out = value(word)
		}
	}
	return a
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func value(word string) Value {
	if word == "nil" {
		return Value{}
	}
	if n, err := strconv.ParseInt(word, 10, 64); err == nil {
		return Number(n)
	}
	return Text(word)
}

// bruteForce tries every order of all operations that respects time, and every set of pending ones that never happen.
func bruteForce(o *Object, operations []Operation) bool {
	var try func(s State, left []Operation) bool
	try = func(s State, left []Operation) bool {
		done := true
		for i := range left {
			op := &left[i]
			done = done && op.Pending()
			first := true
			for j := range left {
				first = first && !left[j].Before(op.Span)
			}
			if !first {
				continue
			}
			rest := append(append([]Operation{}, left[:i]...), left[i+1:]...)
			if after, possible := o.Step(s, &op.Action, !op.Pending()); possible && try(after, rest) {
				return true
			}
		}
		return done
	}
	return try(o.Init, operations)
}

func show(o *Object, operations []Operation) string {
	var b strings.Builder
	for i := range operations {
		op := &operations[i]
		until := fmt.Sprint(op.Return)
		if op.Pending() {
			until = "?"
		}
		fmt.Fprintf(&b, "%d: %d to %s %s\n", i, op.Call, until, o.Describe(&op.Action, !op.Pending()))
	}
	return b.String()
}
