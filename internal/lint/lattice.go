package lint

import (
	"go/token"
	"slices"
	"strings"
)

// matches says whether a path falls under a pattern: itself, or anything below it for "x/...".
func matches(pattern, p string) bool {
	base, tree := strings.CutSuffix(pattern, "/...")
	return p == base || tree && strings.HasPrefix(p, base+"/")
}

func matchesAny(patterns []string, p string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, p) })
}

func rowOf(rel string) (row, bool) {
	i := slices.IndexFunc(lattice, func(r row) bool { return matches(r.pkg, rel) })
	if i < 0 {
		return row{}, false
	}
	return lattice[i], true
}

// Imports reports imports against the lattice.
func Imports(t *Tree) []Finding {
	var found []Finding
	for _, p := range t.Packages {
		r, ok := rowOf(p.Rel)
		if !ok {
			found = append(found, Finding{ruleNoRow, token.Position{Filename: p.Files[0].Name, Line: 1}, "package " + p.Rel + " has no row in the import lattice"})
			continue
		}
		for _, f := range p.Files {
			for _, spec := range f.AST.Imports {
				if rule, what := judgeImport(r, p.Rel, f.Test, importPath(spec)); rule != "" {
					found = append(found, Finding{rule, t.Fset.Position(spec.Pos()), what})
				}
			}
		}
	}
	return found
}

func judgeImport(r row, from string, test bool, imported string) (rule, what string) {
	rel, ours := oursRel(imported)
	switch {
	case ours && rel == from: // the external tests of a package
		return "", ""
	case ours && isTestPackage(rel) && !test:
		return ruleLattice, from + " imports " + rel + ", which exists for tests only"
	case ours && (matchesAny(r.ours, rel) || matches(r.pkg, rel)):
		return "", ""
	case ours && test && matchesAny(testsMayImport.ours, rel):
		return "", ""
	case ours:
		return ruleLattice, from + " must not import " + rel
	case isStd(imported) || matchesAny(r.third, imported):
		return "", ""
	case test && matchesAny(testsMayImport.third, imported):
		return "", ""
	}
	return ruleThirdParty, from + " must not import " + imported
}
