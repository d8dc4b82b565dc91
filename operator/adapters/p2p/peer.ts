import type { ProducerId } from '../../core/ids.ts'
import { CHANNELS, type Channel } from '../../core/ports/network.ts'
import type { PeerAddress } from './identity.ts'
import { Inbox } from './inbox.ts'
import { CHANNEL_LIMITS } from './limits.ts'
import { Outbox } from './outbox.ts'
import type { Connection, Stream } from './types.ts'

const FIRST_REDIAL_MS = 250
const LAST_REDIAL_MS = 15_000
const FIRST_REFUSAL_MS = 60_000
const LAST_REFUSAL_MS = 600_000
/** More than simultaneous dials and a half-dead predecessor explain. */
const MAX_CONNECTIONS = 4
const STREAM_TIMEOUT_MS = 10_000

export const protocolOf = (channel: Channel): string => `/open-pools/${channel}/1`

export type PeerStatus = {
  readonly producer: ProducerId
  readonly peerId: string
  readonly connected: boolean
  readonly sent: number
  readonly received: number
  /** Frames lost to full queues, staleness and rate limits. */
  readonly dropped: number
  /** Milliseconds since the epoch until which nothing is exchanged after an offence, 0 when never. */
  readonly refusedUntil: number
}

type Shell = {
  /** Dials the address; the connection arrives through `opened`. */
  readonly dial: (address: PeerAddress) => Promise<unknown>
  readonly onFrame: (from: ProducerId, channel: Channel, bytes: Uint8Array) => void
  readonly onOffence: (from: ProducerId, reason: Error) => void
}

/** One registered producer: its connections, its streams, and what it may do. */
export class Peer {
  readonly producer: ProducerId
  readonly address: PeerAddress
  readonly #shell: Shell
  readonly #outboxes: ReadonlyMap<Channel, Outbox>
  readonly #inboxes: ReadonlyMap<Channel, Inbox>
  readonly #connections = new Set<Connection>()
  #redialMs = FIRST_REDIAL_MS
  #refusalMs = FIRST_REFUSAL_MS
  #refusedUntil = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor({ producer, address, shell }: { readonly producer: ProducerId; readonly address: PeerAddress; readonly shell: Shell }) {
    this.producer = producer
    this.address = address
    this.#shell = shell
    this.#outboxes = new Map(CHANNELS.map((channel) => [channel, new Outbox(CHANNEL_LIMITS[channel], () => this.#openStream(channel))]))
    this.#inboxes = new Map(CHANNELS.map((channel) => [channel, this.#inboxOf(channel)]))
  }

  get status(): PeerStatus {
    const outboxes = [...this.#outboxes.values()]
    const inboxes = [...this.#inboxes.values()]
    return {
      producer: this.producer,
      peerId: this.address.peerId,
      connected: this.#connections.size > 0,
      sent: outboxes.reduce((sum, { sent }) => sum + sent, 0),
      received: inboxes.reduce((sum, { received }) => sum + received, 0),
      dropped: [...outboxes, ...inboxes].reduce((sum, { dropped }) => sum + dropped, 0),
      refusedUntil: this.#refusedUntil,
    }
  }

  get refused(): boolean {
    return Date.now() < this.#refusedUntil
  }

  send(channel: Channel, bytes: Uint8Array): void {
    if (!this.refused) this.#outboxes.get(channel)?.push(bytes)
  }

  /** Keeps trying to be connected, from `delayMs` on. */
  connect(delayMs: number): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = setTimeout(() => void this.#dial(), delayMs)
    this.#timer.unref()
  }

  /** A connection of this peer opened, whoever dialed. */
  opened(connection: Connection): void {
    if (this.#closed || this.refused || this.#connections.size >= MAX_CONNECTIONS) {
      connection.abort(new Error('no more connections of this peer'))
      return
    }
    this.#connections.add(connection)
    this.#redialMs = FIRST_REDIAL_MS
    for (const outbox of this.#outboxes.values()) outbox.pump()
  }

  ended(connection: Connection): void {
    if (this.#connections.delete(connection) && this.#connections.size === 0) this.connect(this.#jitter(this.#redialMs))
  }

  receiveFrom(channel: Channel, stream: Stream): void {
    if (this.#closed || this.refused) stream.abort(new Error('peer refused'))
    else this.#inboxes.get(channel)?.attach(stream)
  }

  checkProgress(now: number): void {
    for (const inbox of this.#inboxes.values()) inbox.checkProgress(now)
    for (const outbox of this.#outboxes.values()) outbox.pump()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#disconnect(new Error('peer removed'))
  }

  #inboxOf(channel: Channel): Inbox {
    const onFrame = (bytes: Uint8Array): void => this.#shell.onFrame(this.producer, channel, bytes)
    return new Inbox(CHANNEL_LIMITS[channel], { onFrame, onOffence: (reason) => this.#refuse(reason) })
  }

  // Garbage, a flood or an endless frame: nothing is exchanged for a while, longer each time.
  #refuse(reason: Error): void {
    if (this.#closed || this.refused) return
    this.#refusedUntil = Date.now() + this.#refusalMs
    this.connect(this.#refusalMs)
    this.#refusalMs = Math.min(LAST_REFUSAL_MS, this.#refusalMs * 2)
    this.#disconnect(reason)
    this.#shell.onOffence(this.producer, reason)
  }

  #disconnect(reason: Error): void {
    const connections = [...this.#connections]
    this.#connections.clear()
    for (const inbox of this.#inboxes.values()) inbox.detach()
    for (const connection of connections) connection.abort(reason)
  }

  async #dial(): Promise<void> {
    if (this.#closed || this.#connections.size > 0) return
    if (!this.refused) await this.#shell.dial(this.address).catch(() => undefined)
    if (this.#connections.size > 0) return
    this.connect(this.#jitter(this.#redialMs))
    this.#redialMs = Math.min(LAST_REDIAL_MS, this.#redialMs * 2)
  }

  #openStream(channel: Channel): Promise<Stream> {
    const connection = [...this.#connections].findLast(({ status }) => status === 'open')
    if (connection === undefined) return Promise.reject(new Error('not connected'))
    return connection.newStream(protocolOf(channel), { signal: AbortSignal.timeout(STREAM_TIMEOUT_MS) })
  }

  // Many nodes lose a restarted one at the same moment and should not return at the same moment.
  #jitter(ms: number): number {
    return ms * (0.75 + Math.random() / 2)
  }
}
