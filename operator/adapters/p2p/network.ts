import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { OpenPoolsError, reasonOf } from '../../core/errors.ts'
import type { ProducerId } from '../../core/ids.ts'
import type { Log } from '../../core/ports/log.ts'
import { CHANNELS, type Channel, type MessageHandler, type Network } from '../../core/ports/network.ts'
import { frugalNoise } from './encryption.ts'
import { type PeerAddress, parsePeerAddress, privateKeyFromSeed } from './identity.ts'
import { Peer, type PeerStatus, protocolOf } from './peer.ts'
import { Dialable } from './reach.ts'
import { Turns } from './turns.ts'

const SWEEP_MS = 5_000
/** The peer with the greater id waits, so that one connection is made, not two. */
const SECOND_DIALER_MS = 1_000

export class NetworkError extends OpenPoolsError<'CANNOT_LISTEN'> {}

export type NetworkOptions = {
  readonly self: ProducerId
  /** 32-byte ed25519 seed of the node's peer id. */
  readonly seed: Uint8Array
  /** Multiaddrs to listen on, such as /ip4/0.0.0.0/tcp/9000. */
  readonly listen: readonly string[]
  readonly log: Log
}

/** A registered producer and the address it registered. */
export type RegisteredPeer = { readonly producer: ProducerId; readonly address: string }

export type P2pNetwork = Network & {
  readonly peerId: string
  /** Addresses this node listens on, with its peer id. */
  addresses(): readonly string[]
  /**
   * The producers to talk to from now on (self is left out). Others are disconnected and cannot connect. Of several with one peer id
   * it is the first's.
   */
  setPeers(peers: readonly RegisteredPeer[]): void
  status(): readonly PeerStatus[]
  close(): Promise<void>
}

/**
 * Starts the libp2p host: TCP, Noise, Yamux; one direct stream per channel to each registered producer. Throws `NetworkError` when
 * it cannot listen.
 */
export async function startNetwork({ self, seed, listen, log }: NetworkOptions): Promise<P2pNetwork> {
  const privateKey = await privateKeyFromSeed(seed)
  const peerId = peerIdFromPrivateKey(privateKey).toString()
  const peers = new Map<ProducerId, Peer>()
  const byPeerId = new Map<string, Peer>()
  const handlers = new Map<Channel, MessageHandler>()
  const turns = new Turns()

  const stranger = (id: { toString(): string }): boolean => byPeerId.get(id.toString())?.refused ?? true
  const node = await createLibp2p({
    privateKey,
    addresses: { listen: [...listen] },
    transports: [tcp()],
    connectionEncrypters: [frugalNoise()],
    streamMuxers: [yamux({ maxInboundStreams: 32, maxOutboundStreams: 32 })],
    connectionGater: { denyDialPeer: stranger, denyInboundEncryptedConnection: stranger, denyOutboundEncryptedConnection: stranger },
    connectionManager: { maxConnections: 4096, inboundConnectionThreshold: 50, maxIncomingPendingConnections: 64, reconnectRetries: 0 },
    // Finds peers that vanished without closing. A busy machine may be slow to answer.
    connectionMonitor: { pingInterval: 15_000, pingTimeout: { minTimeout: 10_000, maxTimeout: 15_000 } },
  }).catch((cause: unknown) => {
    throw new NetworkError(
      'CANNOT_LISTEN',
      `cannot listen for other operators on ${listen.join(', ')}: ${whyNot(cause)}`,
      { listen },
      { cause },
    )
  })

  const dialable = new Dialable()
  const listening = listen.map((text) => multiaddr(text))
  let registeredAs: readonly Multiaddr[] = []
  const told = new WeakSet<Multiaddr>()
  const shell = {
    async dial({ address }: PeerAddress): Promise<unknown> {
      const targets = await dialable.targets(address, [...listening, ...registeredAs])
      if (targets.length > 0) return node.dial([...targets])
      if (!told.has(address)) log.warn('peer not dialed: its address is internal or does not resolve', { address: address.toString() })
      told.add(address)
      throw new Error('nothing to dial')
    },
    onFrame(from: ProducerId, channel: Channel, bytes: Uint8Array): void {
      turns.do(() => {
        try {
          handlers.get(channel)?.(from, bytes)
        } catch (error) {
          log.error('message handler failed', { from, channel, reason: reasonOf(error) })
        }
      })
    },
    onOffence: (from: ProducerId, reason: Error): void => log.warn('peer refused for a while', { from, reason: reason.message }),
  }

  node.addEventListener('connection:open', ({ detail }) => {
    const peer = byPeerId.get(detail.remotePeer.toString())
    if (peer === undefined) detail.abort(new Error('not a registered producer'))
    else peer.opened(detail)
  })
  node.addEventListener('connection:close', ({ detail }) => byPeerId.get(detail.remotePeer.toString())?.ended(detail))
  await serveChannels(node, byPeerId)
  const sweep = setInterval(() => {
    for (const peer of peers.values()) peer.checkProgress(Date.now())
  }, SWEEP_MS)
  sweep.unref()

  return {
    self,
    peerId,
    addresses: () => node.getMultiaddrs().map(String),
    status: () => [...peers.values()].map(({ status }) => status),
    send: (to, channel, bytes) => peers.get(to)?.send(channel, bytes),

    onMessage(channel, handler) {
      handlers.set(channel, handler)
      return () => handlers.delete(channel)
    },

    setPeers(registered) {
      registeredAs = ownAddress(registered, self)
      const wanted = readPeers({ registered, self, own: peerId, log })
      for (const [producer, peer] of peers) {
        if (wanted.get(producer)?.address.toString() === peer.address.address.toString()) continue
        peers.delete(producer)
        byPeerId.delete(peer.address.peerId)
        peer.close()
      }
      for (const [producer, address] of wanted) {
        if (peers.has(producer)) continue
        const peer = new Peer({ producer, address, shell })
        peers.set(producer, peer)
        byPeerId.set(address.peerId, peer)
        peer.connect(peerId < address.peerId ? 0 : SECOND_DIALER_MS)
      }
    },

    async close() {
      clearInterval(sweep)
      for (const peer of peers.values()) peer.close()
      peers.clear()
      byPeerId.clear()
      await node.stop()
    },
  }
}

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'no permission for the port',
}

