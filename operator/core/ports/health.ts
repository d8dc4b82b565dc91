import type { Milliseconds } from '../ids.ts'

/**
 * State of a server this node depends on. `down`: it does not answer; `otherChain`: it answers for a chain that is not the
 * one this node was started for. Both end by themselves once the right server answers again.
 */
export type EndpointState = 'up' | 'down' | 'otherChain'

export type EndpointHealth = { readonly state: EndpointState; readonly since: Milliseconds; readonly reason: string }
