package twiceless

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// survivors are the package variables of some directories that functions change, as "seen (charge.go:12)". A simulated
// crash ends a process and throws away what was made for it; what lies in a package variable is still there in the next
// one, and a real crash would have forgotten it. So a handler that remembers in one what it has done passes a test that
// it would fail in production.
//
// It reads the source, without types: a variable counts if a function of the package assigns to it, to an element or field
// of it, counts it up or down, or calls Store, Add, Swap, LoadOrStore, Do, Put or Delete of it. Variables set by nothing
// but their declaration, and errors, are left alone. What is changed through a pointer elsewhere is not seen.
func survivors(dirs []string) []string {
	var out []string
	for _, dir := range dirs {
		out = append(out, survivorsIn(dir)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// sourceOf reads the Go files of a directory, less tests. What cannot be read is passed over: the compiler tells of it.
func sourceOf(dir string) (files []*ast.File, set *token.FileSet) {
	set = token.NewFileSet()
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			if f, err := parser.ParseFile(set, filepath.Join(dir, name), nil, parser.SkipObjectResolution); err == nil {
				files = append(files, f)
			}
		}
	}
	return files, set
}

// exits are the calls in a directory that end the program, as "os.Exit (charge.go:88)". Nothing can be said after one.
func exits(dir string) (out []string) {
	files, set := sourceOf(dir)
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := sel.X.(*ast.Ident)
			if name := sel.Sel.Name; ok && (pkg.Name == "os" && name == "Exit" || pkg.Name == "log" && strings.HasPrefix(name, "Fatal")) {
				at := set.Position(call.Pos())
				out = append(out, fmt.Sprintf("%s.%s (%s:%d)", pkg.Name, name, filepath.Base(at.Filename), at.Line))
			}
			return true
		})
	}
	return out
}

func survivorsIn(dir string) (out []string) {
	files, set := sourceOf(dir)
	vars := map[string]token.Pos{}
	for _, f := range files {
		packageVars(f, vars)
	}
	changed := map[string]bool{}
	for _, f := range files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil && (fn.Recv != nil || fn.Name.Name != "init") {
				changedIn(fn, vars, changed)
			}
		}
	}
	for name, pos := range vars { //det:unordered sorted by the caller
		if changed[name] {
			at := set.Position(pos)
			out = append(out, fmt.Sprintf("%s (%s:%d)", name, filepath.Base(at.Filename), at.Line))
		}
	}
	return out
}

func packageVars(f *ast.File, vars map[string]token.Pos) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				vars[name.Name] = name.Pos()
			}
		}
	}
}

// changedIn marks the package variables that a function changes. A local of the same name hides a variable in the whole
// function: rather one warning too few.
func changedIn(fn *ast.FuncDecl, vars map[string]token.Pos, changed map[string]bool) {
	local := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, e := range n.Lhs {
					local[rootName(e)] = true
				}
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				local[rootName(n.Key)], local[rootName(n.Value)] = true, true
			}
		case *ast.ValueSpec:
			for _, name := range n.Names {
				local[name.Name] = true
			}
		case *ast.Field:
			for _, name := range n.Names {
				local[name.Name] = true
			}
		}
		return true
	})
	mark := func(e ast.Expr) {
		name := rootName(e)
		if _, known := vars[name]; known && !local[name] {
			changed[name] = true
		}
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, e := range n.Lhs {
					mark(e)
				}
			}
		case *ast.IncDecStmt:
			mark(n.X)
		case *ast.CallExpr:
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains(changers, sel.Sel.Name) {
				mark(sel.X)
			}
			if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "delete" || id.Name == "clear") && len(n.Args) > 0 {
				mark(n.Args[0])
			}
		}
		return true
	})
}

// changers are the methods of sync and sync/atomic that change what they are called on.
var changers = []string{"Add", "CompareAndSwap", "Delete", "Do", "LoadOrStore", "Put", "Store", "Swap"}

// rootName is the variable that an expression leads to: seen of seen[k].n.
func rootName(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x.Name
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return ""
		}
	}
}

// survivorsRemark is the warning, "" = none.
func survivorsRemark(dirs []string) string {
	found := survivors(dirs)
	if len(found) == 0 {
		return ""
	}
	const most = 5
	more := ""
	if len(found) > most {
		more = fmt.Sprintf(" and %d more", len(found)-most)
	}
	return "package variables survive a simulated crash, which a real one forgets: " + strings.Join(found[:min(most, len(found))], ", ") + more +
		"; what they remember may hide a bug. Keep such state in what the handler is made of"
}
