import { setTimeout as delay } from 'node:timers/promises'
import { reasonOf } from '../../core/errors.ts'
import { type ChainEvent, type EventName, UPKEEP_EVENTS } from '../../core/events.ts'
import type { NetworkState } from '../../core/network.ts'
import type { ChainFollower, ChainView } from '../../core/ports/chain.ts'
import type { Log } from '../../core/ports/log.ts'
import type { Store } from '../../core/ports/store.ts'
import { emptyState, foldEvents } from '../../protocol/state/network-state.ts'
import { createDecoder } from './decode.ts'
import type { Deployment } from './deployment.ts'
import { type Batch, EventFeed } from './event-feed.ts'
import { EventStore } from './event-store.ts'
import type { ChainRpc } from './rpc.ts'

const LAST_RETRY_MS = 5_000
const UPKEEP: ReadonlySet<EventName> = new Set(UPKEEP_EVENTS)

type Listener = Parameters<ChainFollower['onChange']>[0]

export type FollowerOptions = {
  readonly rpc: ChainRpc
  readonly store: Store
  readonly deployment: Deployment
  /** Between two looks at the head, in milliseconds. */
  readonly pollMs: number
  /** Tells of news that make a look at once worth it, such as the beacon node's. Looks by time are for what it misses. */
  readonly onNews?: (look: () => void) => void
  readonly log: Log
}

/**
 * The network's state as the contracts' events tell it. Resolves once it has caught up with the client; goes on until the
 * signal aborts, through outages and reorganizations. Throws `ChainError` when the first look fails.
 */
export async function startFollower(options: FollowerOptions, signal: AbortSignal): Promise<ChainFollower> {
  const { rpc, store, deployment, log } = options
  const listeners = new Set<Listener>()
  let view: ChainView = { head: emptyState(), finalized: emptyState(), headBlock: 0, finalizedBlock: 0, finalizedTimestamp: 0 }

  const feed: EventFeed<ChainEvent> = new EventFeed({
    rpc,
    store: new EventStore({ store, identity: rpc.identity, directory: deployment.addresses.directory }),
    addresses: [...new Set(Object.values(deployment.addresses))],
    deploymentBlock: deployment.deploymentBlock,
    decode: createDecoder(deployment.addresses),
    earns: ({ name }) => UPKEEP.has(name),
    onBatch(batch) {
      view = advance(view, batch, () => feed.unfinalized())
      if (batch.reverted.length > 0) log.info('chain reorganized', { events: batch.reverted.length, head: batch.head.number })
      for (const listener of listeners) {
        try {
          listener({ view, applied: batch.applied, finalized: batch.finalized })
        } catch (error) {
          log.error('chain listener failed', { reason: reasonOf(error) })
        }
      }
    },
  })
  await feed.restore(signal)
  await feed.poll(signal)
  void keepPolling({ ...options, feed }, signal)
  return {
    view: () => view,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function advance(view: ChainView, batch: Batch<ChainEvent>, unfinalized: () => readonly ChainEvent[]): ChainView {
  const finalized = fold(view.finalized, batch.finalized)
  // A state cannot be unfolded: after a reorganization the head is built anew from the last final one.
  const head = batch.reverted.length > 0 ? fold(finalized, unfinalized()) : fold(view.head, batch.applied)
  const { number: finalizedBlock, timestamp: finalizedTimestamp } = batch.finalizedBlock
  return { head, finalized, headBlock: batch.head.number, finalizedBlock, finalizedTimestamp }
}

function fold(state: NetworkState, events: readonly ChainEvent[]): NetworkState {
  return events.length === 0 ? state : foldEvents(state, events)
}

async function keepPolling(
  { feed, pollMs, onNews, log }: FollowerOptions & { readonly feed: EventFeed<ChainEvent> },
  signal: AbortSignal,
): Promise<void> {
  let pause = pollMs
  let failing = false
  const { wait, wake } = interruptiblePause(signal)
  onNews?.(wake)
  while (!signal.aborted) {
    await wait(pause)
    if (signal.aborted) return
    try {
      // News comes when a block does: a look in between is for what did not come, or came before the client had the block.
      const moved = await feed.poll(signal)
      if (failing) log.info('execution client is followed again')
      failing = false
      pause = moved ? 2 * pollMs : pollMs
    } catch (error) {
      if (signal.aborted) return
      if (!failing) log.warn('cannot follow the execution client', { reason: reasonOf(error) })
      failing = true
      pause = Math.min(LAST_RETRY_MS, pause * 2)
    }
  }
}

/** Pauses that end early when woken. Being woken between two makes the next one end at once. */
function interruptiblePause(signal: AbortSignal): { readonly wait: (ms: number) => Promise<void>; readonly wake: () => void } {
  let woken = new AbortController()
  return {
    async wait(ms) {
      await delay(ms, undefined, { signal: AbortSignal.any([signal, woken.signal]) }).catch(() => undefined)
      woken = new AbortController()
    },
    wake: () => woken.abort(),
  }
}
