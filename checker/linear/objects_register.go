package linear

import "strings"

// RegisterObject is a register that holds an initial value:
//
//	read → v       the value
//	write v        the value is v
//	cas a b        ok: it was a and is b; mismatch: it was not a
//
// An unknown write happened or did not; an unknown cas wrote if it met its first argument.
func RegisterObject(initial Value) Object {
	return typed(Object{
		Name: "register",
		Doc:  "one value, written and read",
		Functions: []Function{
			{Name: "read", Doc: "gives the value", Gives: true},
			{Name: "write", Doc: "replaces it", Args: 1, Blank: true},
			{Name: "cas", Doc: "replaces the first by the second, if the value is the first", Args: 2, Blank: true, Results: []string{"ok", "mismatch"}},
		},
		Reads: []string{"read"},
		After: func(c *Action) (State, bool) {
			switch c.F {
			case "read":
				return c.Out, true
			case "write":
				return c.Arg, true
			}
			return c.Arg2, c.Result == "ok"
		},
		Idle: idleWrites,
	}, initial, stepRegister, Value.String)
}

func stepRegister(s Value, c *Action, known bool) (Value, bool) {
	switch {
	case c.F == "read":
		return s, !known || c.Out == s
	case c.F == "write":
		return c.Arg, true
	case s == c.Arg:
		return c.Arg2, !known || c.Result == "ok"
	}
	return s, !known || c.Result == "mismatch"
}

// idleWrites: an unknown write is idle if no read gave its value and there is no cas. For take an order of all that
// explains every answer. Between that write and the next one there is no read, for it would have given the value. So
// without the write every other answer is the same. And an order of the others explains all once it is put last.
// Counterexample with a cas: write 1, unknown write 2, cas 1 3 gave mismatch. Nobody reads 2, and without it the cas
// is wrong.
func idleWrites(calls []Known) func(*Action) bool {
	read := map[Value]bool{}
	for _, k := range calls {
		if k.F == "cas" {
			return noneIdle
		}
		if k.F == "read" && k.Known {
			read[k.Out] = true
		}
	}
	return func(c *Action) bool { return c.F == "write" && !read[c.Arg] }
}

// noneIdle keeps every operation.
func noneIdle(*Action) bool { return false }

// KVObject is what a key-value store holds under one key, nothing at first:
//
//	get → v      the value
//	put v        the value is v
//	append t     the value is its text followed by the text t; nothing counts as the empty text
//
// Text cannot follow a number: such an append cannot have been acknowledged. An unknown put or append happened or did
// not.
func KVObject() Object {
	return typed(Object{
		Name: "kv",
		Doc:  "the value of one key: put, appended to, and read",
		Functions: []Function{
			{Name: "get", Doc: "gives the value", Gives: true},
			{Name: "put", Doc: "replaces it", Args: 1, Blank: true},
			{Name: "append", Doc: "adds text at its end", Args: 1, Text: true},
		},
		Reads: []string{"get"},
		After: func(c *Action) (State, bool) {
			if c.F == "put" {
				return c.Arg, true
			}
			return c.Out, c.F == "get"
		},
		Idle: idlePuts,
	}, Value{}, stepKV, Value.String)
}

func stepKV(s Value, c *Action, known bool) (Value, bool) {
	switch {
	case c.F == "get":
		return s, !known || c.Out == s
	case c.F == "put":
		return c.Arg, true
	case s.IsNothing() || s.kind == kindText:
		return Text(s.text + c.Arg.text), true
	}
	return s, !known
}

// maxTextual bounds the comparisons of unknown calls with texts that were read, in pairs.
const maxTextual = 100_000

// idlePuts: an unknown put or append is idle if its value is not what was read, nor its text a part of a text that was
// read. For take an order of all that explains every answer. Until the next put the value holds that text, so there is
// no get before it; and whether an acknowledged append met a text that it could follow is the one thing left to ask,
// so a put of what is no text, or that hides what is none, stays. Without the call the others give the same.
// Counterexample to comparing whole values: put "a", unknown append "b", append "c", get gave "abc".
func idlePuts(calls []Known) func(*Action) bool {
	read := map[Value]bool{}
	var texts []string
	appends, unknown, numbers := false, 0, false
	for _, k := range calls {
		switch {
		case !k.Known && k.F != "get":
			unknown++
		case k.Known && k.F == "get" && !read[k.Out]:
			read[k.Out] = true
			texts = append(texts, k.Out.text)
		}
		appends = appends || k.F == "append"
		numbers = numbers || k.F == "put" && k.Arg.kind != kindText
	}
	switch {
	case !appends:
		return func(c *Action) bool { return c.F == "put" && !read[c.Arg] }
	case numbers || unknown*len(texts) > maxTextual:
		return noneIdle
	}
	return func(c *Action) bool {
		for _, t := range texts {
			if strings.Contains(t, c.Arg.text) {
				return false
			}
		}
		return true
	}
}

// UniqueObject is a key that is given once, absent at first (put-if-absent, a unique index):
//
//	put v → ok            it was absent and holds v
//	put v → exists [w]    it holds something, w if the answer says what
//	get → v               what it holds
//
// An unknown put put its value if the key was absent.
func UniqueObject() Object {
	return typed(Object{
		Name: "unique",
		Doc:  "a key that only the first put sets",
		Functions: []Function{
			{Name: "put", Doc: "sets it, if it is absent", Args: 1, Results: []string{"ok", "exists"}, Gives: true},
			{Name: "get", Doc: "gives what it holds", Gives: true},
		},
		Reads: []string{"get"},
		After: func(c *Action) (State, bool) {
			if c.F == "put" && c.Result == "ok" {
				return c.Arg, true
			}
			return c.Out, c.F == "get"
		},
	}, Value{}, stepUnique, Value.String)
}

func stepUnique(s Value, c *Action, known bool) (Value, bool) {
	switch {
	case c.F == "get":
		return s, !known || c.Out == s
	case s.IsNothing():
		return c.Arg, !known || c.Result == "ok"
	}
	return s, !known || c.Result == "exists" && (c.Out.IsNothing() || c.Out == s)
}
