import { hash } from 'node:crypto'
import type { Address, BlsSignature, EcdsaSignature, Hex, MemberIndex, PublicKey, Root } from '../../../operator/core/ids.ts'
import type { ThresholdScheme } from '../../../operator/duties/types.ts'
import type { EcdsaVerifier } from '../../../operator/protocol/messages/ecdsa.ts'
import { addressOf, ecdsaVerifier, signEcdsa } from '../../../operator/protocol/messages/ecdsa.ts'

export function sha(...parts: readonly (string | number)[]): Hex {
  return `0x${hash('sha256', parts.join('|'))}`
}

/** What a pool's members hold: keys to sign with, by member index, and what is public. */
export type SimPoolKeys = {
  readonly groupKey: PublicKey
  readonly publicShares: readonly PublicKey[]
  sign(member: MemberIndex, root: Root): BlsSignature
}

export type SimCrypto = {
  readonly scheme: ThresholdScheme
  readonly verifyEcdsa: EcdsaVerifier
  poolKeys(options: { readonly name: string; readonly size: number; readonly threshold: number }): SimPoolKeys
  operator(name: string): { readonly address: Address; sign(digest: Root): EcdsaSignature }
}

const twice = (hash: Hex, bytes: number): Hex =>
  `0x${hash
    .slice(2)
    .repeat(4)
    .slice(0, bytes * 2)}`

/**
 * Keyed hashes in the place of signatures. Like the real ones they can only be made by their key's holder (no simulated
 * attacker computes another's hash), a threshold of different members' partials makes the group's, and it is unique.
 */
export function hashCrypto(): SimCrypto {
  const operators = new Map<Address, string>()
  const partialOf = (key: PublicKey, root: Root): BlsSignature => twice(sha('partial', key, root), 96) as BlsSignature
  const owner = new Map<BlsSignature, { readonly group: PublicKey; readonly member: MemberIndex; readonly root: Root }>()
  const keyed = (name: string, digest: Root): EcdsaSignature => `${twice(sha('operator', name, digest), 64)}1b` as EcdsaSignature
  return {
    scheme: {
      combine(partials, threshold) {
        const first = partials[0] && owner.get(partials[0].signature)
        const sound =
          first !== undefined &&
          new Set(partials.map(({ index }) => index)).size >= threshold &&
          partials.every(({ index, signature }) => {
            const of = owner.get(signature)
            return of?.group === first.group && of.root === first.root && of.member === index
          })
        return sound
          ? partialOf(first.group, first.root)
          : (twice(sha('nonsense', ...partials.map((one) => one.signature)), 96) as BlsSignature)
      },
      verify: (publicKey, root, signature) => partialOf(publicKey, root) === signature,
    },
    verifyEcdsa({ digest, signature, address }) {
      const name = operators.get(address)
      return name !== undefined && keyed(name, digest) === signature
    },
    poolKeys({ name, size }) {
      const groupKey = twice(sha('group', name), 48) as PublicKey
      const publicShares = Array.from({ length: size }, (_, i) => twice(sha('share', name, i), 48) as PublicKey)
      return {
        groupKey,
        publicShares,
        sign(member, root) {
          const signature = partialOf(publicShares[member - 1] ?? groupKey, root)
          owner.set(signature, { group: groupKey, member, root })
          return signature
        },
      }
    },
    operator(name) {
      const address = sha('address', name).slice(0, 42) as Address
      operators.set(address, name)
      return { address, sign: (digest) => keyed(name, digest) }
    },
  }
}

/** BLS12-381 and secp256k1 as shipped, with keys from a trusted dealer (the DKG has its own tests). */
export async function realCrypto(): Promise<SimCrypto> {
  const { default: blst } = await import('@chainsafe/blst')
  const { combinePartials } = await import('../../../operator/protocol/bls/threshold.ts')
  const { verifySignature } = await import('../../../operator/protocol/bls/signatures.ts')
  const { GROUP_ORDER } = await import('../../../operator/protocol/bls/backend.ts')
  const verifyEcdsa = ecdsaVerifier()
  const scalar = (...parts: readonly (string | number)[]): bigint => BigInt(sha(...parts)) % GROUP_ORDER
  const secretKey = (value: bigint) => blst.SecretKey.fromBytes(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'))
  const hex = (bytes: Uint8Array): Hex => `0x${Buffer.from(bytes).toString('hex')}`
  const bytes = (text: Hex): Buffer => Buffer.from(text.slice(2), 'hex')
  // All members verify the same few signatures; once is enough here.
  const verified = new Map<string, boolean>()
  return {
    scheme: {
      combine: combinePartials,
      verify(publicKey, root, signature) {
        const id = `${publicKey}${root}${signature}`
        const known = verified.get(id) ?? verifySignature(publicKey, root, signature)
        verified.set(id, known)
        return known
      },
    },
    verifyEcdsa,
    poolKeys({ name, size, threshold }) {
      const coefficients = Array.from({ length: threshold }, (_, k) => scalar('coefficient', name, k))
      const at = (x: bigint): bigint => coefficients.reduceRight((sum, coefficient) => (sum * x + coefficient) % GROUP_ORDER, 0n)
      const shares = Array.from({ length: size }, (_, i) => secretKey(at(BigInt(i + 1))))
      const publicKey = (key: (typeof shares)[number]): PublicKey => hex(key.toPublicKey().toBytes()) as PublicKey
      return {
        groupKey: publicKey(secretKey(at(0n))),
        publicShares: shares.map(publicKey),
        sign(member, root) {
          const share = shares[member - 1]
          if (share === undefined) throw new Error(`no member ${member}`)
          return hex(share.sign(bytes(root)).toBytes()) as BlsSignature
        },
      }
    },
    operator(name) {
      const key = bytes(sha('operator', name))
      return { address: addressOf(key), sign: (digest) => signEcdsa(digest, key) }
    },
  }
}
