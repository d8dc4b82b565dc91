const PUSH32 = 0x7f
const WORD = 32
/** Length of the CBOR that solc appends to runtime code: the compiler's version. Where it comes last in init code, runtime code ends. */
const METADATA = 12

/**
 * Is code on chain what a creation leaves behind? Immutables are masked: the compiler keeps PUSH32 of zero in their places, which
 * it writes nowhere else, and the constructor fills them in.
 * @param creation init code, with or without the constructor's arguments
 */
export function isRuntimeOf(code: Uint8Array, creation: Uint8Array): boolean {
  if (code.length <= METADATA) return false
  const at = Buffer.from(creation.buffer, creation.byteOffset, creation.byteLength).lastIndexOf(code.subarray(-METADATA))
  const start = at + METADATA - code.length
  if (at < 0 || start < 0) return false
  for (let place = 0; place < code.length; place++) {
    if (isPlaceholder(creation, start + place)) {
      if (code[place] !== PUSH32) return false
      place += WORD
    } else if (code[place] !== creation[start + place]) return false
  }
  return true
}

function isPlaceholder(creation: Uint8Array, at: number): boolean {
  if (creation[at] !== PUSH32) return false
  const word = creation.subarray(at + 1, at + 1 + WORD)
  return word.length === WORD && word.every((byte) => byte === 0)
}
