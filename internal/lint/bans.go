package lint

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// Bans reports what makes a run depend on anything but its case.
func Bans(t *Tree) []Finding {
	var found []Finding
	for _, p := range t.Packages {
		for _, f := range p.Files {
			if !f.Test {
				s := newScan(t, p, f)
				s.file()
				found = append(found, s.found...)
			}
		}
	}
	return found
}

// UntypedRanges lists the range loops whose operand has no type, so that a map could hide there: none in a tree that compiles.
func UntypedRanges(t *Tree) []token.Position {
	var found []token.Position
	for _, p := range t.Packages {
		for _, f := range p.Files {
			if !f.Test && f.typed && matchesAny(slices.Concat(worldPackages, orderedPackages), p.Rel) {
				s := newScan(t, p, f)
				s.file()
				found = append(found, s.untyped...)
			}
		}
	}
	return found
}

// A scan judges one file.
type scan struct {
	tree    *Tree
	pkg     *Package
	src     *File
	world   bool
	ordered bool

	names   map[string]string // local name of an import → its path
	clock   bool              // the file declares Deadline or Done of a context
	fn      *ast.FuncDecl     // the declaration being walked, if it is a function
	sorted  map[*ast.CallExpr]bool
	found   []Finding
	untyped []token.Position
}

func newScan(t *Tree, p *Package, f *File) *scan {
	s := &scan{
		tree: t, pkg: p, src: f,
		world:   matchesAny(worldPackages, p.Rel),
		ordered: matchesAny(orderedPackages, p.Rel),
		names:   map[string]string{},
		sorted:  map[*ast.CallExpr]bool{},
	}
	for _, spec := range f.AST.Imports {
		ip := importPath(spec)
		name := importName(ip)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		s.names[name] = ip
	}
	s.clock = slices.ContainsFunc(f.AST.Decls, isClockMethod)
	return s
}

var versionSuffix = regexp.MustCompile(`/v[0-9]+$`)

func importName(ip string) string {
	ip = versionSuffix.ReplaceAllString(ip, "")
	return ip[strings.LastIndex(ip, "/")+1:]
}

// isClockMethod says whether a declaration is the method Deadline or Done of a context.
func isClockMethod(d ast.Decl) bool {
	fn, ok := d.(*ast.FuncDecl)
	if !ok || fn.Recv == nil || fn.Type.Params.NumFields() != 0 {
		return false
	}
	results := fn.Type.Results.NumFields()
	return fn.Name.Name == "Deadline" && results == 2 || fn.Name.Name == "Done" && results == 1
}

// report adds a finding, once per rule and line.
func (s *scan) report(rule string, at token.Pos, what string) {
	f := Finding{rule, s.tree.Fset.Position(at), what}
	for _, seen := range s.found {
		if seen.Rule == rule && seen.Pos.Line == f.Pos.Line {
			return
		}
	}
	s.found = append(s.found, f)
}

func (s *scan) file() {
	for _, spec := range s.src.AST.Imports {
		s.importSpec(spec)
	}
	for _, d := range s.src.AST.Decls {
		s.fn = nil
		switch d := d.(type) {
		case *ast.FuncDecl:
			s.fn = d
			if d.Recv == nil && d.Name.Name == "init" {
				s.report(ruleInit, d.Pos(), "func init")
			}
		case *ast.GenDecl:
			if s.world && d.Tok == token.VAR {
				s.packageVars(d)
			}
		}
		ast.Inspect(d, s.visit)
	}
}

func (s *scan) importSpec(spec *ast.ImportSpec) {
	ip := importPath(spec)
	if spec.Name != nil && spec.Name.Name == "_" && ip != "embed" {
		s.report(ruleBlankImport, spec.Pos(), "blank import of "+ip)
	}
	if spec.Name != nil && spec.Name.Name == "." {
		s.report(ruleDotImport, spec.Pos(), "dot import of "+ip)
	}
	if !s.world || ip == "runtime" && s.pkg.Rel == kernelPackage {
		return
	}
	if ip == "time" && !s.clock {
		s.report(ruleTime, spec.Pos(), "import of time")
	}
	for _, b := range bannedImports {
		if matches(b.pattern, ip) {
			s.report(b.rule, spec.Pos(), "import of "+ip)
		}
	}
}

func (s *scan) packageVars(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		if allBlank(v.Names) || allErrors(s, v.Values) {
			continue
		}
		marked := saysTable.MatchString(v.Names[0].Name + "\n" + d.Doc.Text() + v.Doc.Text())
		if !marked || !isTable(v.Values) {
			s.report(ruleState, v.Pos(), "package variable "+v.Names[0].Name)
		}
	}
}

