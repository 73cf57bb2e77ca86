package scenarios

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// DefaultCorpus is where a repository keeps its corpus.
const DefaultCorpus = "testdata/twiceless"

const caseSuffix = ".case"

// Corpus is the set of saved cases of a repository: the files <scenario>/<name>.case of a directory. The name of a case
// is that of its intent, so that one intent has one file, whoever finds it how often. A file under any other name, or in
// any other directory below, is a case of the corpus as well; Refresh moves it to its place.
type Corpus struct {
	dir   string
	saved []Saved
}

// Saved is one file of a corpus.
type Saved struct {
	File string // path, beginning with the corpus' directory
	Name string // of the case
	Case *Case
}

// OpenCorpus reads all cases below a directory. One that does not exist yet is an empty corpus. The error is of type
// Problems and lists everything that is wrong with any file.
func OpenCorpus(dir string) (*Corpus, error) {
	k := &Corpus{dir: dir}
	if info, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return k, nil
	} else if err == nil && !info.IsDir() {
		return nil, fileProblem(dir, "a file, not a directory of cases")
	}
	var ps Problems
	_ = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err == nil && !isCaseFile(file, d) {
			return nil
		}
		var s Saved
		if err == nil {
			s, err = readSaved(file, d)
		}
		if found, ok := errors.AsType[Problems](err); ok {
			ps = append(ps, found...)
		} else if err != nil {
			ps = append(ps, fileProblem(file, "%v", reason(err))...)
		} else {
			k.saved = append(k.saved, s)
		}
		return nil
	})
	if len(ps) > 0 {
		return nil, ps
	}
	k.sort()
	return k, nil
}

// isCaseFile leaves out directories and what a write that was interrupted has left behind.
func isCaseFile(file string, d fs.DirEntry) bool {
	return !d.IsDir() && strings.HasSuffix(file, caseSuffix) && !strings.HasPrefix(filepath.Base(file), ".")
}

func readSaved(file string, d fs.DirEntry) (s Saved, err error) {
	if !d.Type().IsRegular() {
		return s, errors.New("not a regular file")
	}
	f, err := os.Open(file)
	if err != nil {
		return s, err
	}
	defer f.Close() //nolint:errcheck // read only
	src, err := readLimited(f, maxCaseBytes)
	if err != nil {
		return s, err
	}
	return savedCase(file, src)
}

// savedCase is the case of a file. More is asked of it than of other cases: a plan that its scenario can run, and a
// finding to keep.
func savedCase(file string, src []byte) (Saved, error) {
	c, err := DecodeCase(file, src)
	if err != nil {
		return Saved{}, err
	}
	if _, err := checkPlan(c); err != nil {
		return Saved{}, fileProblem(file, "%v", err)
	}
	if c.Intent.Fingerprint == "" && c.Intent.Property == "" {
		return Saved{}, fileProblem(file, "%v", ErrNoFinding)
	}
	return Saved{file, c.Name(), c}, nil
}

func (k *Corpus) sort() {
	slices.SortFunc(k.saved, func(a, b Saved) int {
		return cmp.Or(cmp.Compare(a.Case.Intent.Scenario.Name, b.Case.Intent.Scenario.Name), cmp.Compare(a.Name, b.Name), cmp.Compare(a.File, b.File))
	})
}

// Cases lists the files by scenario and name.
func (k *Corpus) Cases() []Saved { return slices.Clone(k.saved) }

// Place is the file where a case belongs.
func (k *Corpus) Place(c *Case) string {
	return filepath.Join(k.dir, c.Intent.Scenario.Name, c.Name()+caseSuffix)
}

// Add keeps a case and returns its file. If the corpus has one of the same intent already, under whatever name, that one
// stays as it is and added is false: the same story need not be kept twice, even if it was met with another seed.
func (k *Corpus) Add(c *Case) (file string, added bool, err error) {
	name := c.Name()
	if i := slices.IndexFunc(k.saved, func(s Saved) bool { return s.Name == name }); i >= 0 {
		return k.saved[i].File, false, nil
	}
	s, err := savedCase(k.Place(c), c.Encode()) // what could not be read again is not written
	if err != nil {
		return "", false, err
	}
	if err := s.write(); err != nil {
		return "", false, err
	}
	k.saved = append(k.saved, s)
	k.sort()
	return s.File, true, nil
}

// Remove deletes a file of the corpus, and the directory of its scenario if it was the last one there.
func (k *Corpus) Remove(s Saved) error {
	if err := os.Remove(s.File); err != nil {
		return fmt.Errorf("%s: %w", s.File, reason(err))
	}
	_ = os.Remove(filepath.Dir(s.File)) // refused unless empty
	k.saved = slices.DeleteFunc(k.saved, func(other Saved) bool { return other.File == s.File })
	return nil
}

// write replaces the file in one step: whoever reads it meanwhile, another process that adds the same case among them,
// sees the old content or the new one.
func (s *Saved) write() error {
	err := os.MkdirAll(filepath.Dir(s.File), 0o755)
	if err == nil {
		err = replaceFile(s.File, s.Case.Encode())
	}
	if err != nil {
		return fmt.Errorf("%s: cannot be written: %w", s.File, reason(err))
	}
	return nil
}

func replaceFile(file string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(content)
	err = cmp.Or(err, tmp.Chmod(0o644), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}