/** libp2p tells the system's error in the middle of several lines about itself. */
function whyNot(cause: unknown): string {
  const [code = ''] = /\bE[A-Z]{4,}\b/.exec(reasonOf(cause)) ?? []
  return SYSTEM_ERRORS[code] ?? (code === '' ? reasonOf(cause) : code)
}

function ownAddress(registered: readonly RegisteredPeer[], self: ProducerId): readonly Multiaddr[] {
  const own = registered.find(({ producer }) => producer === self)
  if (own === undefined) return []
  try {
    return [parsePeerAddress(own.address).address]
  } catch {
    // Others say so in their logs; it opens nothing here.
    return []
  }
}

async function serveChannels(node: Libp2p, byPeerId: ReadonlyMap<string, Peer>): Promise<void> {
  for (const channel of CHANNELS) {
    await node.handle(
      protocolOf(channel),
      (stream, connection) => {
        const peer = byPeerId.get(connection.remotePeer.toString())
        if (peer === undefined) stream.abort(new Error('not a registered producer'))
        else peer.receiveFrom(channel, stream)
      },
      // The stream it replaces may not be gone yet.
      { maxInboundStreams: 4, maxOutboundStreams: 4 },
    )
  }
}

/**
 * Addresses by producer. An address nobody can use is left out. A peer id belongs to one producer, the first that has it: nobody takes
 * over another's by registering it too, and what was known before a restart plays no part.
 */
function readPeers({
  registered,
  self,
  own,
  log,
}: {
  readonly registered: readonly RegisteredPeer[]
  readonly self: ProducerId
  readonly own: string
  readonly log: Log
}): ReadonlyMap<ProducerId, PeerAddress> {
  const owners = new Map<string, { readonly producer: ProducerId; readonly address: PeerAddress }>()
  for (const { producer, address: text } of registered) {
    if (producer === self) continue
    try {
      const address = parsePeerAddress(text)
      if (address.peerId === own) throw new Error('it is our own peer id')
      if (owners.has(address.peerId)) throw new Error('its peer id belongs to another producer')
      owners.set(address.peerId, { producer, address })
    } catch (error) {
      log.warn('peer address not usable', { producer, reason: reasonOf(error) })
    }
  }
  return new Map([...owners.values()].map(({ producer, address }) => [producer, address]))
}
