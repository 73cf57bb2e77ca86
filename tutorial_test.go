package twiceless_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var updateTutorial = flag.Bool("update-tutorial", false, "write what the commands of docs/tutorial.md print into it")

// A tutorial is a text whose fenced blocks are files, edits of files, and commands with what they print:
//
//	```go file=NAME      the file
//	```go replace=NAME   in the file, what stands above the line --- becomes what stands below it
//	```console           $ command, and what it prints
type block struct {
	info string
	body []string
	at   int // index of its first line
}

func blocks(lines []string) (all []block) {
	for i := 0; i < len(lines); i++ {
		info, opens := strings.CutPrefix(lines[i], "```")
		if !opens {
			continue
		}
		b := block{info: info, at: i + 1}
		for i++; lines[i] != "```"; i++ {
			b.body = append(b.body, lines[i])
		}
		all = append(all, b)
	}
	return all
}

// Every file and command of the tutorial is what a reader meets who does what it says.
func TestTutorial(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and tests a module of its own")
	}
	page := "docs/tutorial.md"
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	dir := filepath.Join(t.TempDir(), "shop")
	require.NoError(t, os.Mkdir(dir, 0o755))
	here, err := os.Getwd()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(here, filepath.Join(filepath.Dir(dir), "twiceless")))
	sums, err := os.ReadFile("go.sum") // what a reader's go mod tidy would fetch
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o644))

	var out []string
	done := 0
	for _, b := range blocks(lines) {
		name := filepath.Join(dir, filepath.Base(b.info[strings.IndexByte(b.info, '=')+1:]))
		switch {
		case strings.HasPrefix(b.info, "go file="):
			require.NoError(t, os.WriteFile(name, []byte(strings.Join(b.body, "\n")+"\n"), 0o644))
		case strings.HasPrefix(b.info, "go replace="):
			before, after, cut := strings.Cut(strings.Join(b.body, "\n"), "\n---\n")
			require.True(t, cut)
			src, err := os.ReadFile(name)
			require.NoError(t, err)
			require.Equal(t, 1, strings.Count(string(src), before), "%s:%d", page, b.at)
			require.NoError(t, os.WriteFile(name, []byte(strings.Replace(string(src), before, after, 1)), 0o644))
		case b.info == "console":
			out = append(out, lines[done:b.at]...)
			done = b.at + len(b.body)
			printed := session(t, dir, b.body)
			if !*updateTutorial {
				require.Equal(t, settled(b.body), settled(printed), "%s:%d", page, b.at)
			}
			out = append(out, printed...)
		}
	}
	if *updateTutorial {
		out = append(out, lines[done:]...)
		require.NoError(t, os.WriteFile(page, []byte(strings.Join(out, "\n")), 0o644))
	}
}

// session runs the commands of a block and returns it with what they print.
func session(t *testing.T, dir string, body []string) (out []string) {
	t.Helper()
	for _, line := range body {
		command, is := strings.CutPrefix(line, "$ ")
		if !is {
			continue
		}
		c := exec.Command("sh", "-c", command)
		c.Dir = dir
		c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GONOSUMDB=*", "GOWORK=off", "GITHUB_ACTIONS=", "TWICELESS_SEARCH=", "TWICELESS_CASE=")
		printed, _ := c.CombinedOutput() // an exit code is part of the story: go test prints FAIL
		require.False(t, strings.Contains(command, "|") && len(printed) == 0, "%s prints nothing", command)
		out = append(out, line)
		if text := strings.TrimRight(string(printed), "\n"); text != "" {
			for _, l := range strings.Split(text, "\n") {
				out = append(out, strings.TrimRight(l, " "))
			}
		}
	}
	return out
}

// settled leaves out what differs from run to run: real seconds.
func settled(lines []string) string {
	text := strings.Join(lines, "\n")
	text = regexp.MustCompile(`\(\d+\.\d+s\)`).ReplaceAllString(text, "(0.00s)")
	return regexp.MustCompile(`(?m)^((?:ok|FAIL|exit).*?)\s+(?:\d+\.\d+s|\(cached\))$`).ReplaceAllString(text, "$1 0.00s")
}
