package twiceless

import (
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/reports"
)

// annotation is a workflow command that has GitHub show a failure at the line of the team's code, else at that of the
// test. Runners take one from a line that begins with it, white space aside, so it may stand in the indented output of a
// test.
func annotation(o *reports.Outcome, test string, in repository) string {
	var properties []string
	file, line, known := in.locate(o.Site)
	if !known {
		file, line, known = in.locate(test)
	}
	if known {
		properties = append(properties, "file="+commandProperty(file), "line="+line)
	}
	properties = append(properties, "title="+commandProperty(o.Test+" · "+o.Kind.String()))
	message := o.Title()
	if o.Again != "" {
		message += "\n" + o.Again
	}
	return "::error " + strings.Join(properties, ",") + "::" + commandData(message)
}

// commandData escapes what a workflow command is about. The percent sign comes first: the others make some.
func commandData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// commandProperty escapes the value of a property, which a comma or a colon would end.
func commandProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}

// testSite is file:line where the running test calls this package.
func testSite() string {
	var pcs [128]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	site := ""
	for {
		f, more := frames.Next()
		if f.Function == "testing.tRunner" || !more {
			return site
		}
		if f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") {
			site = f.File + ":" + strconv.Itoa(f.Line)
		}
	}
}

// repository is where a package's source lies.
type repository struct {
	root   string // of the checkout; "" = unknown
	module string // directory of go.mod; "" = unknown
	path   string // module path
	dir    string // of the package under test
}

// repositoryAt finds go.mod and the checkout upward from a package's directory. workspace is the checkout if the directory
// lies in it; else the checkout is where .git is.
func repositoryAt(dir, workspace string) repository {
	r := repository{dir: dir}
	r.module = upward(dir, "go.mod")
	if r.module != "" {
		r.path = modulePath(filepath.Join(r.module, "go.mod"))
	}
	if workspace != "" && within(workspace, dir) {
		r.root = workspace
	} else {
		r.root = upward(dir, ".git")
	}
	return r
}

// upward is the nearest directory at or above dir that has an entry of that name; "" = none has.
func upward(dir, name string) string {
	for {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return dir
		}
		above := filepath.Dir(dir)
		if above == dir {
			return ""
		}
		dir = above
	}
}

func within(root, dir string) bool {
	rel, err := filepath.Rel(root, dir)
	return err == nil && filepath.IsLocal(rel)
}

// modulePath is the path that a go.mod declares; "" = none.
func modulePath(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == "module" {
			return strings.Trim(fields[1], `"`)
		}
	}
	return ""
}

// locate is a site, package/file.go:line, as a path from the root of the checkout with slashes, and its line. It is known
// if the file exists.
func (r repository) locate(site string) (file, line string, known bool) {
	colon := strings.LastIndexByte(site, ':')
	if r.root == "" || colon < 0 {
		return "", "", false
	}
	for _, candidate := range r.candidates(site[:colon]) {
		if info, err := os.Stat(candidate); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if rel, err := filepath.Rel(r.root, candidate); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel), site[colon+1:], true
		}
	}
	return "", "", false
}

// candidates are the files that package/file.go, or an absolute path, may be: below the module, whose path sites of our own packages lack; the
// package of tests beside a package has _test behind its path and no directory of its own; a program's package is called
// main wherever it lies.
func (r repository) candidates(name string) (files []string) {
	if filepath.IsAbs(name) {
		return []string{name}
	}
	pkg, base := path.Split(name)
	pkg = strings.TrimSuffix(pkg, "/")
	if r.module != "" {
		for _, p := range []string{pkg, strings.TrimSuffix(pkg, "_test")} {
			if p == r.path {
				files = append(files, filepath.Join(r.module, base))
			}
			if below, ok := strings.CutPrefix(p, r.path+"/"); ok {
				files = append(files, filepath.Join(r.module, filepath.FromSlash(below), base))
			}
			files = append(files, filepath.Join(r.module, filepath.FromSlash(p), base))
		}
	}
	if pkg == "main" || pkg == "main_test" {
		files = append(files, filepath.Join(r.dir, base))
	}
	return files
}
