package command

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
)

// program is the package main of this process, and its module.
type program struct{ path, module string }

// thisProgram is what the build says. Of a list of files, as in go run main.go, it does not know the package.
func thisProgram() program {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Path == "command-line-arguments" {
		return program{}
	}
	return program{info.Path, info.Main.Path}
}

// itself is the program without anything of a team's own.
var itself = program{"github.com/twiceless/twiceless/cmd/simulate", "github.com/twiceless/twiceless"}

// cachedBuild matches an executable that go run keeps in the build cache.
var cachedBuild = regexp.MustCompile(`/[0-9a-f]{2}/[0-9a-f]{64}-d/[^/]+$`)

// invocation is how this process was started: a command line to which arguments can be appended.
func (p program) invocation() string {
	if p.path == "" {
		p = itself
	}
	exe, err := os.Executable()
	if err != nil {
		return "simulate"
	}
	cwd, err := os.Getwd()
	if err != nil {
		return quote(exe)
	}
	if builtByGoRun(exe) {
		return "go run " + p.from(cwd)
	}
	return quote(runnable(shorter(cwd, exe)))
}

func builtByGoRun(exe string) bool {
	path := filepath.ToSlash(exe)
	return strings.Contains(path, "/go-build") || cachedBuild.MatchString(path)
}

// from is the package as go run takes it in a directory.
func (p program) from(cwd string) string {
	moduleLine := regexp.MustCompile(`(?m)^module\s+"?` + regexp.QuoteMeta(p.module) + `"?\s*$`)
	for dir := cwd; ; dir = filepath.Dir(dir) {
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil {
			rel, err := filepath.Rel(cwd, filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(p.path, p.module))))
			if err == nil && p.module != "" && moduleLine.Match(text) {
				return quote(runnable(filepath.ToSlash(rel)))
			}
			return p.path
		}
		if dir == filepath.Dir(dir) {
			return p.path
		}
	}
}

// shorter is the path relative to a directory, if that is shorter.
func shorter(dir, path string) string {
	if rel, err := filepath.Rel(dir, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}

// runnable makes a path one that a shell does not look up.
func runnable(path string) string {
	if filepath.IsAbs(path) || strings.HasPrefix(path, ".") {
		return path
	}
	return "." + string(filepath.Separator) + path
}

// relative is a path as printed commands have it: relative to the working directory, if that is shorter.
func relative(path string) string {
	cwd, err := os.Getwd()
	if err != nil || !filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return shorter(cwd, path)
}

// plainWord needs no quotes in a shell.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quote makes one word of a shell command.
func quote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// command is a command line of this program that can be pasted.
func (a *app) command(args ...string) string {
	line := a.self
	for _, arg := range args {
		line += " " + quote(arg)
	}
	return line
}
