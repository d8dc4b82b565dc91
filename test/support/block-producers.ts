import { aggregatePublicKeys, aggregateSignatures, type PublicKey, SecretKey, type Signature } from '@chainsafe/blst'
import { getBytes, TypedDataEncoder } from 'ethers'
import { type G1Words, type G2Words, g1FromBlst, g2FromBlst } from './eip2537.ts'
import { randomBytes } from './randomness.ts'

/** Who judges an EIP-712 message. */
export type Judge = { readonly chainId: bigint; readonly verifyingContract: string }

export const newKey = (): SecretKey => SecretKey.fromKeygen(randomBytes(32))
export const g1 = (key: PublicKey): G1Words => g1FromBlst(key.toBytes(false))
export const g2 = (signature: Signature): G2Words => g2FromBlst(signature.toBytes(false))
export const aggregateG2 = (signatures: readonly Signature[]): G2Words => g2(aggregateSignatures([...signatures]))
export const aggregateG1 = (keys: readonly PublicKey[]): G1Words => g1(aggregatePublicKeys([...keys]))

/** The 128 bytes of a point, as the contracts hash it. */
export const g1Bytes = ({ xHi, xLo, yHi, yLo }: G1Words): string => `0x${[xHi, xLo, yHi, yLo].map((word) => word.slice(2)).join('')}`

/** The EIP-712 digest of a struct under the protocol's domain, as bytes to sign with BLS. */
export function digestOf(judge: Judge, types: Record<string, { name: string; type: string }[]>, value: object): Uint8Array {
  return getBytes(TypedDataEncoder.hash({ name: 'Open Pools', version: '1', ...judge }, types, value))
}

/** The proof that the owner of `key` registers it. */
export function proofOfPossession(judge: Judge, { owner, operator, key }: { owner: string; operator: string; key: SecretKey }): G2Words {
  const types = {
    ProofOfPossession: [
      { name: 'owner', type: 'address' },
      { name: 'operator', type: 'address' },
      { name: 'signingKey', type: 'bytes' },
    ],
  }
  return g2(key.sign(digestOf(judge, types, { owner, operator, signingKey: g1Bytes(g1(key.toPublicKey())) })))
}

export type DkgOutcome = {
  readonly poolId: number
  readonly round: number
  readonly groupKey: G1Words
  readonly publicSharesHash: string
  readonly transcriptRoot: string
}

/** What the vault's members sign of a ceremony. */
export function dkgDigest(judge: Judge, { groupKey, ...rest }: DkgOutcome): Uint8Array {
  const types = {
    DkgResult: [
      { name: 'poolId', type: 'uint32' },
      { name: 'round', type: 'uint32' },
      { name: 'groupKey', type: 'bytes' },
      { name: 'publicSharesHash', type: 'bytes32' },
      { name: 'transcriptRoot', type: 'bytes32' },
    ],
  }
  return digestOf(judge, types, { ...rest, groupKey: g1Bytes(groupKey) })
}
