import type { Hex } from '../../core/ids.ts'
import { bytesToHex, hexToBytes } from '../../core/parse.ts'
import type { CeremonyContext } from '../../core/ports/ceremony.ts'

/** Values of `kind` on the wire and in the contracts. */
export const CEREMONY_KINDS = { dkg: 0, rotation: 1 } as const

const LENGTH = 61

/** A ceremony without one member's view of it. */
export type PublicContext = Pick<CeremonyContext, 'chainId' | 'contract' | 'poolId' | 'kind' | 'round'>

/** What names a ceremony everywhere: chain id (32) ‖ contract (20) ‖ pool (4) ‖ kind (1) ‖ round (4), big-endian. */
export function contextBytes(context: PublicContext): Uint8Array {
  const bytes = Buffer.alloc(LENGTH)
  bytes.set(hexToBytes(`0x${context.chainId.toString(16).padStart(64, '0')}`), 0)
  bytes.set(hexToBytes(context.contract), 32)
  bytes.writeUInt32BE(context.poolId, 52)
  bytes.writeUInt8(CEREMONY_KINDS[context.kind], 56)
  bytes.writeUInt32BE(context.round, 57)
  return bytes
}

/** The context with member indices appended (uint32 each): what a proof or a key derivation of theirs binds. */
export function bindingOf(context: PublicContext, ...members: readonly number[]): Uint8Array {
  const tail = Buffer.alloc(4 * members.length)
  members.forEach((member, i) => {
    tail.writeUInt32BE(member, 4 * i)
  })
  return Buffer.concat([contextBytes(context), tail])
}

/** The ceremony's name as hex: the key of its records. */
export function ceremonyId(context: PublicContext): Hex {
  return bytesToHex(contextBytes(context))
}
