import type { Hex } from '../../core/ids.ts'
import type { G1 } from './backend.ts'
import { expectOften, g1FromCompressed } from './points.ts'
import { scalarFromBigInt } from './scalars.ts'

/** Message whose RFC 9380 hash is H. */
export const H_MESSAGE = 'Open Pools DKG generator H'
/** Domain separation tag of that hash, suite BLS12381G1_XMD:SHA-256_SSWU_RO_. */
export const H_DST = 'OPEN_POOLS_DKG_H_V1_BLS12381G1_XMD:SHA-256_SSWU_RO_'

// The hash's value; the unit test computes it again with another library.
const H_COMPRESSED: Hex = '0xa68883f160efacfad85f9db641ff9e9896df719bafe9fe75cb70d5770dd13c40cc1c2800688ffd72acffcc6609694602'

/** G: the standard generator of G1. */
export const G: G1 = expectOften(scalarFromBigInt(1n).getPublicKey())
/** H: a second generator of G1 whose logarithm to G nobody knows (protocol §7). */
export const H: G1 = expectOften(g1FromCompressed(H_COMPRESSED))
