import type { ChainSpec } from '../../core/ports/beacon.ts'
import type { Log } from '../../core/ports/log.ts'
import type { BeaconNodeClient } from './node.ts'
import { applyPreset } from './preset.ts'
import { loadBeaconSpec } from './spec.ts'

/**
 * Reads the chain's parameters from the beacon node, sets Lodestar's preset by them and only then loads the code that depends
 * on it. Nothing may import Lodestar before this was called. Throws `BeaconError`.
 */
export async function connectBeaconNode(
  { url, log }: { readonly url: string; readonly log: Log },
  signal?: AbortSignal,
): Promise<BeaconNodeClient> {
  return openBeaconNode({ url, log, spec: await loadBeaconSpec(url, signal) })
}

/** As `connectBeaconNode`, for a spec that was read before. */
export async function openBeaconNode(options: {
  readonly url: string
  readonly spec: ChainSpec
  readonly log: Log
}): Promise<BeaconNodeClient> {
  applyPreset(options.spec)
  const { createBeaconNode } = await import('./node.ts')
  return createBeaconNode(options)
}
