// Package scripttest plays protocol tests in text form: files of commands, each with what came of it. A line that begins with
// "> " is a command and one with "#" a comment; what is indented is what came of the command above. go test -update writes
// that anew, and the change is read like code.
//
// It imports testify alone. To write another kind of script: a play function that builds the party under test, has Commands
// drive it, and tells by lines that are indented. Next to read: model/client/script_test.go, which is the smallest.
package scripttest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write golden files anew")

// Files plays all files that a pattern names, each as a test of its own. A file is the text that its play returns, and played again
// that text returns itself: nothing of a play survives it, and what is indented decides nothing.
func Files(t *testing.T, pattern string, play func(t *testing.T, text string) string) {
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			old, err := os.ReadFile(file)
			require.NoError(t, err)
			got := play(t, string(old))
			require.Equal(t, got, play(t, got), "played twice")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
				return
			}
			require.Equal(t, string(old), got)
		})
	}
}

// Commands has every command of a text carried out, by its words, in order. All but what had come of them goes to out, each
// line before it is carried out.
func Commands(text string, out *strings.Builder, command func(words []string)) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, " ") {
			continue
		}
		out.WriteString(line)
		if words, ok := strings.CutPrefix(strings.TrimSpace(line), "> "); ok {
			command(strings.Fields(words))
		}
	}
}
