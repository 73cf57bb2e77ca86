package lint

import "strings"

const world = "model/broker/x.go"

var plantedBans = []plant{
	// Maps.
	{name: "map range", file: world, want: ruleMapRange, src: "func f(m map[int]int) { for range m { } }\n"},
	{name: "map range by a named type", file: world, want: ruleMapRange, src: "type set map[string]bool\n\nfunc f(s set) { for k := range s { _ = k } }\n"},
	{name: "map range by a type parameter", file: world, want: ruleMapRange, src: "func f[M ~map[int]V, V any](m M) { for range m { } }\n"},
	{name: "map range in a field of a call", file: world, want: ruleMapRange, src: "type t struct{ m map[int]int }\n\nfunc g() t { return t{} }\n\nfunc f() { for range g().m { } }\n"},
	{name: "map range in a world despite the marker", file: world, want: ruleMapRange, src: "func f(m map[int]int) {\n\t//det:unordered sums\n\tfor range m {\n\t}\n}\n"},
	{name: "map range in a checker", file: "checker/x.go", want: ruleMapRange, src: "func f(m map[int]int) { for range m { } }\n"},
	{name: "map range in scenarios", file: "scenarios/x.go", want: ruleMapRange, src: "func f(m map[int]int) { for range m { } }\n"},
	{name: "map range in reports", file: "reports/x.go", want: ruleMapRange, src: "func f(m map[int]int) { for range m { } }\n"},
	{name: "marker without a reason", file: "checker/x.go", want: ruleMapRange, src: "func f(m map[int]int) {\n\t//det:unordered \n\tfor range m {\n\t}\n}\n"},
	{name: "marker two lines above", file: "checker/x.go", want: ruleMapRange, src: "func f(m map[int]int) {\n\t//det:unordered sums\n\n\tfor range m {\n\t}\n}\n"},
	{name: "maps.Keys", file: world, want: ruleMapRange, src: "import \"maps\"\n\nfunc f(m map[int]int) { for range maps.Keys(m) { } }\n"},
	{name: "maps.All under another name", file: world, want: ruleMapRange, src: "import q \"maps\"\n\nfunc f(m map[int]int) { for range q.All(m) { } }\n"},
	{name: "maps.Keys collected unsorted", file: world, want: ruleMapRange, src: "import (\n\t\"maps\"\n\t\"slices\"\n)\n\nfunc f(m map[int]int) []int { return slices.Collect(maps.Keys(m)) }\n"},
	{name: "reflection over a map", file: world, want: ruleMapRange, src: "import \"reflect\"\n\nfunc f(m any) []reflect.Value { return reflect.ValueOf(m).MapKeys() }\n"},
	{name: "slice range", file: world, near: ruleMapRange, src: "func f(s []int) { for range s { } }\n"},
	{name: "look-up, delete, clear, len", file: world, near: ruleMapRange, src: "func f(m map[int]int) int { delete(m, m[1]); clear(m); return len(m) }\n"},
	{name: "sorted keys", file: world, near: ruleMapRange, src: "import (\n\t\"maps\"\n\t\"slices\"\n)\n\nfunc f(m map[int]int) { for range slices.Sorted(maps.Keys(m)) { } }\n"},
	{name: "the sorting helper", file: "scenarios/x.go", near: ruleMapRange, src: "func SortedKeys(m map[int]int) { for range m { } }\n"},
	{name: "marker with a reason", file: "checker/x.go", near: ruleMapRange, src: "func f(m map[int]int) {\n\t//det:unordered a sum does not show order\n\tfor range m {\n\t}\n}\n"},
	{name: "map range in a command", file: "cmd/simulate/x.go", near: ruleMapRange, src: "func f(m map[int]int) { for range m { } }\n"},
	{name: "map range in a test", file: "sim/x_test.go", near: ruleMapRange, src: "func f(m map[int]int) { for range m { } }\n"},

	// Concurrency.
	{name: "go statement", file: "sim/x.go", want: ruleGo, src: "func f() { go f() }\n"},
	{name: "a function named gone", file: "sim/x.go", near: ruleGo, src: "func gone() { defer gone() }\n"},
	{name: "go statement outside a world", file: "scenarios/x.go", near: ruleGo, src: "func f() { go f() }\n"},
	{name: "select", file: "sim/x.go", want: ruleSelect, src: "func f() { select {} }\n"},
	{name: "switch", file: "sim/x.go", near: ruleSelect, src: "func f() { switch { } }\n"},
	{name: "channel type", file: "sim/x.go", want: ruleChan, src: "type t struct{ c chan int }\n"},
	{name: "channel made", file: "sim/x.go", want: ruleChan, src: "func f() { c := make(chan int, 1); _ = c }\n"},
	{name: "receive", file: "sim/x.go", want: ruleChan, src: "import \"context\"\n\nfunc f(ctx context.Context) { <-ctx.Done() }\n"},
	{name: "channel in a method named Done with arguments", file: "sim/x.go", want: ruleChan, src: "type t struct{}\n\nfunc (t) Done(n int) chan int { return nil }\n"},
	{name: "channel in a function named Done", file: "sim/x.go", want: ruleChan, src: "func Done() chan int { return nil }\n"},
	{name: "Done of a context", file: "sim/x.go", near: ruleChan, src: "type t struct{}\n\nfunc (t) Done() <-chan struct{} { return nil }\n"},
	{name: "a send by another name", file: "sim/x.go", near: ruleChan, src: "func f(a, b int) bool { return a < -b }\n"},
	{name: "mutex", file: "sim/x.go", want: ruleSync, src: "import \"sync\"\n\nvar _ sync.Locker\n"},
	{name: "atomic", file: "sim/x.go", want: ruleSync, src: "import \"sync/atomic\"\n\ntype t struct{ n atomic.Int64 }\n"},
	{name: "mutex outside a world", file: "scenarios/x.go", near: ruleSync, src: "import \"sync\"\n\nvar mu sync.Mutex\n"},
	{name: "context with cancel", file: "sim/x.go", want: ruleContext, src: "import \"context\"\n\nfunc f(c context.Context) { _, stop := context.WithCancel(c); stop() }\n"},
	{name: "context with a value", file: "sim/x.go", near: ruleContext, src: "import \"context\"\n\nfunc f(c context.Context) { _ = context.WithValue(c, 1, 2) }\n"},

	// Time.
	{name: "time.Now", file: "sim/x.go", want: ruleTime, src: "import \"time\"\n\nfunc f() { _ = time.Now() }\n"},
	{name: "time under another name", file: "sim/x.go", want: ruleTime, src: "import clock \"time\"\n\nfunc f(d clock.Duration) { clock.Sleep(d) }\n"},
	{name: "time.Now in Deadline", file: "sim/x.go", want: ruleTime, src: "import \"time\"\n\ntype t struct{}\n\nfunc (t) Deadline() (time.Time, bool) { return time.Now(), true }\n"},
	{name: "time.Time beside Deadline", file: "sim/x.go", want: ruleTime, src: "import \"time\"\n\ntype t struct{ at time.Time }\n\nfunc (t) Deadline() (time.Time, bool) { return time.Time{}, false }\n"},
	{name: "Deadline of a context", file: "sim/x.go", near: ruleTime, src: "import \"time\"\n\ntype t struct{}\n\nfunc (t) Deadline() (time.Time, bool) { return time.Time{}, false }\n"},
	{name: "a field named time", file: "sim/x.go", near: ruleTime, src: "type t struct{ Now int }\n\nfunc f(time t) int { return time.Now }\n"},

	// Numbers.
	{name: "math", file: "faults/x.go", want: ruleMath, src: "import \"math\"\n\nconst big = math.MaxInt64\n"},
	{name: "math/bits", file: "faults/x.go", near: ruleMath, src: "import \"math/bits\"\n\nfunc f(n uint64) int { return bits.Len64(n) }\n"},
	{name: "float type", file: "faults/x.go", want: ruleFloat, src: "func f(x float64) {}\n"},
	{name: "float32 field", file: "faults/x.go", want: ruleFloat, src: "type t struct{ x float32 }\n"},
	{name: "float literal", file: "faults/x.go", want: ruleFloat, src: "func f(n int) bool { return n < 1e9 }\n"},
	{name: "float by a call", file: "faults/x.go", want: ruleFloat, src: "import \"strconv\"\n\nfunc f() bool { x, err := strconv.ParseFloat(\"1\", 64); return x == 0 && err != nil }\n"},
	{name: "integer by a call", file: "faults/x.go", near: ruleFloat, src: "import \"strconv\"\n\nfunc f() (int64, error) { return strconv.ParseInt(\"1.5\", 10, 64) }\n"},
	{name: "own type named float64", file: "faults/x.go", near: ruleFloat, src: "type float64 int\n\nfunc f() float64 { return 0x1F }\n"},
	{name: "floats in reports", file: "reports/x.go", near: ruleFloat, src: "func f(x float64) float64 { return x * 1.5 }\n"},

	// Randomness and addresses.
	{name: "math/rand", file: "faults/x.go", want: ruleRand, src: "import \"math/rand/v2\"\n\nfunc f() int { return rand.Int() }\n"},
	{name: "crypto/rand", file: "faults/x.go", want: ruleRand, src: "import \"crypto/rand\"\n\nfunc f() string { return rand.Text() }\n"},
	{name: "sim/rng named rand", file: "faults/x.go", near: ruleRand, src: "import rand \"github.com/twiceless/twiceless/sim/rng\"\n\nfunc f() int { return rand.Int() }\n"},
	{name: "maphash", file: "faults/x.go", want: ruleMaphash, src: "import \"hash/maphash\"\n\ntype t maphash.Hash\n"},
	{name: "FNV", file: "faults/x.go", near: ruleMaphash, src: "import \"hash/fnv\"\n\nfunc f() { fnv.New64a() }\n"},
	{name: "pointer key", file: world, want: rulePointerKey, src: "type n struct{}\n\ntype t struct{ m map[*n]int }\n"},
	{name: "pointer in a struct key", file: world, want: rulePointerKey, src: "type n struct{}\n\ntype k struct{ i int; p [2]*n }\n\nfunc f() { _ = make(map[k]int) }\n"},
	{name: "pointer value", file: world, near: rulePointerKey, src: "type n struct{}\n\ntype k struct{ i int; s string }\n\ntype t struct{ m map[k]*n }\n"},
	{name: "verb p", file: world, want: rulePercentP, src: "func f() string { return \"node %" + "#p\" }\n"},
	{name: "a percentage before p", file: world, near: rulePercentP, src: "func f() string { return \"50%% per run, %s p, p\" }\n"},
	{name: "unsafe", file: world, want: ruleUnsafe, src: "import \"unsafe\"\n\nfunc f(p *int) unsafe.Pointer { return unsafe.Pointer(p) }\n"},
	{name: "a variable named unsafe", file: world, near: ruleUnsafe, src: "func f(unsafe bool) bool { return !unsafe }\n"},

	// The machine.
	{name: "environment", file: world, want: ruleOS, src: "import \"os\"\n\nfunc f() string { return os.Getenv(\"A\") }\n"},
	{name: "log", file: world, want: ruleOS, src: "import \"log/slog\"\n\nfunc f() { slog.Info(\"a\") }\n"},
	{name: "io", file: world, near: ruleOS, src: "import \"io\"\n\ntype t struct{ w io.Writer }\n"},
	{name: "GOMAXPROCS", file: "sim/x.go", want: ruleRuntime, src: "import \"runtime\"\n\nfunc f() int { return runtime.GOMAXPROCS(0) }\n"},
	{name: "finalizer", file: "sim/x.go", want: ruleRuntime, src: "import \"runtime\"\n\nfunc f(p *int) { runtime.SetFinalizer(p, nil) }\n"},
	{name: "runtime outside the kernel", file: world, want: ruleRuntime, src: "import \"runtime\"\n\nfunc f() { runtime.Goexit() }\n"},
	{name: "runtime/debug", file: "sim/x.go", want: ruleRuntime, src: "import \"runtime/debug\"\n\nfunc f() []byte { return debug.Stack() }\n"},
	{name: "call sites and Goexit in the kernel", file: "sim/x.go", near: ruleRuntime, src: "import \"runtime\"\n\nfunc f(pc []uintptr) {\n\truntime.Callers(1, pc)\n\truntime.CallersFrames(pc)\n\truntime.FuncForPC(pc[0])\n\truntime.Goexit()\n}\n"},

	// Package state.
	{name: "init", file: "sim/x.go", want: ruleInit, src: "func init() {}\n"},
	{name: "init in reports", file: "reports/x.go", want: ruleInit, src: "func init() {}\n"},
	{name: "a method named init", file: "sim/x.go", near: ruleInit, src: "type t struct{}\n\nfunc (t) init() {}\n"},
	{name: "package variable", file: "sim/x.go", want: ruleState, src: "var count int\n"},
	{name: "package variable of a suitable comment", file: "sim/x.go", want: ruleState, src: "// names is suitable.\nvar names = []string{\"a\"}\n"},
	{name: "a name that says table", file: "sim/x.go", near: ruleState, src: "var (\n\tkindTable = []string{\"a\"}\n)\n"},
	{name: "a table that is filled later", file: "sim/x.go", want: ruleState, src: "// names is the table of names.\nvar names = make(map[string]int)\n"},
	{name: "a table that changes", file: "sim/x.go", want: ruleState, src: "// names is the table of names.\nvar names = []string{\"a\"}\n\nfunc f() { names[0] = \"b\" }\n"},
	{name: "an assigned error", file: "sim/x.go", want: ruleState, src: "import \"errors\"\n\nvar errA = errors.New(\"a\")\n\nfunc f() { errA = nil }\n"},
	{name: "errors and tables", file: "sim/x.go", near: ruleState, src: "import \"errors\"\n\nvar (\n\terrA = errors.New(\"a\")\n\terrB = errors.New(\"b\")\n)\n\n// names is the table of names.\nvar names = []string{\"a\"}\n\nfunc f() { names := names; names = nil; _ = names }\n"},
	{name: "assertion of an interface", file: "sim/x.go", near: ruleState, src: "type t struct{}\n\nvar _ error = (*t)(nil)\n\nfunc (*t) Error() string { return \"\" }\n"},
	{name: "blank import", file: "reports/x.go", want: ruleBlankImport, src: "import _ \"image/png\"\n"},
	{name: "embed", file: "scenarios/x.go", near: ruleBlankImport, src: "import _ \"embed\"\n"},
	{name: "dot import", file: "sim/x.go", want: ruleDotImport, src: "import . \"fmt\"\n"},
	{name: "renamed import", file: "sim/x.go", near: ruleDotImport, src: "import f \"fmt\"\n\nfunc g() { f.Print() }\n"},
}

