package lint

import (
	"go/token"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A plant is a piece of source at a place in the tree. want is the only rule that must report it; a near miss has none, and near names the rule
// that it is a near miss of.
type plant struct {
	name string
	file string
	src  string
	want string
	near string
}

// plantExports are the compiled types of the packages that plants import.
var plantExports = sync.OnceValues(func() (map[string]string, error) {
	return exportData(".", []string{"context", "errors", "fmt", "iter", "maps", "math/bits", "reflect", "runtime", "slices", "strconv", "time"})
})

func (p plant) tree(t *testing.T) *Tree {
	t.Helper()
	tr := newTree()
	var err error
	if tr.exports, err = plantExports(); err != nil {
		t.Fatal(err)
	}
	src := p.src
	if !strings.Contains("\n"+src, "\npackage ") {
		src = "package planted\n\n" + src
	}
	if err := tr.add(p.file, []byte(src), true); err != nil {
		t.Fatal(err)
	}
	tr.checkAll()
	return tr
}

func (p plant) check(t *testing.T, judge func(*Tree) []Finding) {
	t.Helper()
	p.judge(t, judge(p.tree(t)))
}

func (p plant) judge(t *testing.T, found []Finding) {
	t.Helper()
	if p.want == "" {
		report(t, found)
		return
	}
	if len(found) == 0 {
		t.Fatalf("no finding, want %s", p.want)
	}
	for _, f := range found {
		if f.Rule != p.want {
			t.Errorf("unexpected finding beside %s: %v", p.want, f)
		}
		if instead := replacements[f.Rule]; instead == "" || !strings.HasSuffix(f.String(), instead) {
			t.Errorf("finding names no replacement: %v", f)
		}
	}
}

func TestPlantedBans(t *testing.T) {
	for _, p := range plantedBans {
		t.Run(p.name, func(t *testing.T) { p.check(t, Bans) })
	}
}

func TestPlantedImports(t *testing.T) {
	for _, p := range plantedImports {
		t.Run(p.name, func(t *testing.T) { p.check(t, Imports) })
	}
}

func TestPlantedSizes(t *testing.T) {
	for _, p := range plantedSizes {
		t.Run(p.name, func(t *testing.T) {
			p.check(t, func(tr *Tree) []Finding { return Sizes(tr, nil) })
		})
	}
}

func TestPlantedText(t *testing.T) {
	for _, p := range plantedText {
		t.Run(p.name, func(t *testing.T) {
			p.judge(t, textFindings(p.file, []byte(p.src)))
		})
	}
}

// Every rule has a plant that it reports, a near miss that it leaves alone, and a replacement.
func TestEveryRuleIsProved(t *testing.T) {
	all := slices.Concat(plantedBans, plantedImports, plantedSizes, plantedText)
	for rule := range replacements {
		if !slices.ContainsFunc(all, func(p plant) bool { return p.want == rule }) {
			t.Errorf("rule %s: no planted snippet", rule)
		}
		if !slices.ContainsFunc(all, func(p plant) bool { return p.near == rule && p.want == "" }) {
			t.Errorf("rule %s: no near miss", rule)
		}
	}
	for _, p := range all {
		if (p.want == "") == (p.near == "") {
			t.Errorf("plant %q: exactly one of want and near", p.name)
		}
	}
}

// Every banned import fires by itself, whatever the table of plants shows.
func TestEveryBannedImportFires(t *testing.T) {
	for _, b := range bannedImports {
		ip := strings.TrimSuffix(b.pattern, "/...")
		paths := []string{ip}
		if strings.HasSuffix(b.pattern, "/...") {
			paths = append(paths, ip+"/below")
		}
		for _, ip := range paths {
			p := plant{file: "model/broker/x.go", src: "import x \"" + ip + "\"\n", want: b.rule}
			t.Run(ip, func(t *testing.T) { p.check(t, Bans) })
		}
	}
}

// Every package of a world is one for the bans, and every row of the lattice stops at least a higher package and an unknown module.
func TestEveryRowStopsSomething(t *testing.T) {
	for _, r := range lattice {
		rel := strings.TrimSuffix(r.pkg, "/...")
		t.Run(rel, func(t *testing.T) {
			plant{file: rel + "/x.go", src: "import _ \"" + modulePath + "/internal/other\"\n", want: ruleLattice}.check(t, Imports)
			plant{file: rel + "/x.go", src: "import _ \"example.com/other\"\n", want: ruleThirdParty}.check(t, Imports)
			if matchesAny(worldPackages, rel) {
				plant{file: rel + "/x.go", src: "func f() { go f() }\n", want: ruleGo}.check(t, Bans)
			}
		})
	}
}

func TestAllowancesAreARatchet(t *testing.T) {
	long := plant{file: "sim/x.go", src: "func f() {" + strings.Repeat("\n", 99) + "}\n"}
	for _, c := range []struct {
		allowed []allowance
		want    string
	}{
		{[]allowance{{"sim/x.go:f", 100}}, ""},
		{[]allowance{{"sim/x.go:f", 99}}, "more than 99"},
		{[]allowance{{"sim/x.go:f", 120}}, "lower its allowance"},
		{[]allowance{{"sim/x.go:f", 100}, {"sim/x.go", 600}}, "remove its allowance"},
		{[]allowance{{"sim/x.go:f", 100}, {"sim/gone.go", 600}}, "is gone"},
	} {
		found := Sizes(long.tree(t), c.allowed)
		if c.want == "" {
			report(t, found)
		} else if len(found) != 1 || !strings.Contains(found[0].What, c.want) {
			t.Errorf("%v: got %v, want one finding: %s", c.allowed, found, c.want)
		}
	}
}

// Without types (a tree that does not compile) syntax still tells the most.
func TestBansWithoutTypes(t *testing.T) {
	tr := newTree()
	src := "package sim\n\nimport \"time\"\n\nvar x float64 = time.Now()\n\nfunc f() { go f(); for range (map[int]int{}) {} ; for range map[int]int{} {} }\n"
	if err := tr.add("sim/x.go", []byte(src), false); err != nil {
		t.Fatal(err)
	}
	tr.checkAll()
	var rules []string
	for _, f := range Bans(tr) {
		rules = append(rules, f.Rule)
	}
	slices.Sort(rules)
	want := []string{ruleFloat, ruleGo, ruleMapRange, ruleState, ruleTime}
	if got := slices.Compact(rules); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFindingsPrintLikeCompilerErrors(t *testing.T) {
	f := Finding{ruleGo, token.Position{Filename: "sim/x.go", Line: 7}, "go statement"}
	want := "sim/x.go:7: [go] go statement; use instead: " + replacements[ruleGo]
	if f.String() != want {
		t.Errorf("got %q, want %q", f, want)
	}
}
