import type { Hex } from '../core/ids.ts'
import { bytesToHex } from '../core/parse.ts'

/** Bitfield of committee places (from 0) that did not sign: bit i of byte ⌊i/8⌋ from the least, ⌈size/8⌉ bytes. */
export function absentBitfield(present: readonly boolean[]): Hex {
  const bytes = new Uint8Array(Math.ceil(present.length / 8))
  present.forEach((signed, place) => {
    const byte = Math.floor(place / 8)
    if (!signed) bytes[byte] = (bytes[byte] ?? 0) | (1 << (place % 8))
  })
  return bytesToHex(bytes)
}
