import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { SecretKey } from '@chainsafe/blst'
import { openStore } from '../../../../../operator/adapters/store/sqlite.ts'
import type { BlsSignature, PoolId, ProducerId, PublicKey, Root, Slot } from '../../../../../operator/core/ids.ts'
import type { NetworkState } from '../../../../../operator/core/network.ts'
import { bytesToHex, hexToBytes } from '../../../../../operator/core/parse.ts'
import type { ChainFollower } from '../../../../../operator/core/ports/chain.ts'
import type { MessageHandler } from '../../../../../operator/core/ports/network.ts'
import { aggregateSignatures } from '../../../../../operator/protocol/bls/signatures.ts'
import { CERTIFICATE_BYTES, certificateDigest, type DutyCertificate } from '../../../../../operator/protocol/messages/certificate.ts'
import {
  CERTIFICATES_PER_FRAME,
  type CertificateFrame,
  CHUNK_BYTES,
  decodeCertificateFrame,
  encodeCertificateFrame,
} from '../../../../../operator/protocol/messages/certificate-channel.ts'
import { certificateLeaf, certificatesRoot, encodeCertificateSet } from '../../../../../operator/protocol/messages/certificate-set.ts'
import { emptyState, foldEvents } from '../../../../../operator/protocol/state/network-state.ts'
import { CertificateExchange } from '../../../../../operator/reports/certificates/exchange.ts'
import type { Wanted } from '../../../../../operator/reports/certificates/fetching.ts'
import { EMPTY_SET } from '../../../../../operator/reports/certificates/sets.ts'
import { recordingLog, settle, TestClock } from '../../duties/support.ts'
import { address, event, fundedPool, producer } from '../../protocol/state/support.ts'

const domain = `0x${'ab'.repeat(32)}` as Root
const secrets = [1, 2, 3, 4, 5].map((seed) => SecretKey.fromKeygen(Buffer.alloc(32, seed)))
const SLOT_MS = 1_000

const state: NetworkState = foldEvents(emptyState(), [
  ...secrets.map((secret, at) =>
    event('BlockProducers.ProducerRegistered', 1, {
      producerId: producer(at + 1),
      owner: address(90 + at),
      operator: address(at + 1),
      signingKey: bytesToHex(secret.toPublicKey().toBytes()) as PublicKey,
      peerAddress: '',
      shares: 0n,
    }),
  ),
  ...fundedPool(1, 'staker', 0, 10),
])

/** A certificate of pool 1 signed by the members at these places; `change` afterwards. */
function by(places: readonly number[], duty: Partial<DutyCertificate> = {}): DutyCertificate {
  const place = { poolId: 1 as PoolId, round: 0, slot: 100 as Slot, dutyType: 1, signingRoot: `0x${'11'.repeat(32)}` as Root, ...duty }
  const digest = hexToBytes(certificateDigest(domain, place))
  const signatures = places.map((at) => bytesToHex(secrets[at]?.sign(digest).toBytes() ?? new Uint8Array()) as BlsSignature)
  return { ...place, participation: places.reduce((bits, at) => bits | (1n << BigInt(at)), 0n), signature: aggregateSignatures(signatures) }
}

const wanted: Wanted = { purpose: 'a report', most: 10_000, fits: () => true, isRight: async () => true }

/** What all of them see of the chain. */
const view = { head: state }

/** Exchanges of producers that hear each other at once, as far as `hears` lets them. */
async function setUp(t: TestContext, ids: readonly number[], hears: (from: number, to: number) => boolean = () => true) {
  const clock = new TestClock()
  await clock.advanceTo(100 * SLOT_MS)
  const handlers = new Map<number, MessageHandler>()
  const controller = new AbortController()
  const nodes = ids.map((id) => {
    const folder = mkdtempSync(join(tmpdir(), 'open-pools-certificates-'))
    const store = openStore(join(folder, 'state.sqlite'))
    const { log, lines } = recordingLog()
    const exchange = new CertificateExchange({
      self: id as ProducerId,
      clock,
      chain: { view: () => view } as unknown as ChainFollower,
      network: {
        self: id as ProducerId,
        send: (to, _, bytes) => hears(id, to) && handlers.get(to)?.(id as ProducerId, bytes),
        onMessage: (_, handler) => {
          handlers.set(id, handler)
          return () => handlers.delete(id)
        },
      },
      store,
      log,
      domainSeparator: domain,
      time: { genesisTimeMs: 0, slotDurationMs: SLOT_MS, slotsPerEpoch: 4 },
      slotsKept: 50,
    })
    exchange.start(controller.signal)
    t.after(() => {
      controller.abort()
      store.close()
      rmSync(folder, { recursive: true, force: true })
    })
    return { exchange, store, lines }
  })
  const hear = (from: number, to: number, frame: CertificateFrame) => handlers.get(to)?.(from as ProducerId, encodeCertificateFrame(frame))
  /** Until all of them have had their turn. */
  const send = async (from: number, to: number, ...certificates: readonly DutyCertificate[]): Promise<void> => {
    hear(from, to, { kind: 'certificates', certificates })
    await turns(certificates.length + 2)
  }
  const [first, second] = nodes
  assert.ok(first && second)
  return { clock, first, second, send, hear, handlers }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await settle()
}

