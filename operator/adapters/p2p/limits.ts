import type { Channel } from '../../core/ports/network.ts'

const KIB = 1 << 10
const MIB = 1 << 20

export type ChannelLimits = {
  /** Largest frame, in bytes. */
  readonly frame: number
  /** Most that waits to be sent to one peer; the oldest goes first. */
  readonly queuedBytes: number
  readonly queuedFrames: number
  /** What one peer may send: sustained per second, and at once. */
  readonly bytesPerSecond: number
  readonly burstBytes: number
  readonly framesPerSecond: number
  readonly burstFrames: number
}

/**
 * Limits per channel and peer. A duty proposes a whole block: gossip allows one of 10 MiB, beside it 21 blobs of 128 KiB and
 * their proofs. A ceremony's largest message is the transcript of 24 dealings. Reports exchange digests and signatures.
 * Sets of certificates are fetched in pieces of 128 KiB.
 */
export const CHANNEL_LIMITS: Readonly<Record<Channel, ChannelLimits>> = {
  duty: {
    frame: 16 * MIB,
    queuedBytes: 20 * MIB,
    queuedFrames: 2048,
    bytesPerSecond: 8 * MIB,
    burstBytes: 64 * MIB,
    framesPerSecond: 1000,
    burstFrames: 5000,
  },
  ceremony: {
    frame: 2 * MIB,
    queuedBytes: 6 * MIB,
    queuedFrames: 512,
    bytesPerSecond: 2 * MIB,
    burstBytes: 16 * MIB,
    framesPerSecond: 200,
    burstFrames: 2000,
  },
  report: {
    frame: 512 * KIB,
    queuedBytes: 2 * MIB,
    queuedFrames: 256,
    bytesPerSecond: MIB,
    burstBytes: 4 * MIB,
    framesPerSecond: 100,
    burstFrames: 1000,
  },
  certificate: {
    frame: 256 * KIB,
    queuedBytes: 4 * MIB,
    queuedFrames: 256,
    bytesPerSecond: 4 * MIB,
    burstBytes: 16 * MIB,
    framesPerSecond: 100,
    burstFrames: 500,
  },
}