func imports(paths ...string) string {
	var b strings.Builder
	for _, p := range paths {
		b.WriteString("import _ \"" + strings.ReplaceAll(p, "@", modulePath) + "\"\n")
	}
	return b.String()
}

var plantedImports = []plant{
	{name: "rng imports history", file: "sim/rng/x.go", want: ruleLattice, src: imports("@/sim/history")},
	{name: "history imports the kernel", file: "sim/history/x.go", want: ruleLattice, src: imports("@/sim")},
	{name: "the kernel imports a model", file: "sim/x.go", want: ruleLattice, src: imports("@/model")},
	{name: "siblings", file: "model/broker/x.go", want: ruleLattice, src: imports("@/model/consumer")},
	{name: "model imports a child", file: "model/x.go", want: ruleLattice, src: imports("@/model/broker")},
	{name: "model imports faults", file: "model/stack/x.go", want: ruleLattice, src: imports("@/faults")},
	{name: "faults import a broker", file: "faults/x.go", want: ruleLattice, src: imports("@/model/broker")},
	{name: "a checker imports the kernel", file: "checker/x.go", want: ruleLattice, src: imports("@/sim")},
	{name: "a checker imports a model", file: "checker/x.go", want: ruleLattice, src: imports("@/model")},
	{name: "reports import scenarios", file: "reports/x.go", want: ruleLattice, src: imports("@/scenarios")},
	{name: "reports import a model", file: "reports/x.go", want: ruleLattice, src: imports("@/model")},
	{name: "scenarios import reports", file: "scenarios/x.go", want: ruleLattice, src: imports("@/reports")},
	{name: "the command imports a model", file: "cmd/simulate/x.go", want: ruleLattice, src: imports("@/model")},
	{name: "a conformance suite in the product", file: "scenarios/x.go", want: ruleLattice, src: imports("@/model/broker/conformance")},
	{name: "an example imports what teams do not", file: "examples/x/x.go", want: ruleLattice, src: imports("@/internal/tell")},
	{name: "a test imports the command", file: "sim/x_test.go", want: ruleLattice, src: imports("@/cmd/simulate")},
	{name: "a path that only begins alike", file: "checker/x.go", want: ruleLattice, src: imports("@/sim/historybook")},

	{name: "the kernel imports its parts", file: "sim/x.go", near: ruleLattice, src: imports("@/sim/rng", "@/sim/history", "fmt")},
	{name: "history imports rng", file: "sim/history/x.go", near: ruleLattice, src: imports("@/sim/rng")},
	{name: "a broker imports model and kernel", file: "model/broker/x.go", near: ruleLattice, src: imports("@/model", "@/sim", "@/sim/history")},
	{name: "a broker imports its own parts", file: "model/broker/log/x.go", near: ruleLattice, src: imports("@/model/broker")},
	{name: "faults import model", file: "faults/x.go", near: ruleLattice, src: imports("@/model", "@/sim")},
	{name: "scenarios import all below", file: "scenarios/x.go", near: ruleLattice, src: imports("@/sim", "@/model/stack", "@/faults", "@/checker")},
	{name: "reports read", file: "reports/x.go", near: ruleLattice, src: imports("@/sim/history", "@/sim/rng", "@/checker", "@/faults")},
	{name: "the command", file: "cmd/simulate/x.go", near: ruleLattice, src: imports("@/scenarios", "@/reports", "@/checker", "@/faults", "@/sim/history")},
	{name: "tests look sideways", file: "model/broker/x_test.go", near: ruleLattice, src: imports("@/model/consumer", "@/model/broker/conformance")},

	{name: "testify in the kernel", file: "sim/x.go", want: ruleThirdParty, src: imports("github.com/stretchr/testify/require")},
	{name: "gonum in a checker", file: "checker/x.go", want: ruleThirdParty, src: imports("gonum.org/v1/gonum/stat")},
	{name: "YAML in faults", file: "faults/x.go", want: ruleThirdParty, src: imports("github.com/goccy/go-yaml")},
	{name: "an unknown module in a test", file: "sim/x_test.go", want: ruleThirdParty, src: imports("example.com/other")},
	{name: "rapid and testify in tests", file: "sim/x_test.go", near: ruleThirdParty, src: imports("pgregory.net/rapid", "github.com/stretchr/testify/require")},
	{name: "rapid in a conformance suite", file: "model/broker/conformance/x.go", near: ruleThirdParty, src: imports("pgregory.net/rapid", "testing")},
	{name: "porcupine in a checker", file: "checker/x.go", near: ruleThirdParty, src: imports("github.com/anishathalye/porcupine")},
	{name: "gonum in reports", file: "reports/x.go", near: ruleThirdParty, src: imports("gonum.org/v1/plot/vg")},

	{name: "a new package", file: "util/x.go", want: ruleNoRow, src: imports("fmt")},
	{name: "a new part of the kernel", file: "sim/extra/x.go", want: ruleNoRow, src: imports("fmt")},
	{name: "a new part of the checkers", file: "checker/extra/x.go", near: ruleNoRow, src: imports("fmt")},
}