const all = (exchange: CertificateExchange) => exchange.book.between(0 as Slot, 1_000 as Slot)

test('a certificate made here reaches everybody; what a late member adds is merged, and survives a restart', async (t) => {
  const { clock, first, second } = await setUp(t, [1, 2])
  first.exchange.add(by([0, 1, 3]))
  await clock.advanceTo(101 * SLOT_MS)
  assert.deepEqual(await all(second.exchange), [by([0, 1, 3])])
  second.exchange.add(by([2]))
  await clock.advanceTo(102 * SLOT_MS)
  assert.deepEqual(await all(first.exchange), [by([0, 1, 2, 3])])
  assert.deepEqual(await all(first.exchange), await all(second.exchange))
  assert.deepEqual(first.exchange.counts(), { made: 1, received: 1, verified: 1, merged: 1, refused: 0 })
  assert.equal(first.store.list('certificate').length, 1)
})

test('fewer than a quorum open nothing, and add to what a quorum opened', async (t) => {
  const { first, send } = await setUp(t, [1, 2])
  await send(2, 1, by([0, 1]))
  assert.deepEqual(await all(first.exchange), [])
  await send(2, 1, by([0, 1, 2]))
  await send(2, 1, by([3]))
  assert.deepEqual(await all(first.exchange), [by([0, 1, 2, 3])])
})

test('a few made here are sent with the rest once a quorum is together', async (t) => {
  const { clock, first, second } = await setUp(t, [1, 2])
  first.exchange.add(by([0, 1]))
  await clock.advanceTo(101 * SLOT_MS)
  assert.deepEqual(await all(second.exchange), [])
  first.exchange.add(by([3]))
  await clock.advanceTo(102 * SLOT_MS)
  assert.deepEqual(await all(second.exchange), [by([0, 1, 3])])
})

test('certificates of another vault, of strangers, of the past and of the future are not taken up, nor is their sender refused', async (t) => {
  const { first, send } = await setUp(t, [1, 2])
  const quorum = [0, 1, 2]
  await send(2, 1, by(quorum, { round: 1 }), by(quorum, { poolId: 9 as PoolId }), by([0, 1, 4]))
  await send(2, 1, by(quorum, { slot: 49 as Slot }), by(quorum, { slot: 102 as Slot }))
  assert.deepEqual(await all(first.exchange), [])
  assert.equal(first.exchange.counts().refused, 0)
  await send(2, 1, by(quorum))
  assert.equal((await all(first.exchange)).length, 1)
})

test('who sends a certificate with a bit that nobody signed for is not heard for a while', async (t) => {
  const { clock, first, send } = await setUp(t, [1, 2])
  await send(2, 1, { ...by([0, 1, 2]), participation: 0b1111n }, by([0, 1, 2], { slot: 99 as Slot }))
  await send(2, 1, by([0, 1, 2]))
  assert.deepEqual(await all(first.exchange), [])
  assert.equal(first.exchange.counts().refused, 1)
  assert.equal(first.lines.filter(({ level }) => level === 'warn').length, 1)
  await send(3, 1, by([0, 1, 2]))
  assert.equal((await all(first.exchange)).length, 1)
  await clock.advanceTo(140 * SLOT_MS)
  await send(2, 1, by([1, 2, 3], { slot: 120 as Slot }))
  assert.equal((await all(first.exchange)).length, 2)
})

