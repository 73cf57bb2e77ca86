package reports

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"
)

// storyView is a story as text and as a picture.
type storyView struct {
	ID, Stack, Fault, Headline, Label, Reason, Case, Command, Standing string
	First, Promised                                                    bool
	Text                                                               string
	Picture                                                            template.HTML
}

func storiesOf(told []Told) ([]storyView, error) {
	var out []storyView
	for i := range told {
		s := &told[i]
		var text, picture bytes.Buffer
		opt := s.Options
		opt.Again = "" // the page shows it once, above
		if err := WriteStory(&text, s.History, s.Finding, opt); err != nil {
			return nil, err
		}
		if err := WriteTimeline(&picture, s.History, s.Finding, opt); err != nil {
			return nil, err
		}
		headline, _, _ := strings.Cut(text.String(), "\n")
		v := storyView{
			ID: fmt.Sprintf("story-%d", i+1), Stack: opt.Stack, Fault: opt.Fault, Headline: headline, Label: string(s.Finding.Label), Reason: reason(s.Finding.Label),
			Case: s.Case, Command: s.Options.Again, Standing: "permitted: " + string(s.Finding.Property), First: i == 0, Promised: s.Promised,
			Text: text.String(), Picture: inline(picture.Bytes(), "Sequence diagram: "+headline),
		}
		if s.Promised {
			v.Standing = "promised not to be: " + string(s.Finding.Property)
		}
		out = append(out, v)
	}
	return out, nil
}
