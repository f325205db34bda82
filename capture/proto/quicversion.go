package proto

// quicScheme is a way to derive the keys of Initial packets.
type quicScheme uint8

const (
	quicNone quicScheme = iota
	quicDraft22
	quicDraft23 // to draft 28
	quicDraft29 // to draft 32
	quicV1      // drafts 33 and 34 too
	quicV2
)

// quicParameters are the salt and the HKDF labels of a scheme.
type quicParameters struct{ salt, key, iv, hp string }

const (
	quicKeyLabel = "quic key"
	quicIVLabel  = "quic iv"
	quicHPLabel  = "quic hp"
)

// parameters returns the constants of draft-ietf-quic-tls-22, -23 and -29 §5.2,
// RFC 9001 §5.2 and RFC 9369 §3.3.
func (s quicScheme) parameters() quicParameters {
	const (
		salt22 = "\x7f\xbc\xdb\x0e\x7c\x66\xbb\xe9\x19\x3a\x96\xcd\x21\x51\x9e\xbd\x7a\x02\x64\x4a"
		salt23 = "\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02"
		salt29 = "\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99"
		saltV1 = "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a"
		saltV2 = "\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9"
	)
	switch s {
	case quicDraft22:
		return quicParameters{salt22, quicKeyLabel, quicIVLabel, quicHPLabel}
	case quicDraft23:
		return quicParameters{salt23, quicKeyLabel, quicIVLabel, quicHPLabel}
	case quicDraft29:
		return quicParameters{salt29, quicKeyLabel, quicIVLabel, quicHPLabel}
	case quicV2:
		return quicParameters{saltV2, "quicv2 key", "quicv2 iv", "quicv2 hp"}
	}
	return quicParameters{saltV1, quicKeyLabel, quicIVLabel, quicHPLabel}
}

const (
	quicVersion1 = 0x00000001 // RFC 9000
	quicVersion2 = 0x6b3343cf // RFC 9369
)

// quicVersions lists the versions whose keys are known. 0xfacebxxx is mvfst, whose
// values stand in its QuicConstants.h.
var quicVersions = [...]struct {
	first, last uint32
	scheme      quicScheme
}{
	{quicVersion1, quicVersion1, quicV1},
	{quicVersion2, quicVersion2, quicV2},
	{0xff000016, 0xff000016, quicDraft22},
	{0xff000017, 0xff00001c, quicDraft23},
	{0xff00001d, 0xff000020, quicDraft29},
	{0xff000021, 0xff000022, quicV1},
	{0xfaceb001, 0xfaceb001, quicDraft22},
	{0xfaceb002, 0xfaceb002, quicDraft23},
	{0xfaceb003, 0xfaceb003, quicV1},
	{0xfaceb00e, 0xfaceb013, quicDraft23},
}

// quicKnown returns the scheme of a version, quicNone if it is not known.
func quicKnown(version uint32) quicScheme {
	for _, v := range &quicVersions {
		if v.first <= version && version <= v.last {
			return v.scheme
		}
	}
	return quicNone
}

// quicTrials are the schemes tried for an unknown version, those of today's software
// first.
var quicTrials = [...]quicScheme{quicV1, quicV2, quicDraft29, quicDraft23, quicDraft22}

// quicSchemes returns the schemes to try for a version, those that are quicNone left
// out from the end. A version reserved to exercise negotiation (RFC 9000 §15) has
// none; an unknown one is tried with all that IETF versions derive from.
func quicSchemes(version uint32) [len(quicTrials)]quicScheme {
	if s := quicKnown(version); s != quicNone {
		return [len(quicTrials)]quicScheme{s}
	}
	if version&0x0f0f0f0f == 0x0a0a0a0a {
		return [len(quicTrials)]quicScheme{}
	}
	return quicTrials
}
