import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { holdWindowUpdates } from '../../../../../operator/adapters/p2p/window-updates.ts'

const KIB = 1 << 10

function frame({
  type,
  flags = 0,
  stream,
  length,
}: {
  readonly type: number
  readonly flags?: number
  readonly stream: number
  readonly length: number
}) {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt8(type, 1)
  bytes.writeUInt16BE(flags, 2)
  bytes.writeUInt32BE(stream, 4)
  bytes.writeUInt32BE(length, 8)
  return new Uint8Array(bytes)
}
const update = (stream: number, length: number, flags = 0): Uint8Array => frame({ type: 1, flags, stream, length })

function connection() {
  const sent: Uint8Array[] = []
  const stream = {
    send(data: Uint8Array): boolean {
      sent.push(data)
      return false
    },
  }
  holdWindowUpdates(stream)
  return { sent, stream }
}

describe('window updates', () => {
  it('are held back until they add up to 64 KiB, for each stream apart', () => {
    const { sent, stream } = connection()
    for (let message = 0; message < 63; message++) assert.equal(stream.send(update(3, KIB)), true)
    stream.send(update(5, 63 * KIB))
    assert.deepEqual(sent, [])
    stream.send(update(3, KIB))
    assert.deepEqual(sent, [update(3, 64 * KIB)])
    stream.send(update(3, 100 * KIB))
    stream.send(update(5, 2 * KIB))
    assert.deepEqual(sent.slice(1), [update(3, 100 * KIB), update(5, 65 * KIB)])
  })

  it('pass when they open, confirm, close or reset a stream, as does everything else', () => {
    const { sent, stream } = connection()
    const others = [1, 2, 4, 8].map((flags) => update(3, 0, flags))
    const rest = [frame({ type: 0, stream: 3, length: 0 }), frame({ type: 2, flags: 1, stream: 0, length: 7 }), new Uint8Array([19, 47])]
    for (const data of [...others, ...rest]) assert.equal(stream.send(data), false)
    assert.deepEqual(sent, [...others, ...rest])
  })

  it('are held for so many streams and no more', () => {
    const { sent, stream } = connection()
    for (let id = 1; id <= 1000; id++) stream.send(update(id, 10))
    assert.equal(sent.length, 1000 - 64)
  })
})
