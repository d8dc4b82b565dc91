import type { MessageHandler, Network } from '../core/ports/network.ts'
import { isHandover } from '../protocol/messages/handover-codec.ts'

/** The ceremony channel for its two users: key generations and handovers each hear of their own messages only. */
export function splitCeremonies(network: Network): { readonly keys: Network; readonly handovers: Network } {
  const handlers: { keys?: MessageHandler; handovers?: MessageHandler } = {}
  network.onMessage('ceremony', (from, bytes) => {
    const handle = isHandover(bytes) ? handlers.handovers : handlers.keys
    handle?.(from, bytes)
  })
  const part = (name: keyof typeof handlers): Network => ({
    self: network.self,
    send: (to, channel, bytes) => network.send(to, channel, bytes),
    onMessage: (_, handler) => {
      handlers[name] = handler
      return () => {
        delete handlers[name]
      }
    },
  })
  return { keys: part('keys'), handovers: part('handovers') }
}
