package command

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxInputFile is the most bytes of a file that is read whole: a scenario, an exposure profile, a case.
const maxInputFile = 1 << 20

// readInput reads a regular file, or standard input for "-", of at most maxInputFile bytes.
func (a *app) readInput(path string) (name string, src []byte, err error) {
	if path == "-" {
		src, err := readAll(a.stdin, maxInputFile)
		if err != nil {
			err = failf(exitInput, "<stdin>: %v", reason(err))
		}
		return "<stdin>", src, err
	}
	f, err := openRegular(path)
	if err != nil {
		return path, nil, err
	}
	src, err = readAll(f, maxInputFile)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return path, nil, failf(exitInput, "%s: %v", path, reason(err))
	}
	return path, src, nil
}

// openRegular opens a file of the command line. Devices and pipes are refused: reading one may never end, or change it.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, failf(exitInput, "%s: %v", path, reason(err))
	case info.IsDir():
		return nil, failf(exitInput, "%s: a directory, not a file", path)
	case !info.Mode().IsRegular():
		return nil, failf(exitInput, "%s: not a regular file; use - for standard input", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, failf(exitInput, "%s: %v", path, reason(err))
	}
	return f, nil
}

func readAll(r io.Reader, most int64) ([]byte, error) {
	src, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(src)) > most {
		return nil, fmt.Errorf("larger than %d bytes, the most that such a file may have", most)
	}
	return src, err
}

// reason strips operation and path from a file error.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// writeFile replaces a file in one step: whoever reads it sees the old content or the new one.
func writeFile(path string, content []byte) error {
	return writeWith(path, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(content))
		return err
	})
}

// writeWith is writeFile with the content of a function.
func writeWith(path string, write func(io.Writer) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return failf(exitInput, "%s: cannot be written: %v", path, reason(err))
	}
	err = write(tmp)
	if mode := tmp.Chmod(0o644); err == nil {
		err = mode
	}
	if closing := tmp.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return failf(exitInput, "%s: cannot be written: %v", path, reason(err))
	}
	return nil
}

// writeOutput writes a file that a flag names; "-" is standard output.
func (a *app) writeOutput(path string, write func(io.Writer) error) error {
	if path == "-" {
		return write(a.stdout)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return failf(exitInput, "%s: a directory, not a file", path)
	}
	return writeWith(path, write)
}
