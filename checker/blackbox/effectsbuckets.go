package blackbox

// An intent ends in exactly one bucket, the first that applies. A required stage is missing if the intent was not
// applied there.
//
//	refused         every intend failed; what was applied all the same is a phantom
//	duplicated      it was applied twice at some stage
//	done            no required stage is missing
//	parked          it was parked
//	partial         it was applied at some required stage
//	absent_unknown  no intend is ok: perhaps nobody meant it
//	lost            else
//
// What is applied more shows nowhere as less, and parking only turns partial and lost into parked. So if the bucket is
// the same when no operation of unknown outcome took place as when all did, it is the same whichever did. Else the
// bucket is undecided.
type effectBucket uint8

const (
	bucketRefused effectBucket = iota
	bucketDuplicated
	bucketDone
	bucketParked
	bucketPartial
	bucketAbsent
	bucketLost
	bucketUndecided
	bucketCount
)

var effectBuckets = [bucketCount]string{"refused", "duplicated", "done", "parked", "partial", "absent_unknown", "lost", "undecided"}

// String is the bucket's name among the numbers of a report.
func (b effectBucket) String() string { return "bucket-" + effectBuckets[b] }

// outlook is where an intent stands if some operations of unknown outcome took place and the others did not.
type outlook struct {
	excess, parked  bool
	stands, missing int // required stages
}

// bucket is the bucket under an outlook.
func (i *intent) bucket(o outlook) effectBucket {
	if o.excess && i.intended() {
		return bucketDuplicated
	}
	return i.fate(o)
}

// fate is the bucket but for what is applied too often, which says nothing of what is missing.
func (i *intent) fate(o outlook) effectBucket {
	switch {
	case !i.intended():
		return bucketRefused
	case o.missing == 0:
		return bucketDone
	case o.parked:
		return bucketParked
	case o.stands > 0:
		return bucketPartial
	case !i.accepted:
		return bucketAbsent
	}
	return bucketLost
}

// prospects are the outlooks with as little and with as much as the operations of unknown outcome leave open.
type prospects struct{ least, most outlook }

func (i *intent) bucketOf(p prospects) effectBucket {
	if b := i.bucket(p.least); b == i.bucket(p.most) {
		return b
	}
	return bucketUndecided
}

// shortfall says whether something is missing for sure, and whether anything may be. The fates in between the two ends
// matter once: an unknown intent of several stages, applied nowhere for sure, may be applied at one and not at another.
func (i *intent) shortfall(p prospects) (sure, possible bool) {
	least, most := i.fate(p.least), i.fate(p.most)
	switch least {
	case bucketPartial, bucketLost:
		return most == bucketPartial || most == bucketLost, true
	case bucketAbsent:
		return false, p.most.stands > 0 && p.most.stands+p.most.missing > 1
	}
	return false, false
}
