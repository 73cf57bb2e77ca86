package twiceless

import (
	"slices"
	"strings"

	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
)

// Expect is an Option for a test that documents a known bug: the test passes if this is what it finds, and fails if it finds
// nothing, or something else first. The finding is a fingerprint as a failing test prints it, or a property with all of its
// fingerprints; site is file.go:line of the code that is to blame, "" = anywhere.
//
// The story goes to the log, no case is saved, and as many plans are done under -short as ever. Who mends the bug takes the
// option away. To live with a finding and go on looking for others, use Accept.
func Expect(finding, site string) Option {
	return option(func(s *settings) {
		s.expected = &expectation{finding, site}
		if finding == "" {
			s.problem(`Expect(""): want a fingerprint, such as loss/charge/committed-before-effect, or a property`)
		}
	})
}

// expectation is what a test is expected to find.
type expectation struct{ finding, site string }

func (e *expectation) String() string {
	if e.site == "" {
		return e.finding
	}
	return e.finding + " at " + e.site
}

// covers says whether what was found is what is expected, wherever it is.
func (e *expectation) covers(stack, fingerprint string) bool {
	a := scenarios.Acceptance{Finding: e.finding}
	return a.Covers(stack, fingerprint)
}

// at says whether a site is the expected one: package/file.go:line ends with it.
func (e *expectation) at(site string) bool {
	return e.site == "" || site == e.site || strings.HasSuffix(site, "/"+e.site)
}

// expects says whether a finding is expected, so that it is no news.
func (k *tester) expects(fingerprint string) bool {
	return k.set.expected != nil && k.set.expected.covers(k.set.stack, fingerprint)
}

// expected turns the verdict round. A saved case that is done alone demands nothing: it may be one of something else.
func (k *tester) expected() {
	e, o := k.set.expected, &k.out
	if e == nil {
		return
	}
	o.Expects = e.String()
	switch {
	case o.Held() && k.set.only == "":
		k.end(reports.Missed, "if the code is mended, take the option Expect away")
	case o.Kind == reports.Broke || o.Kind == reports.Crashed || o.Kind == reports.Hung:
		o.Expected = k.expects(o.Fingerprint) && e.at(o.Site)
	}
}

// expectedText turns the verdict of a check round whose report is to hold these texts; none = as it is.
func expectedText(text string, ok bool, expected []string) (string, bool) {
	missing := slices.DeleteFunc(slices.Clone(expected), func(e string) bool { return strings.Contains(text, e) })
	switch {
	case len(expected) == 0:
		return text, ok
	case ok:
		return text + "\nSystem.Expect: if the code is mended, take it away", false
	case len(missing) > 0:
		return text + "\nSystem.Expect: the report does not hold " + strings.Join(missing, ", nor "), false
	}
	return text + "\nSystem.Expect: yes, so the test passes", true
}
