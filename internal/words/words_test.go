package words

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNearest(t *testing.T) {
	known := []string{"consumer-kill", "broker-kill", "pause", "at-least-once", "none"}
	for s, want := range map[string]string{
		"consumer-kil": "consumer-kill", "pasue": "pause", "PAUSE": "pause", "at-least": "at-least-once", "nnoe": "none",
		"": "", "xyz": "", "zookeeper": "", strings.Repeat("a", 1<<20): "",
	} {
		require.Equal(t, want, Nearest(s, known), "%.20q", s)
	}
	require.Empty(t, Nearest("a", []string{"b"}), "one edit away from a name of one character is anything")
}
