import type { BeaconNodeClient } from '../adapters/beacon/node.ts'
import { reasonOf } from '../core/errors.ts'
import type { FinalizedEvent, HeadEvent } from '../core/ports/beacon.ts'
import type { Log } from '../core/ports/log.ts'

type Handlers = Parameters<BeaconNodeClient['follow']>[0]

/** A beacon node whose event stream is shared: one connection, however many workflows follow it. */
export type BeaconHub = BeaconNodeClient & {
  /** The newest events, undefined before the first. */
  latest(): { readonly head: HeadEvent | undefined; readonly finalized: FinalizedEvent | undefined }
}

/** Starts to follow at once. Who follows later is told the newest head and finality first, as by a connection of its own. */
export function createBeaconHub({ node, log }: { readonly node: BeaconNodeClient; readonly log: Log }, signal: AbortSignal): BeaconHub {
  const followers = new Set<Handlers>()
  let head: HeadEvent | undefined
  let finalized: FinalizedEvent | undefined
  // One follower's fault is not the others'.
  const tell = (deliver: () => void): void => {
    try {
      deliver()
    } catch (error) {
      log.error('a follower of the beacon chain failed', { reason: reasonOf(error) })
    }
  }
  node.follow(
    {
      onHead(event) {
        head = event
        for (const follower of [...followers]) tell(() => follower.onHead(event))
      },
      onFinalized(event) {
        finalized = event
        for (const follower of [...followers]) tell(() => follower.onFinalized(event))
      },
    },
    signal,
  )
  return {
    ...node,
    latest: () => ({ head, finalized }),
    follow(handlers, until) {
      followers.add(handlers)
      until.addEventListener('abort', () => followers.delete(handlers), { once: true })
      const [knownHead, knownFinalized] = [head, finalized]
      queueMicrotask(() => {
        if (until.aborted) return
        if (knownHead !== undefined) tell(() => handlers.onHead(knownHead))
        if (knownFinalized !== undefined) tell(() => handlers.onFinalized(knownFinalized))
      })
    },
  }
}
