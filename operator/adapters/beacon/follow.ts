import { setTimeout as delay } from 'node:timers/promises'
import { reasonOf } from '../../core/errors.ts'
import type { Root } from '../../core/ids.ts'
import { toEpoch, toRoot, toSlot } from '../../core/parse.ts'
import type { BeaconNode, ChainSpec, FinalizedEvent, HeadEvent } from '../../core/ports/beacon.ts'
import type { Log } from '../../core/ports/log.ts'
import { readEvents, type ServerEvent } from './event-stream.ts'

const LEAST_RETRY_MS = 250
const MOST_RETRY_MS = 5_000
const TOPICS = ['head', 'finalized_checkpoint']

export type FollowHandlers = Parameters<BeaconNode['follow']>[0]

type Source = {
  readonly url: string
  readonly spec: ChainSpec
  readonly log: Log
  /** Asks whether the node still serves our chain; throws when not. */
  readonly checkChain: (signal: AbortSignal) => Promise<void>
  /** Head and finality as the node sees them now. */
  readonly readHead: (signal: AbortSignal) => Promise<HeadEvent>
  readonly readFinalized: (signal: AbortSignal) => Promise<FinalizedEvent>
}

/**
 * Follows the event stream until the signal aborts. On each (re)connection, and whenever the stream falls silent, head and
 * finality are polled, so that an event missed in between still arrives (once). A node that is gone or on another chain is
 * tried again with growing pauses.
 */
export async function follow(source: Source, handlers: FollowHandlers, signal: AbortSignal): Promise<void> {
  const deliver = createDelivery(handlers, source.log)
  let pause = LEAST_RETRY_MS
  while (!signal.aborted) {
    try {
      await source.checkChain(signal)
      // Two quiet slots are usual (missed proposals), a quiet epoch is not; the poll after the timeout tells.
      const idleMs = Math.max(5_000, source.spec.slotDurationMs * 4)
      const onOpen = (): void => {
        pause = LEAST_RETRY_MS
        void catchUp(source, deliver, signal)
      }
      await readEvents({ url: source.url, topics: TOPICS, idleMs }, { onOpen, onEvent: (event) => deliver.parse(event) }, signal)
      source.log.debug('beacon events ended, connecting again')
    } catch (error) {
      if (!signal.aborted) source.log.debug('beacon events interrupted', { reason: reasonOf(error), retryInMs: pause })
    }
    await delay(pause, undefined, { signal }).catch(() => undefined)
    pause = Math.min(MOST_RETRY_MS, pause * 2)
  }
}

async function catchUp(source: Source, deliver: Delivery, signal: AbortSignal): Promise<void> {
  try {
    deliver.head(await source.readHead(signal))
    deliver.finalized(await source.readFinalized(signal))
  } catch (error) {
    // The stream is open all the same; the next event or the next connection brings what is missing.
    if (!signal.aborted) source.log.debug('cannot poll the head', { reason: reasonOf(error) })
  }
}

type Delivery = { head(event: HeadEvent): void; finalized(event: FinalizedEvent): void; parse(event: ServerEvent): void }

/** Drops repeats, keeps a handler's or an event's fault from ending the stream. */
function createDelivery(handlers: FollowHandlers, log: Log): Delivery {
  let head: Root | undefined
  let finalized = -1
  const delivery: Delivery = {
    head(event) {
      if (event.block === head) return
      head = event.block
      handlers.onHead(event)
    },
    finalized(event) {
      if (event.epoch <= finalized) return
      finalized = event.epoch
      handlers.onFinalized(event)
    },
    parse({ type, data }) {
      try {
        if (type === 'head') delivery.head(parseHead(JSON.parse(data)))
        if (type === 'finalized_checkpoint') delivery.finalized(parseFinalized(JSON.parse(data)))
      } catch (error) {
        log.warn('beacon event not handled', { type, reason: reasonOf(error), event: data.slice(0, 200) })
      }
    },
  }
  return delivery
}

/** The `head` event of the Beacon API. Throws `ParseError`. */
export function parseHead(json: Readonly<Record<string, unknown>>): HeadEvent {
  return {
    slot: toSlot(json.slot),
    block: toRoot(json.block),
    state: toRoot(json.state),
    epochTransition: json.epoch_transition === true,
    previousDutyDependentRoot: toRoot(json.previous_duty_dependent_root),
    currentDutyDependentRoot: toRoot(json.current_duty_dependent_root),
  }
}

/** The `finalized_checkpoint` event of the Beacon API. Throws `ParseError`. */
export function parseFinalized(json: Readonly<Record<string, unknown>>): FinalizedEvent {
  return { epoch: toEpoch(json.epoch), block: toRoot(json.block) }
}
