package twiceless

import "github.com/twiceless/twiceless/reports"

// Render is what a test prints.
func Render(o *reports.Outcome) string { return render(o) }

// ProblemsOf are those of options.
func ProblemsOf(opts ...Option) []string { return settingsOf(opts).problems }

// ExpectedAt says whether a site is the one that a test expects.
func ExpectedAt(site, found string) bool { return (&expectation{"loss", site}).at(found) }
