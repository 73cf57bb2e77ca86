package scenarios

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// refusedShare is a symptom that no property has: where a client gives up what it was handed, because its connections no longer carry
// it in time, each of these intents was answered honestly, and nobody is promised anything. What is published is how many they are.
const refusedShare = "refused"

// parseShare reads a symptom such as refused: 20%. ok is false if it is none of these.
func parseShare(name, share string) (s Symptom, ok bool, err error) {
	if strings.TrimSpace(name) != refusedShare {
		return s, false, nil
	}
	text, percent := strings.CutSuffix(strings.TrimSpace(share), "%")
	n, err := strconv.Atoi(text)
	if !percent || err != nil || n < 1 || n > 100 {
		return s, true, fmt.Errorf("want refused: 1%% to refused: 100%%, the least share of the offered intents, not %q", share)
	}
	return Symptom{Property: refusedShare, Least: n}, true, nil
}

// within says whether the symptom is such a share, and a run has at least that: of the offered intents as many ended refused, or in
// doubt and nowhere.
func (s Symptom) within(r *history.Row) bool {
	return s.Least > 0 && r.Offered > 0 && 100*(r.Buckets[history.RefusedB]+r.Buckets[history.AbsentUnknown]) >= int64(s.Least)*r.Offered
}
