package checkertest

import "github.com/twiceless/twiceless/sim/history"

// A transaction of the stories is a line; T1 is the first.

func plantedIsolation() []Example {
	planted := func(name string, label history.Label, tell func(*Story)) Example {
		return logExample(name, history.PropIsolation, label, tell)
	}
	return []Example{
		planted("writes of two are interleaved", history.LabelDirtyWrite, func(s *Story) {
			s.ReadCommitted("w0>1:x w2>3:y").ReadCommitted("w1>4:x w0>2:y")
		}),
		planted("a write on top of what was rolled back", history.LabelDirtyWrite, func(s *Story) {
			s.RolledBack("w0>1:x").ReadCommitted("w1>2:x")
		}),
		planted("read, and rolled back", history.LabelDirtyRead, func(s *Story) {
			s.ReadCommitted("r1:x r0:y").RolledBack("w0>1:x")
		}),
		planted("read in the middle of its writer", history.LabelDirtyRead, func(s *Story) {
			s.ReadCommitted("w0>1:x w1>2:x").ReadCommitted("r1:x r0:y")
		}),
		planted("read, and nobody wrote it", history.LabelDirtyRead, func(s *Story) {
			s.ReadCommitted("w0>1:x").ReadCommitted("r7:x r0:y")
		}),
		planted("each has read what the other wrote", history.LabelCircularRead, func(s *Story) {
			s.ReadCommitted("w0>1:x r1:y").ReadCommitted("w0>1:y r1:x")
		}),
		planted("read what it wrote only later", history.LabelContradiction, func(s *Story) {
			s.ReadCommitted("r1:x w0>1:x").ReadCommitted("r1:x r0:y")
		}),
		planted("has not seen its own write", history.LabelContradiction, func(s *Story) {
			s.ReadCommitted("w0>1:x").ReadCommitted("w1>2:x r1:x")
		}),
		planted("has seen two versions", history.LabelContradiction, func(s *Story) {
			s.Serializable("w0>1:x").Serializable("r0:x r1:x")
		}),
		planted("a commit on what another had replaced", history.LabelLostUpdate, func(s *Story) {
			s.Serializable("r0:x w0>1:x").Serializable("r0:x w1>2:x")
		}),
		planted("the same, with a commit between that had looked", history.LabelLostUpdate, func(s *Story) {
			s.Serializable("r0:x w0>1:x").Serializable("r1:x w1>2:x").Serializable("r0:x w2>3:x")
		}),
		planted("two insert what both had missed", history.LabelLostUpdate, func(s *Story) {
			s.Serializable("r0:orders/1 w0>1:orders/1").Serializable("r0:orders/1 w1>2:orders/1")
		}),
		planted("half of a transfer is seen", history.LabelReadSkew, func(s *Story) {
			s.Serializable("w0>1:x w0>1:y").Serializable("r1:x r0:y")
		}),
		planted("half of a transfer of a weaker writer is seen", history.LabelReadSkew, func(s *Story) {
			s.ReadCommitted("w0>1:x w0>1:y").Serializable("r0:x r1:y")
		}),
		planted("half of a transfer is seen, and one of its rows was replaced twice", history.LabelReadSkew, func(s *Story) {
			s.Serializable("w0>1:x w0>1:y").Serializable("w0>2:x").Serializable("r0:x r1:y")
		}),
		planted("two readers see two writers in different orders", history.LabelLongFork, func(s *Story) {
			s.Serializable("w0>1:x").Serializable("w0>1:y").Serializable("r1:x r0:y").Serializable("r0:x r1:y")
		}),
		planted("both doctors go off call", history.LabelWriteSkew, func(s *Story) {
			s.Serializable("r0:anna r0:bert w0>1:anna").Serializable("r0:anna r0:bert w0>2:bert")
		}),
		planted("three in a ring, none of whom writes what it has read", history.LabelWriteSkew, func(s *Story) {
			s.Serializable("r0:x w0>1:y").Serializable("r0:y w0>1:z").Serializable("r0:z w0>1:x")
		}),
		planted("a reader sees the second of two and not the first", history.LabelWriteSkew, func(s *Story) {
			// The reader is last for what it has read, and first for what it has not; without it the writers have an order.
			s.Serializable("r0:y r0:x w0>1:x").Serializable("w0>1:y").Serializable("r1:y r0:x")
		}),
	}
}

