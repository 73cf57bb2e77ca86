package lint

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A File is a parsed Go file; its name is relative to the root and has slashes.
type File struct {
	Name string
	Test bool
	AST  *ast.File
	// typed is false for files that the build leaves out on this platform.
	typed bool
}

// A Package is one directory of Go files, with its types as far as they resolve.
type Package struct {
	Rel   string // the directory relative to the module; "." is the root
	Files []*File

	types    *types.Package
	info     *types.Info
	checking bool
}

// A Tree is the main module in source. It is usable when the tree does not compile: what has no type is judged by syntax.
type Tree struct {
	Fset     *token.FileSet
	Packages []*Package // sorted by Rel

	exports map[string]string // import path → file of export data
	gc      types.Importer
	source  types.Importer // for the standard library when exports lack it; may be nil
	stubs   map[string]*types.Package
}

func newTree() *Tree {
	fset := token.NewFileSet()
	t := &Tree{Fset: fset, stubs: map[string]*types.Package{}}
	t.gc = importer.ForCompiler(fset, "gc", func(p string) (io.ReadCloser, error) {
		if t.exports[p] == "" {
			return nil, errors.New("no export data")
		}
		return os.Open(t.exports[p])
	})
	return t
}

// Load parses every Go file of the module at root, without nested modules, hidden folders and test data.
func Load(root string) (*Tree, error) {
	t := newTree()
	err := walk(root, false, func(rel string) error {
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		src, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(rel)))
		if err != nil {
			return err
		}
		typed, err := build.Default.MatchFile(filepath.Join(root, filepath.FromSlash(path.Dir(rel))), path.Base(rel))
		return t.add(rel, src, err == nil && typed)
	})
	if err != nil {
		return nil, err
	}
	if t.exports, err = exportData(root, t.externalImports()); err != nil {
		t.source = importer.ForCompiler(t.Fset, "source", nil)
	}
	t.checkAll()
	return t, nil
}

// LoadNested parses every Go file of the modules nested in the one at root, without types: what they import beyond the standard library is in their own
// go.mod. Their packages have rows in the lattice like all others; the bans are about worlds, and none is there.
func LoadNested(root string) (*Tree, error) {
	t := newTree()
	err := walk(root, true, func(rel string) error {
		if !strings.HasSuffix(rel, ".go") || !inNestedModule(root, rel) {
			return nil
		}
		src, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(rel)))
		if err != nil {
			return err
		}
		return t.add(rel, src, false)
	})
	return t, err
}

func inNestedModule(root, rel string) bool {
	for dir := path.Dir(rel); dir != "."; dir = path.Dir(dir) {
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(dir), "go.mod")); err == nil {
			return true
		}
	}
	return false
}

// walk calls f for every file of the module at root, in order, and of the modules nested in it if asked.
func walk(root string, nested bool, f func(rel string) error) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // somebody removed it while we walk
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		if !d.IsDir() {
			return f(filepath.ToSlash(rel))
		}
		if rel == "." {
			return nil
		}
		hidden := strings.HasPrefix(d.Name(), ".") && d.Name() != ".ci" || strings.HasPrefix(d.Name(), "_")
		if hidden || d.Name() == "testdata" || rel == "out" {
			return filepath.SkipDir
		}
		if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil && !nested {
			return filepath.SkipDir
		}
		return nil
	})
}

func (t *Tree) add(name string, src []byte, typed bool) error {
	file, err := parser.ParseFile(t.Fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	rel := path.Dir(name)
	i, found := slices.BinarySearchFunc(t.Packages, rel, func(p *Package, rel string) int { return strings.Compare(p.Rel, rel) })
	if !found {
		t.Packages = slices.Insert(t.Packages, i, &Package{Rel: rel})
	}
	p := t.Packages[i]
	p.Files = append(p.Files, &File{
		Name: name, AST: file, typed: typed,
		Test: strings.HasSuffix(name, "_test.go") || isTestPackage(rel),
	})
	return nil
}

// isTestPackage says whether a package exists for tests only: conformance suites and helpers, by the name of their folder.
func isTestPackage(rel string) bool {
	base := path.Base(rel)
	return base == "conformance" || strings.HasSuffix(base, "test")
}

func importPath(spec *ast.ImportSpec) string { return strings.Trim(spec.Path.Value, "`\"") }

// oursRel is the path of one of our packages relative to the module.
func oursRel(importPath string) (string, bool) {
	if importPath == modulePath {
		return ".", true
	}
	return strings.CutPrefix(importPath, modulePath+"/")
}

func isStd(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

func (t *Tree) externalImports() []string {
	var paths []string
	for _, p := range t.Packages {
		for _, f := range p.Files {
			for _, spec := range f.AST.Imports {
				ip := importPath(spec)
				if _, ours := oursRel(ip); !ours && !f.Test && ip != "unsafe" && ip != "C" {
					paths = append(paths, ip)
				}
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// exportData asks the go command where the compiled types of the packages are: they come from the build cache, as for any build.
func exportData(root string, paths []string) (map[string]string, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	cmd := exec.Command("go", append([]string{"list", "-e", "-export", "-f", "{{.ImportPath}}\t{{.Export}}", "--"}, paths...)...)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	for line := range bytes.Lines(out) {
		if p, file, ok := strings.Cut(strings.TrimSpace(string(line)), "\t"); ok {
			exports[p] = file
		}
	}
	return exports, nil
}

// Import resolves imports for the type checker. What cannot be had is an empty package: its uses have no type, and nothing else is lost.
func (t *Tree) Import(p string) (*types.Package, error) {
	if p == "unsafe" {
		return types.Unsafe, nil
	}
	if rel, ours := oursRel(p); ours {
		i := slices.IndexFunc(t.Packages, func(p *Package) bool { return p.Rel == rel })
		if i >= 0 && !t.Packages[i].checking {
			t.check(t.Packages[i])
			return t.Packages[i].types, nil
		}
		return t.stub(p), nil
	}
	if pkg, err := t.gc.Import(p); err == nil {
		return pkg, nil
	}
	if t.source != nil && isStd(p) {
		if pkg, err := t.source.Import(p); err == nil {
			return pkg, nil
		}
	}
	return t.stub(p), nil
}

func (t *Tree) stub(p string) *types.Package {
	if t.stubs[p] == nil {
		t.stubs[p] = types.NewPackage(p, path.Base(p))
		t.stubs[p].MarkComplete()
	}
	return t.stubs[p]
}

func (t *Tree) checkAll() {
	for _, p := range t.Packages {
		t.check(p)
	}
}

func (t *Tree) check(p *Package) {
	if p.types != nil {
		return
	}
	p.checking = true
	defer func() { p.checking = false }()
	p.info = &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Uses:  map[*ast.Ident]types.Object{},
		Defs:  map[*ast.Ident]types.Object{},
	}
	var files []*ast.File
	for _, f := range p.Files {
		if f.typed && !strings.HasSuffix(f.Name, "_test.go") {
			files = append(files, f.AST)
		}
	}
	// GoVersion stays empty: the newest. Errors are the compiler's to report.
	conf := types.Config{Importer: t, Error: func(error) {}, FakeImportC: true}
	p.types, _ = conf.Check(path.Join(modulePath, p.Rel), t.Fset, files, p.info)
}

// Root is the folder of the main module, found from the working directory upwards.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module "+modulePath+"\n") {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod of " + modulePath + " at or above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}
