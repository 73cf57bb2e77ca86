package lint

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
)

// Sizes reports files and functions over the limits, and allowances that are larger than they need to be.
func Sizes(t *Tree, allowed []allowance) []Finding {
	var found []Finding
	used := map[string]bool{}
	judge := func(rule, what string, pos token.Position, lines, limit int) {
		if i := slices.IndexFunc(allowed, func(a allowance) bool { return a.what == what }); i >= 0 {
			used[what] = true
			if limit < lines && lines < allowed[i].lines {
				found = append(found, Finding{rule, pos, fmt.Sprintf("%s shrank to %d lines: lower its allowance of %d", what, lines, allowed[i].lines)})
			}
			if lines <= limit {
				found = append(found, Finding{rule, pos, what + " meets the limit: remove its allowance"})
			}
			limit = max(limit, allowed[i].lines)
		}
		if lines > limit {
			found = append(found, Finding{rule, pos, fmt.Sprintf("%s has %d lines, more than %d", what, lines, limit)})
		}
	}
	for _, p := range t.Packages {
		for _, f := range p.Files {
			if f.Test || ast.IsGenerated(f.AST) {
				continue
			}
			lines := t.Fset.Position(f.AST.FileEnd).Line - 1
			judge(ruleFileSize, f.Name, token.Position{Filename: f.Name, Line: 1}, lines, maxFileLines)
			for _, d := range f.AST.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok {
					from, to := t.Fset.Position(fn.Pos()), t.Fset.Position(fn.End())
					judge(ruleFuncSize, f.Name+":"+fn.Name.Name, from, to.Line-from.Line+1, maxFuncLines)
				}
			}
		}
	}
	for _, a := range allowed {
		if !used[a.what] {
			found = append(found, Finding{ruleFileSize, token.Position{Filename: "internal/lint/policy.go", Line: 1}, a.what + " is gone: remove its allowance"})
		}
	}
	return found
}
