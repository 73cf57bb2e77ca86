package reports

import "fmt"

// sheetView is a sheet as a table of the page.
type sheetView struct {
	Above string
	Heads []string
	Rows  []sheetRow
	Notes []definition
}

type sheetRow struct {
	Name  string
	Texts []string
}

func viewsOf(sheets []*sheet) []sheetView {
	var out []sheetView
	for _, s := range sheets {
		v := sheetView{Above: s.above, Heads: s.heads}
		for i, name := range s.names {
			v.Rows = append(v.Rows, sheetRow{name, s.rows[i]})
		}
		for _, n := range s.notes {
			v.Notes = append(v.Notes, definition{n.head, n.text})
		}
		out = append(out, v)
	}
	return out
}

// assumptionView is one line of the exposure profile.
type assumptionView struct{ Kind, Rate, Parties, Source, Why string }

func (in *Input) assumptions() []assumptionView {
	var out []assumptionView
	for _, l := range in.Exposed.Lines {
		out = append(out, assumptionView{l.Kind, l.Rate.String(), fmt.Sprint(in.Exposed.Parties[l.Kind]), l.Source, l.Why})
	}
	return out
}
