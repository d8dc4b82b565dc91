import { keccak256 } from 'ethers/crypto'
import type { Root } from '../../core/ids.ts'
import { decompressSignature } from '../bls/points.ts'
import { ByteReader, ByteWriter, CodecError } from './bytes.ts'
import { CERTIFICATE_BYTES, type DutyCertificate, readDutyCertificate, writeDutyCertificate } from './certificate.ts'

// The set of a report is a list in strictly rising order of (pool, slot, duty type): one certificate for each duty, one
// encoding for each set. Its hash is a Merkle root, so that Disputes can be shown a single certificate.

const WORD = 32
const LEAF_WORDS = 14
const EMPTY_SET = `0x${'00'.repeat(WORD)}` as Root

/** Order of certificates in a set. */
export function compareCertificates(a: DutyCertificate, b: DutyCertificate): number {
  return a.poolId - b.poolId || a.slot - b.slot || a.dutyType - b.dutyType
}

/**
 * Leaf of a certificate: keccak256 twice over its ABI encoding, the signature as the 256 bytes of EIP-2537 (`Disputes.leafOf`).
 * Throws `BlsError` when the signature is no point of the curve; whether it is a good one is not looked at.
 */
export function certificateLeaf(certificate: DutyCertificate): Root {
  const { poolId, round, slot, dutyType, signingRoot, participation, signature } = certificate
  const words = Buffer.alloc(LEAF_WORDS * WORD)
  words.writeUInt32BE(poolId, WORD - 4)
  words.writeUInt32BE(round, 2 * WORD - 4)
  words.writeBigUInt64BE(BigInt(slot), 3 * WORD - 8)
  words.writeUInt8(dutyType, 4 * WORD - 1)
  words.write(signingRoot.slice(2), 4 * WORD, 'hex')
  words.write(participation.toString(16).padStart(2 * WORD, '0'), 5 * WORD, 'hex')
  words.write(decompressSignature(signature).slice(2), 6 * WORD, 'hex')
  return keccak256(Buffer.from(keccak256(words).slice(2), 'hex')) as Root
}

/** keccak256 of both, the lesser first, as OpenZeppelin's MerkleProof hashes them. */
function pairHash(a: Root, b: Root): Root {
  const [left, right] = a < b ? [a, b] : [b, a]
  return keccak256(`0x${left.slice(2)}${right.slice(2)}`) as Root
}

/** The levels above the leaves: neighbours are hashed in pairs, one left over moves up as it is. */
function levelsOf(leaves: readonly Root[]): readonly (readonly Root[])[] {
  const levels = [leaves]
  for (let level = leaves; level.length > 1; levels.push(level)) {
    const below = level
    level = Array.from({ length: Math.ceil(below.length / 2) }, (_, i) => {
      const left = below[2 * i] ?? EMPTY_SET
      const right = below[2 * i + 1]
      return right === undefined ? left : pairHash(left, right)
    })
  }
  return levels
}

/** The tree over leaves that come one after another: keeps a root for each power of two, so that its work can be spread out. */
export class CertificateTree {
  /** Roots of whole trees, the largest first; no two of one height. */
  readonly #peaks: { readonly height: number; readonly root: Root }[] = []

  add(leaf: Root): void {
    let [height, root] = [0, leaf]
    for (let last = this.#peaks.at(-1); last?.height === height; last = this.#peaks.at(-1)) {
      root = pairHash(last.root, root)
      height++
      this.#peaks.pop()
    }
    this.#peaks.push({ height, root })
  }

  /** `certificatesHash` of a report of these leaves; zero for none. */
  root(): Root {
    const [least, ...larger] = this.#peaks.map(({ root }) => root).reverse()
    return larger.reduce((right, left) => pairHash(left, right), least ?? EMPTY_SET)
  }
}

/** `certificatesHash` of a report, from the leaves of its set in order; zero for no certificate. */
export function certificatesRoot(leaves: readonly Root[]): Root {
  const tree = new CertificateTree()
  for (const leaf of leaves) tree.add(leaf)
  return tree.root()
}

/** Branch of the leaf at `index`, as `Disputes.disproveCertificate` takes it. */
export function certificateBranch(leaves: readonly Root[], index: number): readonly Root[] {
  const branch: Root[] = []
  for (const [depth, level] of levelsOf(leaves).entries()) {
    const sibling = level[(index >> depth) ^ 1]
    if (sibling !== undefined) branch.push(sibling)
  }
  return branch
}

/** A set as it is served: its certificates one after another. Throws `CodecError` unless they are in order. */
export function encodeCertificateSet(certificates: readonly DutyCertificate[]): Uint8Array {
  assertOrdered(certificates)
  const writer = new ByteWriter(certificates.length * CERTIFICATE_BYTES)
  for (const certificate of certificates) writeDutyCertificate(writer, certificate)
  return writer.done()
}

/** Inverse of `encodeCertificateSet`. Throws `CodecError` on anything else than a set in order, one certificate for each duty. */
export function decodeCertificateSet(bytes: Uint8Array): readonly DutyCertificate[] {
  if (bytes.length % CERTIFICATE_BYTES !== 0) {
    throw new CodecError('TOO_SHORT', `expected a multiple of ${CERTIFICATE_BYTES} bytes, got ${bytes.length}`)
  }
  const reader = new ByteReader(bytes)
  const certificates = Array.from({ length: bytes.length / CERTIFICATE_BYTES }, () => readDutyCertificate(reader))
  assertOrdered(certificates)
  return certificates
}

function assertOrdered(certificates: readonly DutyCertificate[]): void {
  let previous: DutyCertificate | undefined
  for (const certificate of certificates) {
    if (previous !== undefined && compareCertificates(previous, certificate) >= 0) {
      const { poolId, slot, dutyType } = certificate
      throw new CodecError(
        'MALFORMED',
        `expected certificates in order, got pool ${poolId}, slot ${slot}, type ${dutyType} after a later one`,
      )
    }
    previous = certificate
  }
}
