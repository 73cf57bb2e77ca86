module github.com/twiceless/twiceless/adapters/franz

go 1.26.0

require (
	github.com/twiceless/twiceless v0.0.0
	github.com/twmb/franz-go v1.22.2
	github.com/twmb/franz-go/pkg/kfake v0.0.0-20260918054303-01f206a7e32c
	github.com/twmb/franz-go/pkg/kmsg v1.15.0
)

require (
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/pierrec/lz4/v4 v4.1.33 // indirect
)

// The adapter and the interface that it adapts to change in one commit, and a fresh clone must pass its tests before any of it is published.
replace github.com/twiceless/twiceless => ../..
