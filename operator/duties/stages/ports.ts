import { reasonOf } from '../../core/errors.ts'
import type { BlsSignature, Root } from '../../core/ids.ts'
import type { BeaconNode } from '../../core/ports/beacon.ts'
import type { ShareSigner } from '../../core/ports/signer.ts'
import type { ChainView } from '../chain-view.ts'
import type { Consensus } from '../consensus.ts'
import type { Partials } from '../partials.ts'
import { DutyError } from '../reasons.ts'
import type { SlotClock } from '../time.ts'
import type { Signed } from '../types.ts'

/** What the stages work with. */
export type StagePorts = {
  readonly beacon: BeaconNode
  readonly signer: ShareSigner
  readonly view: ChainView
  readonly consensus: Consensus
  readonly partials: Partials
  readonly time: SlotClock
}

/** A partial signature with its root; a refusal becomes the duty's reason. */
export function signing<R extends { readonly signingRoot: Root }>(request: R, sign: (request: R) => BlsSignature): Signed {
  try {
    return { root: request.signingRoot, partial: sign(request) }
  } catch (cause) {
    throw new DutyError('SIGNER_REFUSED', reasonOf(cause), { cause })
  }
}

export async function broadcasting(publish: () => Promise<void>): Promise<void> {
  try {
    await publish()
  } catch (cause) {
    throw new DutyError('BROADCAST_REFUSED', reasonOf(cause), { cause })
  }
}
