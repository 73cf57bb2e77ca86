package scenarios

// Utilisation is the share of their time that the consumers work at the offered load, in thousandths.
func (s *Scenario) Utilisation() (permille int64) { panic("stub") }

// Hash names the scenario in rows: the first 16 hex digits of the SHA-256 of its canonical JSON without the why texts and expect.
func (s *Scenario) Hash() string { panic("stub") }

// Rebuild makes a scenario that was read from JSON usable: it fills in the distributions from their texts and validates everything. The error is of type Problems.
func (s *Scenario) Rebuild() error { panic("stub") }
