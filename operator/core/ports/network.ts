import type { ProducerId } from '../ids.ts'

/** One stream protocol per kind of work, so that a flood of one cannot starve another. */
export const CHANNELS = ['duty', 'ceremony', 'report', 'certificate'] as const
export type Channel = (typeof CHANNELS)[number]

export type MessageHandler = (from: ProducerId, bytes: Uint8Array) => void

/**
 * Authenticated, unordered, unreliable messages between active registered producers. `from` is proven by the transport
 * (peer id registered on chain). Delivery is best effort: senders repeat what matters.
 */
export type Network = {
  readonly self: ProducerId
  /** Sends to one producer; never throws, never blocks: a full or absent peer loses the message. `to` is never `self`. */
  send(to: ProducerId, channel: Channel, bytes: Uint8Array): void
  /** Registers the only handler of a channel. Returns a function that removes it. */
  onMessage(channel: Channel, handler: MessageHandler): () => void
}
