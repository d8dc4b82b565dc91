import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { readLengths } from '../../../../../operator/adapters/p2p/noise-lengths.ts'
import { until } from '../support/wait.ts'

type MakeNoise = ReturnType<typeof noise>
type Decoder = { lengthDecoder(bytes: unknown): number }

/** The encrypted connections of two hosts of the library as it comes. */
async function connections(): Promise<object[]> {
  const seen: object[] = []
  const recorded: MakeNoise = (components) => {
    const inner = noise()(components)
    const record = <R extends { connection: object }>(result: R): R => {
      seen.push(result.connection)
      return result
    }
    return {
      protocol: inner.protocol,
      secureOutbound: async (connection, options) => record(await inner.secureOutbound(connection, options)),
      secureInbound: async (connection, options) => record(await inner.secureInbound(connection, options)),
    }
  }
  const start = () =>
    createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [recorded],
      streamMuxers: [yamux()],
    })
  const nodes = await Promise.all([start(), start()])
  const [caller, called] = nodes
  if (caller === undefined || called === undefined) throw new Error('expected two hosts')
  await caller.dial(called.getMultiaddrs())
  await until('both sides', () => seen.length === 2)
  await Promise.all(nodes.map((node) => node.stop()))
  return seen
}

const received = (...bytes: number[]) => ({
  byteLength: bytes.length,
  getUint16: (at: number) => Buffer.from(bytes).readUInt16BE(at),
})

function thrownBy(decoder: Decoder, bytes: unknown): unknown {
  try {
    return assert.fail(`expected an error, got ${decoder.lengthDecoder(bytes)}`)
  } catch (error) {
    return error
  }
}

describe('the lengths of Noise messages', () => {
  it("are read by ours in place of the library's, which says by an error that there is more to come", async () => {
    for (const connection of await connections()) {
      assert.ok('decoder' in connection)
      const decoder = connection.decoder as Decoder
      const theirs = decoder.lengthDecoder
      assert.ok(thrownBy(decoder, received(1)) instanceof RangeError)
      readLengths(connection)
      assert.notEqual(decoder.lengthDecoder, theirs)
      assert.equal(decoder.lengthDecoder(received(1, 2, 3)), 0x0102)
      for (const part of [[], [1]]) assert.ok(part.length < 2 + decoder.lengthDecoder(received(...part)), 'not all of a message')
    }
  })

  it('are left alone where the library reads in another way', () => {
    const connection = { decoder: { read: () => 0 } }
    readLengths(connection)
    assert.deepEqual(Object.keys(connection.decoder), ['read'])
  })
})
