package lint

const modulePath = "github.com/twiceless/twiceless"

// A row says what the non-test files of a package may import. Patterns are relative to the module; "x/..." is x and all below it, and packages of
// one pattern may import each other. Every package may import the standard library, less what a world bans.
type row struct {
	pkg   string
	ours  []string
	third []string
}

// lattice: imports point down only. A package without a row is a finding.
var lattice = []row{
	{pkg: "sim/rng"},
	{pkg: "sim/history", ours: []string{"sim/rng"}},
	{pkg: "sim", ours: []string{"sim/rng", "sim/history"}},

	{pkg: "model", ours: []string{"sim/..."}},
	// Siblings meet in the messages of model; they do not import each other.
	{pkg: "model/wire", ours: []string{"sim", "model"}},
	{pkg: "model/cost", ours: []string{"sim"}},
	{pkg: "model/broker/...", ours: []string{"sim/...", "model", "model/wire"}},
	{pkg: "model/controller/...", ours: []string{"sim/...", "model", "model/wire"}},
	{pkg: "model/queue/...", ours: []string{"sim/...", "model", "model/wire"}},
	{pkg: "model/client/...", ours: []string{"sim/...", "model", "model/wire"}},
	{pkg: "model/producer/...", ours: []string{"sim/...", "model", "model/wire", "model/client"}},
	{pkg: "model/consumer/...", ours: []string{"sim/...", "model", "model/wire", "model/client"}},
	{pkg: "model/downstream/...", ours: []string{"sim/...", "model"}},
	{pkg: "model/operator/...", ours: []string{"sim/...", "model", "model/wire", "model/client"}},
	{pkg: "model/store/...", ours: []string{"sim/...", "model"}},
	{pkg: "model/stack/...", ours: []string{"sim/...", "model", "model/wire"}},

	{pkg: "faults/...", ours: []string{"sim/...", "model", "internal/words"}},

	{pkg: "checker/...", ours: []string{"sim/history"}, third: []string{"github.com/anishathalye/porcupine"}},

	{pkg: "reports/...", ours: []string{"sim/history", "sim/rng", "checker/...", "faults/..."}, third: []string{"gonum.org/v1/..."}},

	{
		pkg:  "scenarios/...",
		ours: []string{"sim/...", "model/...", "faults/...", "checker/...", "internal/words"},
		third: []string{
			"github.com/goccy/go-yaml/...",
			"github.com/santhosh-tekuri/jsonschema/v6/...",
		},
	},

	{
		pkg:   "cmd/simulate/...",
		ours:  []string{"scenarios/...", "reports/...", "checker/...", "faults/...", "sim/...", "internal/words", "internal/tell"},
		third: []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/term"},
	},

	// The package for teams. Nothing that a program links imports it: it brings package testing and rapid along.
	{
		pkg:   ".",
		ours:  []string{"scenarios/...", "reports/...", "checker/...", "faults/...", "model/...", "sim/...", "internal/tell", "internal/bubble", "internal/sqldoor", "internal/sqlmemory", "loop"},
		third: []string{"pgregory.net/rapid"},
	},

	// What a team would write: the packages that are meant for teams, and no other.
	{pkg: "examples/...", ours: []string{".", "model", "loop", "scenarios", "cmd/simulate/command"}},

	{pkg: "internal/tell", ours: []string{"scenarios/...", "reports/...", "faults/...", "sim/..."}},
	{pkg: "internal/bubble", ours: []string{"sim"}},
	// Production code imports loop: it knows nothing of this module. Adapters are modules of their own and know nothing else of it,
	// but that the example of one runs a loop that is tested here.
	{pkg: "loop/..."},
	{pkg: "adapters/franz", ours: []string{"loop/...", "examples/handoff"}, third: []string{"github.com/twmb/franz-go/..."}},

	{pkg: "internal/fidelity"},
	{pkg: "internal/lint"},
	{pkg: "internal/scripttest"},
	{pkg: "internal/sqldoor", ours: []string{"model"}},
	{pkg: "internal/sqlmemory", ours: []string{"model", "model/downstream"}},
	{pkg: "internal/words"},
}

// testsMayImport is what the test files of every package may import beyond its row, and what packages made for tests (see isTestPackage) may
// import. An import cycle is the compiler's business.
var testsMayImport = row{
	ours:  []string{"sim/...", "model/...", "faults/...", "checker/...", "scenarios/...", "reports/...", "internal/scripttest", "internal/sqldoor", "internal/sqlmemory", "loop/...", "testdata/..."},
	third: []string{"pgregory.net/rapid", "github.com/stretchr/testify/..."},
}

// worldPackages run inside a simulated world: every ban applies to their non-test files.
var worldPackages = []string{"sim/...", "model/...", "faults/..."}

// orderedPackages turn histories into results: a map may be ranged over only by the sorting helper, or under a comment that says why order cannot
// show in the result.
var orderedPackages = []string{"checker/...", "scenarios/...", "reports/..."}

const (
	sortingHelper   = "SortedKeys"
	unorderedMarker = "//det:unordered "
)

const (
	maxFileLines = 500
	maxFuncLines = 80
)

// An allowance lets one file or function ("path" or "path:Func") be longer than the limit. It is a ratchet: it must be lowered when the code
// shrinks, and removed when the limit is met.
type allowance struct {
	what  string
	lines int
}

var allowances = []allowance{}

// bannedImport is one import (or a whole tree of them) that a world must not have.
type bannedImport struct {
	pattern string
	rule    string
}

// bannedImports does not list time and runtime: they have exceptions, see bans.go.
var bannedImports = []bannedImport{
	{"sync/...", ruleSync},
	{"math", ruleMath}, {"math/cmplx", ruleMath},
	{"math/rand/...", ruleRand}, {"crypto/rand", ruleRand},
	{"hash/maphash", ruleMaphash},
	{"unsafe", ruleUnsafe}, {"C", ruleUnsafe},
	{"os/...", ruleOS}, {"syscall", ruleOS}, {"net/...", ruleOS}, {"plugin", ruleOS}, {"log/...", ruleOS}, {"io/ioutil", ruleOS},
	{"runtime/...", ruleRuntime}, {"weak", ruleRuntime}, {"unique", ruleRuntime},
}

// kernelPackage alone may import runtime, and only these names of it.
const kernelPackage = "sim"

var runtimeAllowed = []string{"Callers", "CallersFrames", "FuncForPC", "Frames", "Frame", "Func", "Error", "Goexit"}
