import { SecretKey } from '@chainsafe/blst'
import { interopSecretKeys } from '@lodestar/state-transition'

/** Order of the BLS12-381 scalar field. */
const CURVE_ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n

/** The keys of the chain's own validators, which have the first indices of the registry. */
export class LocalKeys {
  readonly #keys: readonly SecretKey[]
  readonly #scalars: readonly bigint[]
  readonly pubkeys: readonly Uint8Array[]

  constructor(count: number) {
    this.#keys = interopSecretKeys(count)
    this.#scalars = this.#keys.map((key) => BigInt(key.toHex()))
    this.pubkeys = this.#keys.map((key) => key.toPublicKey().toBytes())
  }

  has(validatorIndex: number): boolean {
    return validatorIndex < this.#keys.length
  }

  sign(validatorIndex: number, signingRoot: Uint8Array): Uint8Array {
    const key = this.#keys[validatorIndex]
    if (key === undefined) throw new Error(`Validator ${validatorIndex} is not one of the ${this.#keys.length} local ones`)
    return key.sign(signingRoot).toBytes()
  }

  /**
   * The aggregate of these validators' signatures on one message. BLS is linear, so signing once with the
   * sum of the keys gives the same bytes as aggregating, for the cost of one signature. An index given
   * twice counts twice, as in a sync committee.
   */
  signTogether(validatorIndices: readonly number[], signingRoot: Uint8Array): Uint8Array {
    const sum = validatorIndices.reduce((total, index) => total + (this.#scalars[index] ?? 0n), 0n) % CURVE_ORDER
    return SecretKey.fromHex(sum.toString(16).padStart(64, '0')).sign(signingRoot).toBytes()
  }
}
