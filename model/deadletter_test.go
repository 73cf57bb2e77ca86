package model

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOriginHeader(t *testing.T) {
	o := Origin{Topic: "orders", Partition: 2, Offset: 7, Attempts: 9, At: 1_500_000_000, Reason: `service "payments" unavailable`}
	require.Equal(t, `topic=orders partition=2 offset=7 attempts=9 at=1500000000 reason="service \"payments\" unavailable"`, o.Header())
	back, ok := ParseOrigin(o.Header())
	require.True(t, ok)
	require.Equal(t, o, back)
	for _, other := range []string{"", "topic=orders", "something else"} {
		_, ok := ParseOrigin(other)
		require.False(t, ok, other)
	}
}
