import type { Milliseconds } from '../core/ids.ts'
import type { EndpointHealth, EndpointState } from '../core/ports/health.ts'

/** Keeps the named state of one endpoint and tells listeners when it changes (not on every repeat of it). */
export class HealthMonitor {
  #current: EndpointHealth
  readonly #listeners = new Set<(health: EndpointHealth) => void>()

  constructor(state: EndpointState, reason: string) {
    this.#current = { state, reason, since: Date.now() as Milliseconds }
  }

  get current(): EndpointHealth {
    return this.#current
  }

  set(state: EndpointState, reason: string): void {
    if (state === this.#current.state) return
    this.#current = { state, reason, since: Date.now() as Milliseconds }
    for (const listener of this.#listeners) listener(this.#current)
  }

  /** Returns a function that removes the listener. */
  onChange(listener: (health: EndpointHealth) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
