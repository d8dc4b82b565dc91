import { keccak256, TypedDataEncoder } from 'ethers'
import { OpenPoolsError } from '../../core/errors.ts'
import type { Address, BlsSignature, Epoch, Root } from '../../core/ids.ts'
import { bytesToHex, hexToBytes, toBlsSignature, toEpoch, toRoot } from '../../core/parse.ts'
import type { Report } from '../../core/report.ts'

export class ReportMessageError extends OpenPoolsError<'LENGTH'> {}

const TYPES = {
  Commitment: [
    { name: 'epoch', type: 'uint64' },
    { name: 'referenceSlot', type: 'uint64' },
    { name: 'blockRoot', type: 'bytes32' },
    { name: 'executionBlock', type: 'uint64' },
    { name: 'history', type: 'uint32' },
    { name: 'stakerArrivals', type: 'uint256' },
    { name: 'bondArrivals', type: 'uint256' },
    { name: 'stakerPools', type: 'uint32' },
    { name: 'bondPools', type: 'uint32' },
    { name: 'producers', type: 'uint32' },
    { name: 'certificatesHash', type: 'bytes32' },
    { name: 'summariesRoot', type: 'bytes32' },
    { name: 'pagesHash', type: 'bytes32' },
  ],
}

/** EIP-712 digest of a report, which the committee's BLS signing keys sign. `contract` is StateCommitments. */
export function reportDigest(domain: { readonly chainId: bigint; readonly contract: Address }, report: Report): Root {
  const pagesHash = keccak256(`0x${report.pageRoots.map((root) => root.slice(2)).join('')}`)
  return toRoot(
    TypedDataEncoder.hash({ name: 'Open Pools', version: '1', chainId: domain.chainId, verifyingContract: domain.contract }, TYPES, {
      ...report,
      pagesHash,
    }),
  )
}

/** A committee member's signature over a report, as it travels. */
export type ReportSignature = { readonly epoch: Epoch; readonly digest: Root; readonly signature: BlsSignature }

const EPOCH = 8
const DIGEST = 32
const SIGNATURE = 96
const LENGTH = EPOCH + DIGEST + SIGNATURE

export function encodeReportSignature(message: ReportSignature): Uint8Array {
  const bytes = new Uint8Array(LENGTH)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(message.epoch))
  bytes.set(hexToBytes(message.digest), EPOCH)
  bytes.set(hexToBytes(message.signature), EPOCH + DIGEST)
  return bytes
}

/** Throws `ReportMessageError` or `ParseError` on anything else than one report signature. */
export function decodeReportSignature(bytes: Uint8Array): ReportSignature {
  if (bytes.length !== LENGTH) {
    throw new ReportMessageError('LENGTH', `expected a report signature of ${LENGTH} bytes, got ${bytes.length}`, { length: bytes.length })
  }
  return {
    epoch: toEpoch(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0)),
    digest: toRoot(bytesToHex(bytes.subarray(EPOCH, EPOCH + DIGEST))),
    signature: toBlsSignature(bytesToHex(bytes.subarray(EPOCH + DIGEST))),
  }
}
