import bls from '@chainsafe/bls'
import blst from '@chainsafe/blst'
import herumi, { type Id, type PublicKeyType, type SecretKeyType, type SignatureType } from 'bls-eth-wasm'
import { BlsError } from './errors.ts'

// Two libraries, each for what it is best at: blst (native) parses, validates, signs and verifies; herumi's mcl (WASM)
// has the group arithmetic that blst's binding does not expose. Nothing reaches mcl that blst has not validated, so mcl's
// own, far slower, order checks are off.
await herumi.init(herumi.BLS12_381)
herumi.verifyPublicKeyOrder(false)
herumi.verifySignatureOrder(false)

export { blst, herumi }

/** An element of G1, in the prime-order subgroup. Made by points.ts only. */
export type G1 = PublicKeyType
/** An element of G2, in the prime-order subgroup. */
export type G2 = SignatureType
/** An element of the scalar field F_r. May be secret: no BigInt ever holds it. */
export type Scalar = SecretKeyType
/** An evaluation point. */
export type FieldId = Id

/** Order r of the BLS12-381 groups. */
export const GROUP_ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n

/**
 * Start-up check: `@chainsafe/bls` falls back to WASM silently when its native backend does not load, at a tenth of the
 * speed. Also signs and verifies once, so that a broken binary shows here. Throws `BlsError`.
 */
export function assertNativeBls(): void {
  if (bls.implementation !== 'blst-native') {
    throw new BlsError('NO_NATIVE_BACKEND', `expected the blst-native backend of @chainsafe/bls, got ${bls.implementation}`)
  }
  const key = blst.SecretKey.fromKeygen(new Uint8Array(32).fill(1))
  const message = new Uint8Array(32).fill(2)
  if (!blst.verify(message, key.toPublicKey(), key.sign(message), true, true)) {
    throw new BlsError('NO_NATIVE_BACKEND', 'expected blst to verify its own signature, it did not')
  }
}