test('a valid certificate that would change nothing is not verified, however often it comes', async (t) => {
  const { first, send } = await setUp(t, [1, 2])
  await send(2, 1, by([0, 1, 2]))
  // Each is valid, and overlaps with what is known without being larger.
  for (let i = 0; i < 5; i++) await send(3, 1, by([0, 3]))
  await send(3, 1, by([1, 2, 3]))
  assert.deepEqual(await all(first.exchange), [by([0, 1, 2])])
  assert.deepEqual(first.exchange.counts(), { made: 0, received: 7, verified: 1, merged: 1, refused: 0 })
  await send(3, 1, by([3]))
  assert.deepEqual(await all(first.exchange), [by([0, 1, 2, 3])])
})

test('a frame with two certificates of one place is none; what is made twice between frames goes in two', async (t) => {
  const { clock, first, second, send, handlers } = await setUp(t, [1, 2])
  const junk = Array.from({ length: CERTIFICATES_PER_FRAME }, (_, at) =>
    by([0, 1, 2], { signingRoot: `0x${at % 2}${'1'.repeat(63)}` as Root }),
  )
  assert.throws(() => decodeCertificateFrame(encodeCertificateFrame({ kind: 'certificates', certificates: junk })))
  await send(3, 1, ...junk)
  assert.equal(first.exchange.counts().received, 0)
  const frames: CertificateFrame[] = []
  const hear = handlers.get(1)
  handlers.set(1, (from, bytes) => {
    frames.push(decodeCertificateFrame(bytes))
    hear?.(from, bytes)
  })
  for (const slot of [98, 99, 100]) second.exchange.add(by([0, 1, 2], { slot: slot as Slot }))
  second.exchange.add(by([3]))
  await clock.advanceTo(102 * SLOT_MS)
  assert.deepEqual(
    frames.map((frame) => frame.kind === 'certificates' && frame.certificates.length),
    [3, 1],
  )
  assert.deepEqual((await all(first.exchange)).at(-1), by([0, 1, 2, 3]))
})

test('who brings more certificates than any honest node makes is not listened to for the rest', async (t) => {
  const { clock, first, hear, send } = await setUp(t, [1, 2])
  const frame = (at: number): readonly DutyCertificate[] => {
    const one = by([0, 1, 2])
    return Array.from({ length: CERTIFICATES_PER_FRAME }, (_, i) => ({ ...one, slot: (100_000 + at * 256 + i) as Slot }))
  }
  for (let at = 0; at < 100; at++) hear(3, 1, { kind: 'certificates', certificates: frame(at) })
  assert.equal(first.exchange.counts().received, 4 * CERTIFICATES_PER_FRAME)
  // Another's does not wait behind them, and each has a turn of the event loop.
  await send(2, 1, by([0, 1, 2]))
  assert.equal((await all(first.exchange)).length, 1)
  await turns(1_100)
  await clock.advanceTo(116 * SLOT_MS)
  hear(3, 1, { kind: 'certificates', certificates: frame(100) })
  assert.equal(first.exchange.counts().received, 5 * CERTIFICATES_PER_FRAME + 1)
})

test('pieces of sets are given as many as a peer can take in, and none to who lies', async (t) => {
  const { clock, first, hear, send, handlers } = await setUp(t, [1, 2])
  const hash = await first.exchange.sets.add([by([0, 1, 2])])
  const given = { 3: 0, 4: 0 }
  for (const id of [3, 4] as const) handlers.set(id, () => given[id]++)
  for (let i = 0; i < 500; i++) hear(3, 1, { kind: 'ask', hash, chunk: 0 })
  assert.equal(given[3], 64)
  await clock.advanceTo(101 * SLOT_MS)
  for (let i = 0; i < 500; i++) hear(3, 1, { kind: 'ask', hash, chunk: 0 })
  assert.equal(given[3], 88)
  await send(4, 1, { ...by([0, 1, 2]), participation: 0b1111n })
  hear(4, 1, { kind: 'ask', hash, chunk: 0 })
  assert.equal(given[4], 0)
})

test('a piece of a set is read alone', async (t) => {
  const { first } = await setUp(t, [1, 2])
  const one = by([0, 1, 2])
  const hash = await first.exchange.sets.add(Array.from({ length: 2_000 }, (_, at) => ({ ...one, slot: (100 + at) as Slot })))
  const sizes = [0, 1, 2, 3].map((at) => first.exchange.sets.chunk(hash, at)?.bytes.length)
  assert.deepEqual(sizes, [CHUNK_BYTES, CHUNK_BYTES, 2_000 * CERTIFICATE_BYTES - 2 * CHUNK_BYTES, undefined])
  assert.equal(first.store.getBytes('certificate-set-piece', `${hash}/0`)?.length, CHUNK_BYTES)
})

