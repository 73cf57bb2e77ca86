package downstream

import (
	"slices"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim/history"
)

// What a transaction reads and writes is told in objects: the row of a key, whether or not there is one, as table/key for
// the first key of a table and table.key/value for another. A row without a first key is table/#id. A write of a row writes
// it under each key that it had or gets. Versions are numbered by commits.
//
// Who looks a key up reads its object, also if nothing is found; who looks a table through reads the rows that it takes.
// That there were no others is not told: phantoms are nobody's row.

// own is the version that a transaction has written and not committed.
const own = -1

// read notes that the transaction has seen a version. The same one again says nothing more, nor does that it has seen what
// it wrote itself; that it has not would be said by the version that it saw instead.
func (t *Transaction) read(object string, version int64) {
	i, known := t.last[object]
	again := known && !t.accesses[i].Write && t.accesses[i].Version == version
	if version != own && !again {
		t.note(history.Access{Object: object, Version: version})
	}
}

// wrote notes that the transaction has written a row, known by these names before or since. What is as it was before the
// transaction has not been written: who inserts a row and deletes it again does not keep others from its key, and may read
// and replace what they make of it.
func (t *Transaction) wrote(x *row, objects []string) {
	for _, object := range objects {
		_, noted := t.written[object]
		switch live := slices.Contains(x.writes(), object) || t.writes(object); {
		case !live:
			delete(t.written, object)
		case !noted:
			t.note(history.Access{Write: true, Object: object, Version: own})
			t.written[object] = t.last[object]
		}
	}
}

// writes says whether a commit of the transaction would make a version of an object.
func (t *Transaction) writes(object string) bool {
	return slices.ContainsFunc(t.locked, func(x *row) bool { return slices.Contains(x.writes(), object) })
}

func (t *Transaction) note(a history.Access) {
	if t.last == nil {
		t.last, t.written = map[string]int{}, map[string]int{}
	}
	t.last[a.Object] = len(t.accesses)
	t.accesses = append(t.accesses, a)
}

// looked notes what a transaction has seen of a key: the version of the row that has it, or of there being none at that
// snapshot.
func (r *Relational) looked(t *Transaction, in *table, k *key, text string, row *version, snapshot int64) {
	object := objectOf(in, k, text)
	_, written := t.written[object]
	switch {
	case row != nil:
		t.read(object, row.commit)
	case written:
		t.read(object, own)
	default:
		t.read(object, r.versionAt(object, snapshot))
	}
}

// versionAt is the version of an object under a snapshot; 0 = it never had one.
func (r *Relational) versionAt(object string, snapshot int64) int64 {
	for _, commit := range slices.Backward(r.objects[object]) {
		if commit <= snapshot {
			return commit
		}
	}
	return 0
}

// Accesses is what a transaction has read and written, were it committed now. It is asked between Prepare and Commit. A row
// that is as it was before has not been written.
func (r *Relational) Accesses(t *Transaction) []history.Access {
	var out []history.Access
	for i, a := range t.accesses {
		if a.Write {
			if at, written := t.written[a.Object]; !written || i != at {
				continue
			}
			a.Before, a.Version = r.versionAt(a.Object, r.commits), r.commits+1
		}
		out = append(out, a)
	}
	return out
}

// installed notes the versions that a commit makes of a row.
func (r *Relational) installed(objects []string, commit int64) {
	for _, object := range objects {
		r.objects[object] = append(r.objects[object], commit)
	}
}

// writes are the objects of which a commit would make a version.
func (r *row) writes() []string {
	if !r.moved() {
		return nil
	}
	return r.names(r.latest().values, r.values)
}

// names are the objects of a row with these values before and after, each once; nil = there is no row.
func (r *row) names(before, after []model.SQLValue) []string {
	all := r.objects(before)
	for _, object := range r.objects(after) {
		if !slices.Contains(all, object) {
			all = append(all, object)
		}
	}
	return all
}

// objects are the names of a row with these values; the first is by what it is known.
func (r *row) objects(values []model.SQLValue) []string {
	if values == nil {
		return nil
	}
	var out []string
	for i, k := range r.in.keys {
		if text, ok := k.at(values); ok {
			out = append(out, objectOf(r.in, k, text))
		} else if i == 0 {
			out = append(out, r.numbered())
		}
	}
	if len(out) == 0 {
		out = append(out, r.numbered())
	}
	return out
}

func (r *row) numbered() string { return r.in.name + "/#" + strconv.FormatInt(r.id, 10) }

func objectOf(in *table, k *key, text string) string {
	b := []byte(in.name)
	if k != in.keys[0] {
		b = append(append(b, '.'), k.name...)
	}
	separator := byte('/')
	for fields := (model.Fields{Rest: text}); fields.More(); separator = ',' {
		v := takeValue(&fields)
		b = append(b, separator)
		if v.Kind == model.SQLText || v.Kind == model.SQLBytes {
			b = append(b, escapeKey(v.Text)...)
		} else {
			b = strconv.AppendInt(b, v.Int, 10)
		}
	}
	return string(b)
}

// escapeKey keeps a text of a key apart from what stands between texts, and from the number of a row.
func escapeKey(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(s, "%", "%25"), ",", "%2C"), "#", "%23")
}
