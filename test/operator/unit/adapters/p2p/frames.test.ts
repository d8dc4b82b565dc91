import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FrameError, FrameReader, frameHeader } from '../../../../../operator/adapters/p2p/frames.ts'
import { Inbox } from '../../../../../operator/adapters/p2p/inbox.ts'
import { CHANNEL_LIMITS } from '../../../../../operator/adapters/p2p/limits.ts'
import type { Stream } from '../../../../../operator/adapters/p2p/types.ts'
import { TokenBucket } from '../../../../../operator/core/token-bucket.ts'

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    const messages = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 12 })
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }), (sent, cuts) => {
        const wire = Buffer.concat(sent.flatMap((bytes) => [frameHeader(bytes), bytes]))
        const reader = new FrameReader(300)
        const got: Uint8Array[] = []
        for (let at = 0, turn = 0; at < wire.length; turn++) {
          const size = cuts[turn % cuts.length] ?? 1
          got.push(...reader.push(wire.subarray(at, at + size), 0))
          at += size
        }
        assert.deepEqual(
          got.map((frame) => [...frame]),
          sent.map((frame) => [...frame]),
        )
        assert.equal(reader.unfinishedSince, undefined)
      }),
      { numRuns: 200 },
    )
  })

  it('in crumbs weigh what they are, not an object for each byte', () => {
    const reader = new FrameReader(4 << 20)
    const crumb = Buffer.from([7])
    const header = Buffer.alloc(4)
    header.writeUInt32BE(4 << 20)
    assert.deepEqual([...reader.push(header, 0)], [])
    const before = process.memoryUsage()
    for (let i = 0; i < 1 << 20; i++) for (const _ of reader.push(crumb, 0)) assert.fail('not whole yet')
    const after = process.memoryUsage()
    const taken = after.heapUsed + after.external - before.heapUsed - before.external
    assert.ok(taken < 48 << 20, `${taken} bytes for a mebibyte`)
    const [frame] = [...reader.push(Buffer.alloc(3 << 20, 7), 0)]
    assert.equal(frame?.length, 4 << 20)
    assert.ok(frame?.every((byte) => byte === 7))
  })

  it('refuse a length of zero or beyond the limit before any of it came', () => {
    for (const length of [0, 301, 0xffffffff]) {
      const header = Buffer.alloc(4)
      header.writeUInt32BE(length)
      assert.throws(() => [...new FrameReader(300).push(header, 0)], FrameError)
    }
  })
})

describe('limits', () => {
  it('a bucket gives its burst, then its rate', () => {
    const bucket = new TokenBucket({ burst: 10, perSecond: 5 }, 0)
    assert.equal(bucket.take(10, 0), true)
    assert.equal(bucket.take(1, 0), false)
    assert.equal(bucket.take(1, 200), true)
    assert.equal(bucket.take(1, 200), false)
    assert.equal(bucket.take(11, 1_000_000), false)
    // A clock that steps back gives nothing and breaks nothing.
    assert.equal(bucket.take(1, 500_000), true)
  })

  it('a frame that does not end is an offence after 30 seconds', () => {
    const stream = Object.assign(new EventTarget(), { abort: () => undefined })
    const offences: Error[] = []
    const inbox = new Inbox(CHANNEL_LIMITS.report, { onFrame: () => undefined, onOffence: (reason) => offences.push(reason) })
    inbox.attach(stream as unknown as Stream)
    const event = new Event('message')
    stream.dispatchEvent(Object.assign(event, { data: Buffer.from([0, 0, 0, 9, 1]) }))
    inbox.checkProgress(Date.now() + 29_000)
    assert.equal(offences.length, 0)
    inbox.checkProgress(Date.now() + 31_000)
    assert.equal(offences.length, 1)
  })
})
