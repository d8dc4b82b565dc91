import type { Milliseconds } from '../ids.ts'

/**
 * State of a server this node depends on. `unknown`: it has not answered since this node started; `down`: it does not answer any
 * more; `otherChain`: it answers for a chain that is not the one this node was started for. All but `up` end by themselves once
 * the right server answers.
 */
export type EndpointState = 'unknown' | 'up' | 'down' | 'otherChain'

export type EndpointHealth = { readonly state: EndpointState; readonly since: Milliseconds; readonly reason: string }
