// Package words finds the name that somebody meant. It imports nothing of ours.
package words

import "strings"

// longest is the length in bytes from which on names are not compared: hostile input must not cost a square.
const longest = 64

// Nearest is the known name that differs from s by the fewest edits (a character more, less or other, two neighbours
// swapped), or that s begins; "" if none is near. The first of equals wins.
func Nearest(s string, known []string) string {
	s = strings.ToLower(s)
	best, least := "", 1+max(2, len(s)/4)
	for _, k := range known {
		d := distance(s, strings.ToLower(k))
		if len(s) >= 3 && strings.HasPrefix(k, s) {
			d = min(d, 1)
		}
		if d < least && d < len(k) {
			best, least = k, d
		}
	}
	return best
}

// distance is the number of edits.
func distance(a, b string) int {
	if len(a) > longest || len(b) > longest {
		return longest
	}
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
