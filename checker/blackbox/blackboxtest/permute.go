package blackboxtest

import (
	"bytes"
	"regexp"
	"strings"
)

var (
	processField = regexp.MustCompile(`"process":\s*("[^"]*"|-?\d+)`)
	indexField   = regexp.MustCompile(`"index":\s*\d+,\s*`)
	typeField    = regexp.MustCompile(`"type":\s*"(\w+)"`)
)

// permuted are histories that must be judged like the file: processes renamed, indices left out, neighbours swapped
// whose order says nothing. Only files of JSON lines are permuted.
func permuted(f file) map[string][]byte {
	if !strings.HasSuffix(f.name, ".jsonl") {
		return nil
	}
	renamed := processField.ReplaceAllFunc(f.text, func(b []byte) []byte {
		return append([]byte(`"process":"client `), append(bytes.Trim(processField.FindSubmatch(b)[1], `"`), '"')...)
	})
	return map[string][]byte{
		"processes renamed":    renamed,
		"indices left out":     indexField.ReplaceAll(f.text, nil),
		"neighbours exchanged": exchanged(f.text),
	}
}

// exchanged swaps each pair of neighbouring lines that are both invokes or both completions, of different processes.
// Times and indices are left out: they would contradict the order.
func exchanged(text []byte) []byte {
	bare := indexField.ReplaceAll(timeField.ReplaceAll(text, nil), nil)
	lines := strings.Split(strings.TrimSpace(string(bare)), "\n")
	for i := 0; i+1 < len(lines); i++ {
		a, b := typeField.FindStringSubmatch(lines[i]), typeField.FindStringSubmatch(lines[i+1])
		if a == nil || b == nil || (a[1] == "invoke") != (b[1] == "invoke") || processField.FindString(lines[i]) == processField.FindString(lines[i+1]) {
			continue
		}
		lines[i], lines[i+1] = lines[i+1], lines[i]
		i++
	}
	return []byte(strings.Join(lines, "\n"))
}

var timeField = regexp.MustCompile(`,\s*"time":\s*\d+`)
