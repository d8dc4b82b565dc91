import { reasonOf } from '../core/errors.ts'
import type { Epoch } from '../core/ids.ts'
import type { ChainSpec } from '../core/ports/beacon.ts'
import type { ChainFollower, ChainView, Parameters } from '../core/ports/chain.ts'
import type { Log } from '../core/ports/log.ts'
import type { KnownTerms, ShareKeeper } from '../core/ports/signer.ts'

type Spec = Pick<ChainSpec, 'genesisTimeMs' | 'slotDurationMs' | 'slotsPerEpoch'>

/** What a view of the chain says of the vaults' terms. The epoch of the last finalized block: all blocks of those before are final. */
export function termsIn(view: ChainView, spec: Spec, { rotationMargin }: Pick<Parameters, 'rotationMargin'>): KnownTerms {
  const slot = Math.floor((view.finalizedTimestamp * 1000 - spec.genesisTimeMs) / spec.slotDurationMs)
  return {
    head: view.head.pools,
    finalized: view.finalized.pools,
    finalizedEpoch: Math.floor(slot / spec.slotsPerEpoch) as Epoch,
    rotationMargin,
    slotsPerEpoch: spec.slotsPerEpoch,
  }
}

/** Keeps the shares to their vaults' terms as the chain goes on. To be called before anything signs. */
export function keepToTerms(
  {
    shares,
    chain,
    spec,
    parameters,
    log,
  }: {
    readonly shares: ShareKeeper
    readonly chain: ChainFollower
    readonly spec: Spec
    readonly parameters: Parameters
    readonly log: Log
  },
  signal: AbortSignal,
): void {
  const learn = (view: ChainView): void => {
    try {
      shares.learn(termsIn(view, spec, parameters))
    } catch (error) {
      log.error('a share whose term is over could not be erased', { reason: reasonOf(error) })
    }
  }
  learn(chain.view())
  const stop = chain.onChange(({ view }) => learn(view))
  signal.addEventListener('abort', stop, { once: true })
}
