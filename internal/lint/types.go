package lint

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
)

// pkgOf says which package a name stands for.
func (s *scan) pkgOf(x ast.Expr) (string, bool) {
	id, ok := x.(*ast.Ident)
	if !ok {
		return "", false
	}
	if obj := s.pkg.info.Uses[id]; obj != nil {
		name, ok := obj.(*types.PkgName)
		if !ok {
			return "", false
		}
		return name.Imported().Path(), true
	}
	ip, ok := s.names[id.Name]
	return ip, ok
}

func (s *scan) isPkgCall(call *ast.CallExpr, pkg string, names ...string) bool {
	fun := call.Fun
	if index, ok := fun.(*ast.IndexExpr); ok { // an explicit type argument
		fun = index.X
	}
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains(names, sel.Sel.Name) {
		return false
	}
	ip, ok := s.pkgOf(sel.X)
	return ok && ip == pkg
}

func (s *scan) isUniverse(id *ast.Ident) bool {
	if obj := s.pkg.info.Uses[id]; obj != nil {
		return obj.Parent() == types.Universe
	}
	return !s.src.typed
}

func (s *scan) isFloat(x ast.Expr) bool {
	switch t := s.pkg.info.TypeOf(x).(type) {
	case nil:
		return false
	case *types.Tuple:
		for v := range t.Variables() {
			if isFloatType(v.Type()) {
				return true
			}
		}
		return false
	default:
		return isFloatType(t)
	}
}

func isFloatType(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&(types.IsFloat|types.IsComplex) != 0
}

// hasPointer says whether equality of values of this type compares addresses.
func (s *scan) hasPointer(x ast.Expr) bool {
	t := s.pkg.info.TypeOf(x)
	if t == nil {
		_, star := x.(*ast.StarExpr)
		return star
	}
	return comparesAddresses(t)
}

func comparesAddresses(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Pointer, *types.Chan:
		return true
	case *types.Basic:
		return u.Kind() == types.UnsafePointer
	case *types.Array:
		return comparesAddresses(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if comparesAddresses(f.Type()) {
				return true
			}
		}
	}
	return false
}

// isMap says whether ranging over the type ranges over a map, through type parameters too.
func isMap(t types.Type) bool {
	if p, ok := t.(*types.TypeParam); ok {
		return constrainedToMap(p.Constraint().Underlying().(*types.Interface))
	}
	_, ok := t.Underlying().(*types.Map)
	return ok
}

func constrainedToMap(i *types.Interface) bool {
	for e := range i.EmbeddedTypes() {
		switch e := types.Unalias(e).(type) {
		case *types.Union:
			for term := range e.Terms() {
				if isMap(term.Type()) {
					return true
				}
			}
		default:
			if nested, ok := e.Underlying().(*types.Interface); ok && constrainedToMap(nested) || isMap(e) {
				return true
			}
		}
	}
	return false
}

// visitMaps reports whatever meets the entries of a map in the map's own order.
func (s *scan) visitMaps(n ast.Node) {
	switch n := n.(type) {
	case *ast.RangeStmt:
		t := s.pkg.info.TypeOf(n.X)
		if b, ok := t.(*types.Basic); t == nil || ok && b.Kind() == types.Invalid {
			s.untyped = append(s.untyped, s.tree.Fset.Position(n.X.Pos()))
			_, literal := n.X.(*ast.CompositeLit)
			if literal && isMapType(n.X.(*ast.CompositeLit).Type) {
				s.mapRange(n, "range over a map")
			}
			return
		}
		if isMap(t) {
			s.mapRange(n, "range over a map")
		}
	case *ast.CallExpr:
		s.mapCall(n)
	}
}

func isMapType(x ast.Expr) bool {
	_, ok := x.(*ast.MapType)
	return ok
}

func (s *scan) mapCall(call *ast.CallExpr) {
	if s.isPkgCall(call, "slices", "Sorted") && len(call.Args) == 1 {
		if arg, ok := call.Args[0].(*ast.CallExpr); ok && s.isPkgCall(arg, "maps", "Keys", "Values") {
			s.sorted[arg] = true
		}
	}
	if s.isPkgCall(call, "maps", "All", "Keys", "Values", "DeleteFunc") && !s.sorted[call] {
		s.mapRange(call, "iteration in a map's own order")
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	method, ok := s.pkg.info.Uses[sel.Sel].(*types.Func)
	if ok && method.Pkg() != nil && method.Pkg().Path() == "reflect" && slices.Contains([]string{"MapRange", "MapKeys"}, method.Name()) {
		s.mapRange(call, "reflection in a map's own order")
	}
}

func (s *scan) mapRange(n ast.Node, what string) {
	helper := s.fn != nil && s.fn.Name.Name == sortingHelper
	if !helper && (s.world || !s.markedUnordered(n)) {
		s.report(ruleMapRange, n.Pos(), what)
	}
}

// markedUnordered says whether the line above carries the marker with a reason.
func (s *scan) markedUnordered(n ast.Node) bool {
	line := s.tree.Fset.Position(n.Pos()).Line
	for _, group := range s.src.AST.Comments {
		for _, c := range group.List {
			why, ok := strings.CutPrefix(c.Text, unorderedMarker)
			if ok && strings.TrimSpace(why) != "" && s.tree.Fset.Position(c.Pos()).Line == line-1 {
				return true
			}
		}
	}
	return false
}

// assigned reports a package variable that a function changes: a table that changes is state.
func (s *scan) assigned(lhs ast.Expr, define bool) {
	for !define {
		switch x := lhs.(type) {
		case *ast.ParenExpr:
			lhs = x.X
		case *ast.IndexExpr:
			lhs = x.X
		case *ast.StarExpr:
			lhs = x.X
		case *ast.SelectorExpr:
			if _, ok := s.pkgOf(x.X); ok {
				s.report(ruleState, x.Pos(), "assignment to a variable of another package")
				return
			}
			lhs = x.X
		case *ast.Ident:
			obj := s.pkg.info.Uses[x]
			if v, ok := obj.(*types.Var); ok && v.Parent() == s.pkg.types.Scope() {
				s.report(ruleState, x.Pos(), "assignment to package variable "+x.Name)
			}
			return
		default:
			return
		}
	}
}
