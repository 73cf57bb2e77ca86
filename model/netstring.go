package model

import "strconv"

// Records on disks are netstrings: the length of a field in decimal, a colon, the field. A whole record is sealed as
// a netstring of its fields, so that one that is cut short anywhere does not open.

// AppendText appends a field.
func AppendText(b []byte, s string) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	b = append(b, ':')
	return append(b, s...)
}

// AppendNumber appends a field that is a number.
func AppendNumber(b []byte, v int64) []byte {
	var digits [20]byte
	d := strconv.AppendInt(digits[:0], v, 10)
	b = append(strconv.AppendInt(b, int64(len(d)), 10), ':')
	return append(b, d...)
}

// Seal makes a record of its fields.
func Seal(fields []byte) string { return string(AppendText(nil, string(fields))) }

// Open gives the fields of a sealed record; ok is false for anything that Seal has not made, such as a torn record.
func Open(record string) (f Fields, ok bool) {
	outer := Fields{Rest: record}
	body := outer.Text()
	return Fields{Rest: body}, !outer.Bad && outer.Rest == ""
}

// Fields takes fields off the front of a text.
type Fields struct {
	Rest string
	Bad  bool // some field did not parse; what was taken since is worthless
}

// Text takes a field; "" where it does not parse.
func (f *Fields) Text() string {
	s := f.Rest
	for i := range len(s) {
		if s[i] != ':' {
			continue
		}
		n, err := strconv.Atoi(s[:i])
		if err != nil || n < 0 || n > len(s)-i-1 {
			break
		}
		f.Rest = s[i+1+n:]
		return s[i+1 : i+1+n]
	}
	f.Bad = true
	return ""
}

// Number takes a field that is a number; 0 where it is none.
func (f *Fields) Number() int64 {
	v, err := strconv.ParseInt(f.Text(), 10, 64)
	f.Bad = f.Bad || err != nil
	return v
}

// More says whether there is another field to take.
func (f *Fields) More() bool { return f.Rest != "" && !f.Bad }
