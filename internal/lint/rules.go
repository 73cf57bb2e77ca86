package lint

import (
	"fmt"
	"go/token"
)

// Names of the rules.
const (
	ruleMapRange    = "map-range"
	ruleGo          = "go"
	ruleSelect      = "select"
	ruleChan        = "chan"
	ruleSync        = "sync"
	ruleTime        = "time"
	ruleContext     = "context"
	ruleMath        = "math"
	ruleFloat       = "float"
	ruleRand        = "rand"
	ruleMaphash     = "maphash"
	ruleUnsafe      = "unsafe"
	ruleOS          = "os"
	ruleRuntime     = "runtime"
	rulePointerKey  = "pointer-key"
	rulePercentP    = "percent-p"
	ruleInit        = "init"
	ruleState       = "package-state"
	ruleBlankImport = "blank-import"
	ruleDotImport   = "dot-import"

	ruleLattice    = "lattice"
	ruleThirdParty = "third-party"
	ruleNoRow      = "no-row"

	ruleFileSize = "file-size"
	ruleFuncSize = "func-size"

	ruleMachinePath  = "machine-path"
	ruleRegistryHost = "registry-host"
	ruleUnfinished   = "unfinished"
)

// replacements: what to write instead, by rule. It is part of every message.
var replacements = map[string]string{
	ruleMapRange:    "keep a slice, or range over slices.Sorted(maps.Keys(m)) or the helper " + sortingHelper + "; outside worlds a line '" + unorderedMarker + "<why>' above the loop",
	ruleGo:          "schedule a kernel event or start a process on a node; parallelism exists only across runs",
	ruleSelect:      "await through the kernel: the order of events decides",
	ruleChan:        "send a kernel message, or keep a slice as the queue",
	ruleSync:        "nothing: one goroutine runs in a world at any moment; plain fields do",
	ruleTime:        "sim.Time and the two clocks of a node (only the methods Deadline and Done of a context may mention time.Time)",
	ruleContext:     "timers and cancellation of the kernel; package context's own start goroutines and wall-clock timers",
	ruleMath:        "integers, ratios and tables (math/bits is fine): math functions differ by CPU",
	ruleFloat:       "integers, ratios of integers, or fixed point: a*b+c fuses on some CPUs; floats belong to reports on finished rows",
	ruleRand:        "sim/rng: keyed draws or a named stream",
	ruleMaphash:     "FNV or SplitMix (sim/rng): maphash is seeded per process",
	ruleUnsafe:      "plain Go values",
	ruleOS:          "pass values in explicitly; record a fact instead of a log line: a world has no environment, files, network or log",
	ruleRuntime:     "explicit kernel calls; package " + kernelPackage + " alone may use runtime, for call sites and Goexit only",
	rulePointerKey:  "an id as the key: addresses differ between runs",
	rulePercentP:    "print an id: addresses differ between runs",
	ruleInit:        "a line in a sorted table, read by an ordinary function",
	ruleState:       "a field, an argument or a const; error values made by errors.New and tables (a name or a comment above that says table) are fine",
	ruleBlankImport: "import what you call and call it: there is no registration by side effect",
	ruleDotImport:   "name the package at each use",

	ruleLattice:    "imports point down only (policy.go): share a type through sim/history or model, or pass an interface in",
	ruleThirdParty: "the standard library, or write an ADR and add the module to the package's row in policy.go",
	ruleNoRow:      "a row for the package in policy.go, or an existing package",

	ruleFileSize: "split the file by topic",
	ruleFuncSize: "split the function into named steps",

	ruleMachinePath:  "a path relative to the repository, or a temporary directory",
	ruleRegistryHost: "the package's name: which registry serves it is the machine's business",
	ruleUnfinished:   "do it, or describe the limit in words for its reader",
}

// A Finding is one place that breaks a rule.
type Finding struct {
	Rule string
	Pos  token.Position
	What string
}

func (f Finding) String() string {
	return fmt.Sprintf("%s:%d: [%s] %s; use instead: %s", f.Pos.Filename, f.Pos.Line, f.Rule, f.What, replacements[f.Rule])
}
