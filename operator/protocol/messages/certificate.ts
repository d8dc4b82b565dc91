import type { BlsSignature, PoolId, Root, Slot } from '../../core/ids.ts'
import { type ByteReader, ByteWriter, CodecError } from './bytes.ts'
import { structHasher, typedDigest } from './eip712.ts'

/** EIP-712 type of what a vault member's BLS signing key says of a duty it took part in; judged by Disputes' domain. */
export const CERTIFICATE_TYPE = 'DutyCertificate(uint32 poolId,uint32 round,uint64 slot,uint8 dutyType,bytes32 signingRoot)'

/** A duty that a vault carried out. `round` names the vault: the pool's round whose members are in charge at `slot`. */
export type CertifiedDuty = {
  readonly poolId: PoolId
  readonly round: number
  readonly slot: Slot
  readonly dutyType: number
  readonly signingRoot: Root
}

/**
 * Who took part in a duty: bit i of `participation` is member index i + 1, and `signature` the aggregate of all these members'
 * signing-key signatures over `certificateDigest`.
 */
export type DutyCertificate = CertifiedDuty & { readonly participation: bigint; readonly signature: BlsSignature }

/** Where a certificate stands among those of all vaults: whatever the root, there is one duty of a type in a slot. */
export function certifiedPlace({ poolId, round, slot, dutyType }: Omit<CertifiedDuty, 'signingRoot'>): string {
  return `${poolId}/${round}/${slot}/${dutyType}`
}

/** A vault has at most so many members, the width of a participation bitfield. */
export const MAX_CERTIFIED_MEMBERS = 128

/** Length of an encoded certificate. */
export const CERTIFICATE_BYTES = 4 + 4 + 8 + 1 + 32 + MAX_CERTIFIED_MEMBERS / 8 + 96

const hashDuty = structHasher(CERTIFICATE_TYPE)

/** What participants' signing keys sign. `domainSeparator`: `domainSeparatorOf` for the contract Disputes. */
export function certificateDigest(domainSeparator: Root, duty: CertifiedDuty): Root {
  return typedDigest(domainSeparator, hashDuty([duty.poolId, duty.round, duty.slot, duty.dutyType, duty.signingRoot]))
}

/** Appends a certificate: pool, round, slot, type, signing root, participation (16 bytes), compressed signature; big-endian. */
export function writeDutyCertificate(writer: ByteWriter, certificate: DutyCertificate): ByteWriter {
  const { poolId, round, slot, dutyType, signingRoot, participation, signature } = certificate
  return writer
    .u32(poolId)
    .u32(round)
    .u64(slot)
    .u8(dutyType)
    .hex(signingRoot)
    .hex(`0x${participation.toString(16).padStart(MAX_CERTIFIED_MEMBERS / 4, '0')}`)
    .hex(signature)
}

/**
 * Reads what `writeDutyCertificate` wrote. Whether the signature is a point, or good, is not looked at. Throws `CodecError` on
 * too few bytes, and on a certificate of nobody.
 */
export function readDutyCertificate(reader: ByteReader): DutyCertificate {
  const certificate = {
    poolId: reader.u32() as PoolId,
    round: reader.u32(),
    slot: reader.u64() as Slot,
    dutyType: reader.u8(),
    signingRoot: reader.hex(32) as Root,
    participation: BigInt(reader.hex(MAX_CERTIFIED_MEMBERS / 8)),
    signature: reader.hex(96) as BlsSignature,
  }
  if (certificate.participation === 0n) throw new CodecError('MALFORMED', 'expected a certificate of at least one participant, got none')
  return certificate
}

export function encodeDutyCertificate(certificate: DutyCertificate): Uint8Array {
  return writeDutyCertificate(new ByteWriter(CERTIFICATE_BYTES), certificate).done()
}
