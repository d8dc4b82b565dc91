import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { afterEach, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { peerIdOfSeed, privateKeyFromSeed } from '../../../../../operator/adapters/p2p/identity.ts'
import { type P2pNetwork, startNetwork } from '../../../../../operator/adapters/p2p/network.ts'
import type { ProducerId } from '../../../../../operator/core/ids.ts'
import { toProducerId } from '../../../../../operator/core/parse.ts'
import { recordingLog } from '../support/log.ts'
import { until } from '../support/wait.ts'

const seedOf = (producer: number): Uint8Array => createHash('sha256').update(`peer ${producer}`).digest()
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const bytes = (message: string): Uint8Array => new Uint8Array(Buffer.from(message))

describe('Network over libp2p', () => {
  const networks = new Set<P2pNetwork>()
  const raw = new Set<Libp2p>()

  async function start(producer: number, listen = '/ip4/127.0.0.1/tcp/0'): Promise<P2pNetwork> {
    const network = await startNetwork({ self: toProducerId(producer), seed: seedOf(producer), listen: [listen], log: recordingLog() })
    networks.add(network)
    return network
  }

  const addressOf = (network: P2pNetwork): { producer: ProducerId; address: string } => ({
    producer: network.self,
    address: network.addresses()[0] ?? '',
  })

  async function mesh(size: number): Promise<P2pNetwork[]> {
    const members = await Promise.all(Array.from({ length: size }, (_, at) => start(at + 1)))
    for (const member of members) member.setPeers(members.map(addressOf))
    await until('mesh', () => members.every((member) => member.status().every(({ connected }) => connected)))
    return members
  }

  /** A host with a registered producer's key that speaks libp2p but not our rules. */
  async function rogue(producer: number): Promise<Libp2p> {
    const node = await createLibp2p({
      privateKey: await privateKeyFromSeed(seedOf(producer)),
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
    })
    raw.add(node)
    return node
  }

  afterEach(async () => {
    await Promise.all([...networks].map((network) => network.close()))
    await Promise.all([...raw].map((node) => node.stop()))
    networks.clear()
    raw.clear()
  })

  const pair = async (): Promise<[P2pNetwork, P2pNetwork]> => {
    const [a, b] = await mesh(2)
    assert(a !== undefined && b !== undefined)
    return [a, b]
  }

  it('says at which address it cannot listen, and why', async () => {
    const first = await start(1)
    const taken = String(first.addresses()[0]).replace(/\/p2p\/.*/, '')
    await assert.rejects(start(2, taken), {
      code: 'CANNOT_LISTEN',
      message: `cannot listen for other operators on ${taken}: the port is taken`,
    })
    await assert.rejects(start(2, '/ip4/203.0.113.7/tcp/9000'), { code: 'CANNOT_LISTEN', message: /: this machine has no such address$/ })
  })

  it('carries messages of each channel, small and as large as a block with blobs', async () => {
    const [a, b] = await pair()
    const got: string[] = []
    b.onMessage('duty', (from, message) => got.push(`duty ${from} ${text(message)}`))
    b.onMessage('ceremony', (from, message) => got.push(`ceremony ${from} ${text(message)}`))
    a.send(b.self, 'duty', bytes('one'))
    a.send(b.self, 'ceremony', bytes('two'))
    await until('two messages', () => got.length === 2)
    assert.deepEqual(got.toSorted(), ['ceremony 1 two', 'duty 1 one'])

    const block = new Uint8Array(randomBytes(12 << 20))
    let received: Uint8Array | undefined
    b.onMessage('duty', (_, message) => {
      received = message
    })
    a.send(b.self, 'duty', block)
    await until('block', () => received !== undefined)
    assert.ok(Buffer.from(block).equals(received ?? new Uint8Array()))
  })

  it('keeps streams open: a round trip of 1 KiB takes about a millisecond', async (context) => {
    const [a, b] = await pair()
    b.onMessage('duty', (from, message) => b.send(from, 'duty', message))
    const times: number[] = []
    const message = new Uint8Array(1024).fill(1)
    for (let i = 0; i < 300; i++) {
      const begin = performance.now()
      const echoed = new Promise<void>((resolve) => a.onMessage('duty', () => resolve()))
      a.send(b.self, 'duty', message)
      await echoed
      times.push(performance.now() - begin)
    }
    const sorted = times.slice(50).toSorted((x, y) => x - y)
    const p50 = sorted[sorted.length >> 1] ?? 0
    context.diagnostic(`round trip p50 ${p50.toFixed(2)} ms, p99 ${(sorted[Math.floor(sorted.length * 0.99)] ?? 0).toFixed(2)} ms`)
    assert.ok(p50 < 20)
  })

  it('lets nobody in who is not registered, and lets go who no longer is', async () => {
    const [a, b] = await pair()
    const stranger = await rogue(99)
    const target = multiaddr(a.addresses()[0] ?? '')
    await stranger.dial(target).catch(() => undefined)
    await until('stranger gone', () => stranger.getConnections().every(({ status }) => status !== 'open'))
    a.setPeers([])
    await until('removed peer gone', () => b.status().every(({ connected }) => !connected))
    const got: string[] = []
    a.onMessage('duty', (_, message) => got.push(text(message)))
    b.send(a.self, 'duty', bytes('still there?'))
    await delay(300)
    assert.deepEqual(got, [])
    assert.deepEqual(a.status(), [])
  })

  it('skips addresses that nobody can use, and lets nobody claim another producer’s peer id, before or after a restart', async () => {
    const a = await start(1)
    const victim = await start(5)
    const known = () => a.status().map(({ producer }) => producer)
    const thief = { producer: toProducerId(4), address: addressOf(victim).address }
    const others = [
      { producer: toProducerId(2), address: 'nonsense' },
      { producer: toProducerId(3), address: '/ip4/127.0.0.1/tcp/1' },
      addressOf(victim),
      thief,
      { producer: toProducerId(6), address: '/ip4/127.0.0.1/tcp/1/p2p/'.padEnd(5000, 'x') },
    ]
    a.setPeers(others)
    assert.deepEqual(known(), [5])
    // Free again, it is the next one's.
    a.setPeers([thief])
    assert.deepEqual(known(), [4])
    a.setPeers(others)
    assert.deepEqual(known(), [5])
  })

  for (const { name, bytesOf } of [
    { name: 'garbage', bytesOf: () => new Uint8Array(randomBytes(200_000)).fill(0xff, 0, 4) },
    { name: 'an oversize frame', bytesOf: () => Uint8Array.from([0x01, 0x00, 0x00, 0x01]) },
    { name: 'an empty frame', bytesOf: () => new Uint8Array(4) },
  ]) {
    it(`drops a registered peer that sends ${name}, for a while, and serves the others`, async () => {
      const [a, b] = await pair()
      const bad = await rogue(3)
      a.setPeers([addressOf(b), { producer: toProducerId(3), address: `/ip4/127.0.0.1/tcp/1/p2p/${await peerIdOfSeed(seedOf(3))}` }])
      const target = multiaddr(a.addresses()[0] ?? '')
      const stream = await bad.dialProtocol(target, '/open-pools/duty/1')
      stream.send(bytesOf())
      await until('dropped', () => bad.getConnections().length === 0)
      assert.ok((a.status().find(({ producer }) => producer === 3)?.refusedUntil ?? 0) > Date.now() + 50_000)
      await bad.dial(target).catch(() => undefined)
      await until('refused again', () => bad.getConnections().every(({ status }) => status !== 'open'))
      const got: string[] = []
      a.onMessage('duty', (from, message) => got.push(`${from} ${text(message)}`))
      b.send(a.self, 'duty', bytes('fine'))
      await until('other peer', () => got.length === 1)
      assert.deepEqual(got, ['2 fine'])
    })
  }

  for (const { name, frame } of [
    { name: 'endless bytes', frame: Buffer.concat([Buffer.from([0, 0xff, 0, 0]), Buffer.alloc(0xff0000)]) },
    { name: 'endless small frames', frame: Buffer.concat(Array.from({ length: 2000 }, () => Buffer.from([0, 0, 0, 1, 7]))) },
  ]) {
    it(`drops a registered peer that sends ${name}, while another peer is served`, async () => {
      const [a, b] = await pair()
      const bad = await rogue(3)
      a.setPeers([addressOf(b), { producer: toProducerId(3), address: `/ip4/127.0.0.1/tcp/1/p2p/${await peerIdOfSeed(seedOf(3))}` }])
      let fromBad = 0
      let fromGood = 0
      a.onMessage('duty', (from) => {
        if (from === 3) fromBad++
        else fromGood++
      })
      const stream = await bad.dialProtocol(multiaddr(a.addresses()[0] ?? ''), '/open-pools/duty/1')
      const before = process.memoryUsage().rss
      let sent = 0
      while (stream.status === 'open' && sent < 400 << 20) {
        if (!stream.send(frame)) await stream.onDrain().catch(() => undefined)
        sent += frame.byteLength
        b.send(a.self, 'duty', bytes('good'))
        await delay(1)
      }
      await until('dropped', () => bad.getConnections().length === 0)
      await until('good messages', () => fromGood > 0)
      assert.ok(fromBad <= 12_000)
      assert.ok(process.memoryUsage().rss - before < 300 << 20)
    })
  }

  it('loses the oldest messages to a peer that does not read, and keeps memory bounded', async () => {
    const [a, b] = await pair()
    const seed = seedOf(3)
    const deaf = await createLibp2p({
      privateKey: await privateKeyFromSeed(seed),
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
    })
    raw.add(deaf)
    await deaf.handle('/open-pools/duty/1', (stream) => stream.pause())
    a.setPeers([addressOf(b), { producer: toProducerId(3), address: String(deaf.getMultiaddrs()[0]) }])
    await until('connected', () => a.status().every(({ connected }) => connected))
    const before = process.memoryUsage().rss
    const message = new Uint8Array(1 << 20)
    for (let i = 0; i < 500; i++) {
      a.send(toProducerId(3), 'duty', message)
      if (i % 50 === 0) await delay(5)
    }
    const status = a.status().find(({ producer }) => producer === 3)
    assert.ok((status?.dropped ?? 0) > 400, `dropped ${status?.dropped}`)
    assert.ok(process.memoryUsage().rss - before < 100 << 20)
  })

  it('finds its peer again after that was gone', async () => {
    const [a, b] = await pair()
    const listen = (b.addresses()[0] ?? '').replace(/\/p2p\/.*/, '')
    await b.close()
    networks.delete(b)
    await until('lost', () => a.status().every(({ connected }) => !connected))
    a.send(b.self, 'duty', bytes('lost'))
    const again = await start(2, listen)
    again.setPeers([addressOf(a)])
    const got: string[] = []
    again.onMessage('duty', (_, message) => got.push(text(message)))
    await until('connected again', () => a.status().every(({ connected }) => connected))
    a.send(b.self, 'duty', bytes('welcome'))
    await until('message', () => got.includes('welcome'))
  })
})