func lines(n int) string { return strings.Repeat("\n", n) }

var plantedSizes = []plant{
	{name: "long file", file: "sim/x.go", want: ruleFileSize, src: "package sim\n" + lines(maxFileLines) + "type t int\n"},
	{name: "full file", file: "sim/x.go", near: ruleFileSize, src: "package sim\n" + lines(maxFileLines-1)},
	{name: "long test file", file: "sim/x_test.go", near: ruleFileSize, src: "package sim\n" + lines(2*maxFileLines)},
	{name: "generated file", file: "sim/x.go", near: ruleFileSize, src: "// Code generated by hand. DO NOT EDIT.\n\npackage sim\n" + lines(2*maxFileLines)},
	{name: "long function", file: "sim/x.go", want: ruleFuncSize, src: "func f() {" + lines(maxFuncLines) + "}\n"},
	{name: "full function", file: "sim/x.go", near: ruleFuncSize, src: "func f() {" + lines(maxFuncLines-1) + "}\n"},
	{name: "long comment above a function", file: "sim/x.go", near: ruleFuncSize, src: strings.Repeat("// a\n", maxFuncLines) + "func f() {}\n"},
}

var plantedText = []plant{
	{name: "working folder", file: "docs/x.md", want: ruleMachinePath, src: "see /wo" + "rk/main/x.go"},
	{name: "home folder", file: "Makefile", want: ruleMachinePath, src: "x=/ro" + "ot/go"},
	{name: "job folder", file: "a/x.sh", want: ruleMachinePath, src: "/tmp/bash" + "_jobs.0"},
	{name: "folders with like names", file: "docs/x.md", near: ruleMachinePath, src: "net/wo" + "rk/x, docs/wo" + "rk/y, example.org/ro" + "ot/z, /workers/, /t" + "mp/x"},
	{name: "binary", file: "docs/x.png", near: ruleMachinePath, src: "\x00 /wo" + "rk/main"},
	{name: "Go proxy", file: ".ci/run", want: ruleRegistryHost, src: "GOPROXY=https://proxy." + "golang.org"},
	{name: "Debian mirror", file: ".ci/run", want: ruleRegistryHost, src: "deb http://deb." + "debian.org/debian stable main"},
	{name: "module and documentation", file: "docs/x.md", near: ruleRegistryHost, src: "golang.org/x/term, pkg.go.dev/fmt, www.debian.org"},
	{name: "unfinished", file: "sim/x.go", want: ruleUnfinished, src: "// TO" + "DO: finish"},
	{name: "unfinished document", file: "docs/x.md", want: ruleUnfinished, src: "FIX" + "ME"},
	{name: "words that contain it", file: "docs/x.md", near: ruleUnfinished, src: "mktemp XX" + "XXXX, to do, to" + "DO, TO" + "DOS"},
	{name: "template of a temporary name", file: ".ci/run", near: ruleUnfinished, src: "mktemp a.X" + "XX"},
}
