import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProducerId, Root, Slot } from '../../../../../operator/core/ids.ts'
import type { NetworkState } from '../../../../../operator/core/network.ts'
import { CERTIFICATE_BYTES, type DutyCertificate } from '../../../../../operator/protocol/messages/certificate.ts'
import {
  CHUNK_BYTES,
  decodeCertificateFrame,
  encodeCertificateFrame,
} from '../../../../../operator/protocol/messages/certificate-channel.ts'
import { certificateLeaf, certificatesRoot, encodeCertificateSet } from '../../../../../operator/protocol/messages/certificate-set.ts'
import type { Wanted } from '../../../../../operator/reports/certificates/fetching.ts'
import { EMPTY_SET } from '../../../../../operator/reports/certificates/sets.ts'
import { settle } from '../../duties/support.ts'
import { producer } from '../../protocol/state/support.ts'
import { all, by, SLOT_MS, setUp, state, turns, view } from './exchange-support.ts'

const wanted: Wanted = { purpose: 'a report', most: 10_000, fits: () => true, isRight: async () => true }

test('a piece of a set is read alone', async (t) => {
  const { first } = await setUp(t, [1, 2])
  const one = by([0, 1, 2])
  const hash = await first.exchange.sets.add(Array.from({ length: 2_000 }, (_, at) => ({ ...one, slot: (100 + at) as Slot })))
  const sizes = [0, 1, 2, 3].map((at) => first.exchange.sets.chunk(hash, at)?.bytes.length)
  assert.deepEqual(sizes, [CHUNK_BYTES, CHUNK_BYTES, 2_000 * CERTIFICATE_BYTES - 2 * CHUNK_BYTES, undefined])
  assert.equal(first.store.getBytes('certificate-set-piece', `${hash}/0`)?.length, CHUNK_BYTES)
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
