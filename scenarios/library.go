package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

//go:embed library/*.yaml
var libraryFiles embed.FS

// shelf is one folder of the library: files of one form, each named after what it holds.
type shelf struct {
	noun, dir string
	files     embed.FS
}

func scenarioShelf() shelf { return shelf{"scenario", "library", libraryFiles} }

func (sh shelf) names() []string {
	files, _ := fs.Glob(sh.files, sh.dir+"/*.yaml") // sorted; the pattern is well-formed
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(file, sh.dir+"/"), ".yaml"))
	}
	return names
}

// text is the file of a name that names lists.
func (sh shelf) text(name string) (file string, src []byte) {
	file = sh.dir + "/" + name + ".yaml"
	src, err := sh.files.ReadFile(file)
	if err != nil {
		panic("scenarios: library: " + err.Error())
	}
	return file, src
}

// Entry is a scenario of the library.
type Entry struct {
	Name string
	Why  string
	File string // path below the package's directory
}

// Library lists the scenarios of the library by name. Its files are valid: a test decodes each.
func Library() []Entry {
	var entries []Entry
	for _, name := range LibraryNames() {
		file, src := scenarioShelf().text(name)
		s, err := Decode(file, src)
		if err != nil {
			panic("scenarios: library: " + err.Error())
		}
		entries = append(entries, Entry{Name: s.Name, Why: s.Why, File: file})
	}
	return entries
}

// LibraryNames lists the names of the library's scenarios; the name of a scenario is that of its file.
func LibraryNames() []string { return scenarioShelf().names() }

// Load reads a scenario: by its name in the library, else from a file, "-" being standard input. The error is of type
// Problems.
func Load(nameOrPath string) (*Scenario, error) { return load(nameOrPath, os.Stdin) }

func load(nameOrPath string, stdin io.Reader) (*Scenario, error) {
	sh := scenarioShelf()
	if slices.Contains(sh.names(), nameOrPath) {
		file, src := sh.text(nameOrPath)
		return Decode(file, src)
	}
	if nameOrPath == "-" {
		src, err := readLimited(stdin, maxFileBytes)
		if err != nil {
			return nil, fileProblem("<stdin>", "%v", err)
		}
		return Decode("<stdin>", src)
	}
	src, problem := sh.readFile(nameOrPath)
	if problem != nil {
		return nil, problem
	}
	return Decode(nameOrPath, src)
}

// readFile reads a regular file of at most the size that a scenario may have.
func (sh shelf) readFile(path string) ([]byte, Problems) {
	info, err := os.Stat(path)
	switch {
	case err != nil && !strings.ContainsAny(path, "./"):
		ps := fileProblem(path, "no %s of the library and no file", sh.noun)
		ps[0].Hint = hintOr(path, sh.names(), "library: "+strings.Join(sh.names(), ", "))
		return nil, ps
	case err != nil:
		return nil, fileProblem(path, "%v", reason(err))
	case info.IsDir():
		return nil, fileProblem(path, "a directory; want a file")
	case !info.Mode().IsRegular():
		return nil, fileProblem(path, "not a regular file; use - for standard input")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fileProblem(path, "%v", reason(err))
	}
	defer f.Close() //nolint:errcheck // read only
	src, err := readLimited(f, maxFileBytes)
	if err != nil {
		return nil, fileProblem(path, "%v", reason(err))
	}
	return src, nil
}

// reason strips operation and path from a file error.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// readLimited reads everything, or fails beyond most bytes.
func readLimited(r io.Reader, most int64) ([]byte, error) {
	src, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(src)) > most {
		return nil, fmt.Errorf("larger than %d bytes, the most that such a file may have", most)
	}
	return src, err
}
