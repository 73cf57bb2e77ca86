package scenarios

import (
	"reflect"
	"slices"
)

// Refreshed says what Refresh did with a case.
type Refreshed struct {
	File    string   // where it is now
	Written bool     // the file is new or has another content
	Missing []string // fields that its file did not have, and has now
	Left    string   // why a stale case was left as it is; "" = it was not
}

// Refresh brings the file of a judged case up to date: the witness is that of the present run, fields that models have
// gained since are written out, and the file lies where the case belongs. What is run stays what it was. Only with reaim
// a case whose finding is elsewhere now gives way to the one that shows it, which is another intent and so another file.
//
// A case that passes is kept, with the witness of the passing run: it fails again as soon as its finding is back. One
// with an anchor gone is left stale, since its run says nothing.
func (k *Corpus) Refresh(s Saved, j *Judgement, reaim bool) (Refreshed, error) {
	next := j.Now
	switch {
	case j.Aim == AnchorGone:
		return Refreshed{File: s.File, Left: AnchorGone.String()}, nil
	case j.Moved != nil && !reaim:
		return Refreshed{File: s.File, Left: "its finding shows only where its faults are aimed anew"}, nil
	case j.Moved != nil:
		next = j.Moved
	}
	out := Refreshed{File: k.Place(next), Missing: s.Case.Missing()}
	if out.File == s.File && len(out.Missing) == 0 && sameWitness(&next.Witness, &s.Case.Witness) {
		return out, nil
	}
	out.Written = true
	return out, k.replace(s, next, out.File)
}

// sameWitness leaves out what differs from machine to machine and not from model to model.
func sameWitness(a, b *Witness) bool {
	x, y := *a, *b
	x.Go, y.Go = "", ""
	return reflect.DeepEqual(x, y)
}

// replace writes a case in place of a saved one. A file of the same intent that lies there already stays.
func (k *Corpus) replace(s Saved, c *Case, file string) error {
	next := Saved{file, c.Name(), c}
	at := slices.IndexFunc(k.saved, func(o Saved) bool { return o.File == file })
	if at < 0 || file == s.File {
		if err := next.write(); err != nil {
			return err
		}
	}
	switch {
	case file == s.File:
		k.saved[at] = next
		return nil
	case at < 0:
		k.saved = append(k.saved, next)
	}
	err := k.Remove(s)
	k.sort()
	return err
}
