import { reasonOf } from '../../core/errors.ts'
import type { BlsSignature, Root } from '../../core/ids.ts'
import type { BeaconNode } from '../../core/ports/beacon.ts'
import { BeaconError } from '../../core/ports/beacon.ts'
import type { ShareSigner } from '../../core/ports/signer.ts'
import type { Certifier } from '../certifier.ts'
import type { ChainView } from '../chain-view.ts'
import type { Consensus } from '../consensus.ts'
import type { Partials } from '../partials.ts'
import { DutyError } from '../reasons.ts'
import type { SlotClock } from '../time.ts'
import { pause } from '../time.ts'
import type { Duty, OwnSigned } from '../types.ts'

/** What the stages work with. */
export type StagePorts = {
  readonly beacon: BeaconNode
  readonly signer: ShareSigner
  readonly view: ChainView
  readonly consensus: Consensus
  readonly partials: Partials
  readonly certifier: Certifier
  /** Makes durable at once what is signed within (`OperatorKey.together`). */
  readonly together: <T>(work: () => T) => T
  readonly time: SlotClock
}

/** Signs a duty: the partial signature with its root, and what will sign its certificate. A refusal becomes the duty's reason. */
export function signing<R extends { readonly signingRoot: Root }>(
  { certifier, together }: Pick<StagePorts, 'certifier' | 'together'>,
  { duty, request }: { readonly duty: Duty; readonly request: R },
  sign: (request: R) => BlsSignature,
): OwnSigned {
  const root = request.signingRoot
  try {
    return together(() => ({ root, partial: sign(request), certify: certifier.promise(duty, root) }))
  } catch (cause) {
    throw new DutyError('SIGNER_REFUSED', reasonOf(cause), { cause })
  }
}

/**
 * Publishes, again after a pause while the beacon node is not reachable: the signature is complete and costs nothing to
 * keep. What the node refuses it will refuse again.
 */
export async function broadcasting(publish: () => Promise<void>, time: SlotClock, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      return await publish()
    } catch (cause) {
      const passes = cause instanceof BeaconError && PASSING.has(cause.code)
      const failure = new DutyError('BROADCAST_REFUSED', reasonOf(cause), { cause })
      if (!passes) throw failure
      await pause(time.clock, time.slotMs / 8, signal, () => failure)
    }
  }
}

const PASSING: ReadonlySet<string> = new Set(['UNREACHABLE', 'TIMEOUT'])
