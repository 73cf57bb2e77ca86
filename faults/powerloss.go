package faults

import "github.com/twiceless/twiceless/sim"

// applyPowerLoss ends the machines of the targets that are up: what was not fsynced is lost, perhaps but for a
// torn part, and their peers meet silence. liftStopped boots them.
func applyPowerLoss(s *shot) string { return s.stop((*sim.Node).PowerLoss) }
