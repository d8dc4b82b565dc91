// Header of a yamux frame: version (0), type, flags (2 bytes), stream (4), length (4), big-endian.
const HEADER_BYTES = 12
const WINDOW_UPDATE = 1

/** A quarter of a stream's smallest window: the sender never waits for less. */
const HOLD_BYTES = 64 << 10
/** Streams with an update held back. A connection of ours has six. */
const MAX_HELD = 64

type Bytes = Uint8Array | { readonly byteLength: number; subarray(): Uint8Array }

/**
 * Our multiplexer answers every message with an update of the stream's window, as long as a small message and as dear. Held
 * back here until they add up to a quarter of the window, as yamux's specification lets the receiver choose; sent as one.
 */
export function holdWindowUpdates<D extends Bytes>(stream: { send(data: D | Uint8Array): boolean }): void {
  const send = stream.send.bind(stream)
  const held = new Map<number, number>()
  stream.send = (data) => {
    const update = readUpdate(data)
    if (update === undefined) return send(data)
    const bytes = (held.get(update.stream) ?? 0) + update.bytes
    if (bytes < HOLD_BYTES && (held.size < MAX_HELD || held.has(update.stream))) {
      held.set(update.stream, bytes)
      return true
    }
    held.delete(update.stream)
    return send(writeUpdate(update.stream, bytes))
  }
}

/** A bare window update; those that open or close a stream carry flags and are none of ours. */
function readUpdate(data: Bytes): { readonly stream: number; readonly bytes: number } | undefined {
  if (data.byteLength !== HEADER_BYTES) return undefined
  const frame = data.subarray()
  const view = new DataView(frame.buffer, frame.byteOffset, HEADER_BYTES)
  // Version 0, type and no flags, read as one number.
  if (view.getUint32(0) !== WINDOW_UPDATE << 16) return undefined
  return { stream: view.getUint32(4), bytes: view.getUint32(8) }
}

function writeUpdate(stream: number, bytes: number): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES)
  const view = new DataView(frame.buffer)
  view.setUint32(0, WINDOW_UPDATE << 16)
  view.setUint32(4, stream)
  view.setUint32(8, bytes)
  return frame
}
