// Package tell turns what a search found into the words of a story: for the command and for tests of a team's own code.
//
// It stands between scenarios, which know nothing of reports, and reports, which know nothing of scenarios. Remedies puts
// the answers of a search for what would help into lines, Amount says what a finding cost, Gravest which one to tell, and
// Drift where two runs part that should be equal.
package tell
