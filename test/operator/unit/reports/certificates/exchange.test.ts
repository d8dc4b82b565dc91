import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PoolId, Root, Slot } from '../../../../../operator/core/ids.ts'
import type { DutyCertificate } from '../../../../../operator/protocol/messages/certificate.ts'
import {
  CERTIFICATES_PER_FRAME,
  type CertificateFrame,
  decodeCertificateFrame,
  encodeCertificateFrame,
} from '../../../../../operator/protocol/messages/certificate-channel.ts'
import { all, by, SLOT_MS, setUp, turns } from './exchange-support.ts'

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

test('bytes that are no frame change nothing', async (t) => {
  const { first, send } = await setUp(t, [1, 2])
  const frame = encodeCertificateFrame({ kind: 'certificates', certificates: [by([0, 1, 2])] })
  for (let length = 0; length < frame.length; length++) assert.throws(() => decodeCertificateFrame(frame.subarray(0, length)))
  assert.throws(() => decodeCertificateFrame(Uint8Array.from([...frame, 0])))
  assert.throws(() => decodeCertificateFrame(Uint8Array.from([1, 0, 1, 0, 0])))
  await send(2, 1)
  assert.deepEqual(await all(first.exchange), [])
})