test('bytes that are no frame change nothing', async (t) => {
  const { first, send } = await setUp(t, [1, 2])
  const frame = encodeCertificateFrame({ kind: 'certificates', certificates: [by([0, 1, 2])] })
  for (let length = 0; length < frame.length; length++) assert.throws(() => decodeCertificateFrame(frame.subarray(0, length)))
  assert.throws(() => decodeCertificateFrame(Uint8Array.from([...frame, 0])))
  assert.throws(() => decodeCertificateFrame(Uint8Array.from([1, 0, 1, 0, 0])))
  await send(2, 1)
  assert.deepEqual(await all(first.exchange), [])
})

test('a set is fetched piece by piece from whoever has it, and only the set of its hash is kept', async (t) => {
  const { clock, first, second } = await setUp(t, [1, 2, 3])
  const one = by([0, 1, 2])
  const set = Array.from({ length: 2_000 }, (_, at) => ({ ...one, slot: (100 + at) as Slot }))
  const hash = await second.exchange.sets.add(set)
  assert.ok(set.length * CERTIFICATE_BYTES > 2 * CHUNK_BYTES)
  assert.equal(await first.exchange.sets.get(hash), undefined)
  // Producer 4 does not answer, 3 does not have it.
  first.exchange.fetching.start(hash, [4, 3, 2].map(producer), wanted)
  await clock.advanceTo(103 * SLOT_MS)
  await turns(200)
  assert.deepEqual(await first.exchange.sets.get(hash), set)
  assert.deepEqual(await first.exchange.sets.get(EMPTY_SET), [])
  assert.equal(await first.exchange.sets.add([]), EMPTY_SET)
})

test('who gives something else in the place of a set is not asked again for the same report', async (t) => {
  const { clock, first, handlers } = await setUp(t, [1, 2])
  const junk = encodeCertificateSet([by([0, 1, 2])])
  const asked: ProducerId[] = []
  for (const id of [3, 4]) {
    handlers.set(id, (from, bytes) => {
      const frame = decodeCertificateFrame(bytes)
      if (frame.kind !== 'ask') return
      asked.push(producer(id))
      const chunk = { ...frame, kind: 'chunk', size: junk.length, bytes: junk } as const
      handlers.get(from)?.(producer(id), encodeCertificateFrame(chunk))
    })
  }
  const other = `0x${'77'.repeat(32)}` as Root
  const judged: number[] = []
  const isRight = async (set: readonly DutyCertificate[]) => judged.push(set.length) > 0
  for (let attempt = 0; attempt < 3; attempt++) {
    first.exchange.fetching.start(other, [3, 4].map(producer), { ...wanted, isRight })
    await clock.advanceTo(clock.now() + 5 * SLOT_MS)
  }
  assert.deepEqual(asked, [3, 4])
  first.exchange.fetching.start(other, [producer(3)], { ...wanted, purpose: 'another report' })
  await clock.advanceTo(clock.now() + 5 * SLOT_MS)
  assert.deepEqual(asked, [3, 4, 3])
  assert.deepEqual(judged, [])
})

test('a set of more than there can be, or of what does not fit, is given up before it is hashed; what is not right is not kept', async (t) => {
  const { clock, first, second, handlers } = await setUp(t, [1, 2])
  const one = by([0, 1, 2])
  const hash = await second.exchange.sets.add(Array.from({ length: 2_000 }, (_, at) => ({ ...one, slot: (100 + at) as Slot })))
  const asks: number[] = []
  const hear = handlers.get(2)
  handlers.set(2, (from, bytes) => {
    const frame = decodeCertificateFrame(bytes)
    if (frame.kind === 'ask') asks.push(frame.chunk)
    hear?.(from, bytes)
  })
  const fetched = async (change: Partial<Wanted>): Promise<boolean> => {
    asks.length = 0
    first.exchange.fetching.start(hash, [producer(2)], { ...wanted, ...change })
    await clock.advanceTo(clock.now() + 20 * SLOT_MS)
    await turns(200)
    return (await first.exchange.sets.get(hash)) !== undefined
  }
  assert.equal(await fetched({ purpose: 'few', most: 1_999 }), false)
  assert.deepEqual(asks, [0])
  let looked = 0
  const isRight = async () => assert.fail('hashed')
  assert.equal(await fetched({ purpose: 'odd', fits: ({ slot }) => looked++ < 10 && slot > 0, isRight }), false)
  assert.equal(looked, 11)
  assert.equal(await fetched({ purpose: 'wrong', isRight: async () => false }), false)
  assert.equal(await fetched({ purpose: 'right' }), true)
})

