package rng

import "fmt"

// Constant returns the distribution that is always ns nanoseconds. Constant(0)
// equals the zero Dist. It panics if ns < 0.
func Constant(ns int64) Dist {
	if ns < 0 {
		panic("rng: Constant below 0")
	}
	return Dist{kind: kindConstant, a: ns}
}

// parseConstant reads the argument of "constant(5ms)".
func parseConstant(args []string) (Dist, error) {
	if len(args) != 1 {
		return Dist{}, fmt.Errorf("want 1 argument, not %d", len(args))
	}
	ns, err := parseArg(args[0], "")
	if err != nil {
		return Dist{}, err
	}
	return Constant(ns), nil
}
