package lint

import (
	"os"
	"slices"
	"sync"
	"testing"
)

var loadTree = sync.OnceValues(func() (*Tree, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	return Load(root)
})

func tree(t *testing.T) *Tree {
	t.Helper()
	tr, err := loadTree()
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func report(t *testing.T, found []Finding) {
	t.Helper()
	for _, f := range found {
		t.Error(f)
	}
}

func TestImportsFollowTheLattice(t *testing.T) { report(t, Imports(tree(t))) }

func TestNoBannedCode(t *testing.T) { report(t, Bans(tree(t))) }

func TestSizes(t *testing.T) { report(t, Sizes(tree(t), allowances)) }

func TestNestedModulesFollowTheLattice(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	nested, err := LoadNested(root)
	if err != nil {
		t.Fatal(err)
	}
	adapter := func(p *Package) bool { return p.Rel == "adapters/franz" }
	if !slices.ContainsFunc(nested.Packages, adapter) || slices.ContainsFunc(tree(t).Packages, adapter) {
		t.Error("adapters/franz is a nested module, and was not read as one")
	}
	report(t, Imports(nested))
	report(t, Sizes(nested, nil))
}

func TestText(t *testing.T) {
	if testing.Short() {
		t.Skip("nothing is concurrent in it")
	}
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	found, err := Text(root)
	if err != nil {
		t.Fatal(err)
	}
	report(t, found)
}

// The ban on map ranges sees maps by their types. In CI the tree compiles, so that every range operand must have one.
func TestEveryRangeOperandHasAType(t *testing.T) {
	for _, pos := range UntypedRanges(tree(t)) {
		if os.Getenv("CI") != "" {
			t.Errorf("%v: the operand of range has no type", pos)
		} else {
			t.Logf("%v: the operand of range has no type: does the tree compile?", pos)
		}
	}
}