test('reading, hashing and making a set leave the event loop to others in between', async (t) => {
  const { first } = await setUp(t, [1, 2])
  const one = by([0, 1, 2])
  const set = Array.from({ length: 2_000 }, (_, at) => ({ ...one, slot: (100 + at) as Slot }))
  let [taken, isDone] = [0, false]
  const count = async (): Promise<void> => {
    for (; !isDone; taken++) await settle()
  }
  const counting = count()
  const hash = await first.exchange.sets.add(set)
  const made = taken
  await first.exchange.sets.read(hash, encodeCertificateSet(set), () => true)
  isDone = true
  await counting
  assert.ok(made > 60 && taken > 120, `${made} turns to make, ${taken - made} to read`)
  assert.equal(hash, certificatesRoot(set.map(certificateLeaf)))
})

test('sets that nobody gives keep no other from being fetched', async (t) => {
  const { clock, first, second } = await setUp(t, [1, 2])
  const set = [by([0, 1, 2])]
  const hash = await second.exchange.sets.add(set)
  const silent = Array.from({ length: 200 }, (_, at) => producer(4 + at))
  for (const made of [1, 2, 3, 4]) first.exchange.fetching.start(`0x${String(made).repeat(64)}` as Root, silent, wanted)
  first.exchange.fetching.start(hash, [producer(2)], wanted)
  await clock.advanceTo(101 * SLOT_MS)
  assert.equal(await first.exchange.sets.get(hash), undefined)
  await clock.advanceTo(105 * SLOT_MS)
  first.exchange.fetching.start(hash, [producer(2)], wanted)
  await clock.advanceTo(106 * SLOT_MS)
  assert.deepEqual(await first.exchange.sets.get(hash), set)
})

test('pieces that nobody asked for are not kept', async (t) => {
  const { first, second } = await setUp(t, [1, 2])
  const hash = await second.exchange.sets.add([by([0, 1, 2])])
  const piece = second.exchange.sets.chunk(hash, 0)
  assert.ok(piece)
  first.exchange.fetching.receive(producer(2), { kind: 'chunk', hash, chunk: 0, ...piece })
  assert.equal(await first.exchange.sets.get(hash), undefined)
})

test('certificates and sets that are of no use any more are forgotten', async (t) => {
  const { clock, first } = await setUp(t, [1, 2])
  first.exchange.add(by([0, 1, 2]))
  await clock.advanceTo(149 * SLOT_MS)
  assert.equal((await all(first.exchange)).length, 1)
  await clock.advanceTo(160 * SLOT_MS)
  assert.deepEqual(await all(first.exchange), [])
  const { sets } = first.exchange
  const hashes: Root[] = []
  for (let slot = 200; slot < 220; slot++) hashes.push(await sets.add([by([0, 1, 2], { slot: slot as Slot })]))
  const found = await Promise.all(hashes.map((hash) => sets.get(hash)))
  assert.equal(found.filter((set) => set !== undefined).length, 16)
  assert.ok(await first.exchange.sets.get(hashes.at(-1) ?? EMPTY_SET))
})

test('sets of reports that stand are kept, however many are proposed after them', async (t) => {
  const { first } = await setUp(t, [1, 2])
  const { sets } = first.exchange
  const setAt = (slot: number) => sets.add([by([0, 1, 2], { slot: slot as Slot })])
  const published: Root[] = []
  for (let slot = 200; slot < 206; slot++) published.push(await setAt(slot))
  const made = published.map((certificatesHash, at) => {
    const id = at + 1
    return [id, { id, phase: at === 3 ? 'dropped' : 'finalized', content: { report: { certificatesHash } } }] as const
  })
  view.head = { ...state, commitments: new Map(made) as unknown as NetworkState['commitments'] }
  t.after(() => {
    view.head = state
  })
  for (let slot = 300; slot < 340; slot++) await setAt(slot)
  // The last four that stand: neither the first of all, nor the one that was dropped.
  assert.deepEqual(
    published.map((hash) => sets.has(hash)),
    [false, true, true, false, true, true],
  )
})