// saysTable finds the word, or a name that ends in it: kindTable.
var saysTable = regexp.MustCompile(`(\b[tT]|[a-z0-9]T)ables?\b`)

func allBlank(names []*ast.Ident) bool {
	return !slices.ContainsFunc(names, func(n *ast.Ident) bool { return n.Name != "_" })
}

func allErrors(s *scan, values []ast.Expr) bool {
	return len(values) > 0 && !slices.ContainsFunc(values, func(v ast.Expr) bool {
		call, ok := v.(*ast.CallExpr)
		return !ok || !s.isPkgCall(call, "errors", "New") && !s.isPkgCall(call, "fmt", "Errorf")
	})
}

// isTable says whether the values are there from the start: what make and new give is filled later.
func isTable(values []ast.Expr) bool {
	return len(values) > 0 && !slices.ContainsFunc(values, func(v ast.Expr) bool {
		call, ok := v.(*ast.CallExpr)
		if !ok {
			return false
		}
		id, ok := call.Fun.(*ast.Ident)
		return ok && (id.Name == "make" || id.Name == "new")
	})
}

func (s *scan) visit(n ast.Node) bool {
	if n == nil {
		return true
	}
	if s.world || s.ordered {
		s.visitMaps(n)
	}
	if s.world {
		s.visitStatement(n)
		s.visitValue(n)
	}
	return true
}

func (s *scan) inClockMethod() bool { return s.fn != nil && isClockMethod(s.fn) }

func (s *scan) visitStatement(n ast.Node) {
	switch n := n.(type) {
	case *ast.GoStmt:
		s.report(ruleGo, n.Pos(), "go statement")
	case *ast.SelectStmt:
		s.report(ruleSelect, n.Pos(), "select")
	case *ast.SendStmt:
		s.report(ruleChan, n.Pos(), "send on a channel")
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			s.report(ruleChan, n.Pos(), "receive from a channel")
		}
	case *ast.ChanType:
		if !s.inClockMethod() {
			s.report(ruleChan, n.Pos(), "channel type")
		}
	case *ast.AssignStmt:
		for _, lhs := range n.Lhs {
			s.assigned(lhs, n.Tok == token.DEFINE)
		}
	case *ast.IncDecStmt:
		s.assigned(n.X, false)
	}
}

// percentP finds the verb that prints an address.
var percentP = regexp.MustCompile(`%[-+# 0]*[0-9.*\[\]]*p`)

func (s *scan) visitValue(n ast.Node) {
	switch n := n.(type) {
	case *ast.BasicLit:
		if n.Kind == token.FLOAT || n.Kind == token.IMAG {
			s.report(ruleFloat, n.Pos(), "floating-point literal "+n.Value)
		}
		if n.Kind == token.STRING && percentP.MatchString(strings.ReplaceAll(n.Value, "%%", "")) {
			s.report(rulePercentP, n.Pos(), "verb %"+"p")
		}
	case *ast.Ident:
		if floatNames[n.Name] && s.isUniverse(n) {
			s.report(ruleFloat, n.Pos(), "type "+n.Name)
		}
	case *ast.CallExpr:
		if s.isFloat(n) {
			s.report(ruleFloat, n.Pos(), "call that gives a floating-point value")
		}
	case *ast.MapType:
		if s.hasPointer(n.Key) {
			s.report(rulePointerKey, n.Pos(), "map keyed by a pointer")
		}
	case *ast.SelectorExpr:
		s.selector(n)
	}
}

var floatNames = map[string]bool{"float32": true, "float64": true, "complex64": true, "complex128": true}

var contextBanned = []string{
	"WithCancel", "WithCancelCause", "WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause", "AfterFunc",
}

func (s *scan) selector(n *ast.SelectorExpr) {
	ip, ok := s.pkgOf(n.X)
	if !ok {
		return
	}
	name := n.Sel.Name
	switch {
	case ip == "time" && (name != "Time" || !s.inClockMethod()):
		s.report(ruleTime, n.Pos(), "time."+name)
	case ip == "context" && slices.Contains(contextBanned, name):
		s.report(ruleContext, n.Pos(), "context."+name)
	case ip == "runtime" && !slices.Contains(runtimeAllowed, name):
		s.report(ruleRuntime, n.Pos(), "runtime."+name)
	}
}