func nearIsolation() []Example {
	near := func(name string, tell func(*Story)) Example {
		return logExample(name, history.PropIsolation, "", tell)
	}
	return []Example{
		near("one after the other", func(s *Story) {
			s.Serializable("r0:x w0>1:x").Serializable("r1:x w1>2:x").Serializable("r2:x r0:y")
		}),
		near("stated in another order than committed", func(s *Story) {
			s.Serializable("r1:x w1>2:x").Serializable("r0:x w0>1:x")
		}),
		near("a lost update of two that asked for read committed", func(s *Story) {
			s.ReadCommitted("r0:x w0>1:x").ReadCommitted("r0:x w1>2:x")
		}),
		near("a lost update of one that asked for read committed", func(s *Story) {
			s.Serializable("r0:x w0>1:x").ReadCommitted("r0:x w1>2:x")
		}),
		near("both replace, and neither has read", func(s *Story) {
			s.Serializable("w0>1:x").Serializable("w1>2:x")
		}),
		near("read after it was replaced by itself", func(s *Story) {
			s.Serializable("r0:x w0>1:x r1:x").Serializable("w1>2:x r2:x")
		}),
		near("write skew of two that asked for read committed", func(s *Story) {
			s.ReadCommitted("r0:x r0:y w0>1:x").ReadCommitted("r0:x r0:y w0>1:y").Serializable("r1:x r1:y")
		}),
		near("write skew of which one asked for read committed", func(s *Story) {
			s.Serializable("r0:x r0:y w0>1:x").ReadCommitted("r0:x r0:y w0>1:y")
		}),
		near("both doctors look, and one goes off call", func(s *Story) {
			s.Serializable("r0:anna r0:bert w0>1:anna").Serializable("r0:anna r0:bert")
		}),
		near("both doctors look at themselves only", func(s *Story) {
			s.Serializable("r0:anna w0>1:anna").Serializable("r0:bert w0>1:bert").Serializable("r1:anna r1:bert")
		}),
		near("half of a transfer is seen at read committed", func(s *Story) {
			s.Serializable("w0>1:x w0>1:y").ReadCommitted("r0:y r1:x")
		}),
		near("two versions seen at read committed", func(s *Story) {
			s.Serializable("w0>1:x").ReadCommitted("r0:x r1:x")
		}),
		near("an old state is seen as a whole", func(s *Story) {
			s.Serializable("w0>1:x w0>1:y").Serializable("w1>2:x w1>2:y").Serializable("r1:x r1:y").Serializable("r0:x r0:y")
		}),
		near("readers before and after two writers", func(s *Story) {
			s.Serializable("w0>1:x").Serializable("w0>1:y").Serializable("r1:x r0:y").Serializable("r1:x r1:y")
		}),
		near("a reader sees the first of two and not the second", func(s *Story) {
			s.Serializable("r0:y r0:x w0>1:x").Serializable("w0>1:y").Serializable("r0:y r1:x")
		}),
		near("rolled back, and read by nobody", func(s *Story) {
			s.RolledBack("w0>1:x").Serializable("r0:x w0>2:x").Serializable("r2:x r0:y")
		}),
		near("read by one that was rolled back itself", func(s *Story) {
			s.RolledBack("w0>1:x").RolledBack("r1:x w0>2:y").Serializable("r0:x w0>3:x").Serializable("r3:x r0:y")
		}),
		near("read after the last of two writes of its writer", func(s *Story) {
			s.Serializable("w0>1:x w1>2:x").Serializable("r2:x r0:y")
		}),
		near("half of a transfer beside a version whose place is unknown", func(s *Story) {
			s.Serializable("w0>1:x").Serializable("w0>2:x w0>2:y").Serializable("r0:x r2:y")
		}),
		near("the same rows of two stores", func(s *Story) {
			s.Serializable("r0:x w0>1:x").Serializable("r1:x w1>2:x").Elsewhere("r0:x w0>1:x")
		}),
		unjudged(near("on rows that nobody else touches", func(s *Story) {
			s.Serializable("r0:x w0>1:x").Serializable("r0:y w0>1:y")
		})),
	}
}
