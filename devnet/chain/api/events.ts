import type { Endpoints, routes } from '@lodestar/api'
import type { ApplicationMethods } from '@lodestar/api/server'
import type { ApiContext } from './context.ts'

/** The event stream: every event that the chain emits, to those who asked for its topic. */
export function eventMethods({ chain }: ApiContext): ApplicationMethods<Endpoints['events']> {
  return {
    async eventstream({ topics, signal, onEvent }) {
      const listener = (event: routes.events.BeaconEvent): void => {
        if (topics.includes(event.type)) onEvent(event)
      }
      chain.emitter.on('event', listener)
      signal.addEventListener('abort', () => chain.emitter.off('event', listener), { once: true })
    },
  }
}
