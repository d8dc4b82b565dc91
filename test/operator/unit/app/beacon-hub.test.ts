import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as settle } from 'node:timers/promises'
import type { BeaconNodeClient } from '../../../../operator/adapters/beacon/node.ts'
import { createBeaconHub } from '../../../../operator/app/beacon-hub.ts'
import type { FinalizedEvent, HeadEvent } from '../../../../operator/core/ports/beacon.ts'
import { recordingLog } from '../adapters/support/log.ts'

const headAt = (slot: number) => ({ slot }) as HeadEvent
const finalAt = (epoch: number) => ({ epoch }) as FinalizedEvent

/** A hub over an event stream that the test speaks through. */
function hub() {
  const streams: Parameters<BeaconNodeClient['follow']>[0][] = []
  const node = { follow: (handlers: (typeof streams)[number]) => void streams.push(handlers) } as unknown as BeaconNodeClient
  const log = recordingLog()
  const made = createBeaconHub({ node, log }, new AbortController().signal)
  const [stream] = streams
  assert.ok(stream)
  return { hub: made, stream, streams, log }
}

function recorder() {
  const seen: string[] = []
  return {
    seen,
    onHead: ({ slot }: HeadEvent) => void seen.push(`head ${slot}`),
    onFinalized: ({ epoch }: FinalizedEvent) => void seen.push(`final ${epoch}`),
  }
}

describe('beacon hub', () => {
  it('shares one stream among all who follow', () => {
    const { hub: shared, stream, streams } = hub()
    const [one, two] = [recorder(), recorder()]
    for (const each of [one, two]) shared.follow(each, new AbortController().signal)
    stream.onHead(headAt(7))
    stream.onFinalized(finalAt(1))
    assert.deepEqual(one.seen, ['head 7', 'final 1'])
    assert.deepEqual(two.seen, one.seen)
    assert.equal(streams.length, 1)
    assert.deepEqual(shared.latest(), { head: headAt(7), finalized: finalAt(1) })
  })

  it('tells who comes later what is newest, once', async () => {
    const { hub: shared, stream } = hub()
    stream.onHead(headAt(7))
    stream.onHead(headAt(8))
    const late = recorder()
    shared.follow(late, new AbortController().signal)
    assert.deepEqual(late.seen, [])
    await settle()
    assert.deepEqual(late.seen, ['head 8'])
    stream.onHead(headAt(9))
    assert.deepEqual(late.seen, ['head 8', 'head 9'])
  })

  it('leaves out who has stopped, and keeps one’s fault from the others', async () => {
    const { hub: shared, stream, log } = hub()
    const stop = new AbortController()
    const [stopped, other] = [recorder(), recorder()]
    shared.follow(stopped, stop.signal)
    const fault = (): void => {
      throw new Error('broken')
    }
    shared.follow({ onHead: fault, onFinalized: () => {} }, new AbortController().signal)
    shared.follow(other, new AbortController().signal)
    stop.abort()
    stream.onHead(headAt(1))
    await settle()
    assert.deepEqual([stopped.seen, other.seen], [[], ['head 1']])
    assert.match(log.lines.join(), /follower of the beacon chain failed .*broken/)
  })
})
