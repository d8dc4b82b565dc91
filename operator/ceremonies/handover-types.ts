import type { Epoch } from '../core/ids.ts'
import type { Producer } from '../core/network.ts'
import type { HandoverContext, HandoverSecrets } from '../core/ports/handover.ts'
import type { CeremonyPorts } from './types.ts'

/** A handover as one of its producers sees it: its context, and who the members are: the new vault's, then the old one's. */
export type HandoverSetup = {
  readonly context: HandoverContext
  readonly members: readonly Producer[]
  /** Last epoch in which the chain takes the result. */
  readonly deadline: Epoch
}

export type HandoverPorts = Omit<CeremonyPorts, 'secrets'> & { readonly secrets: HandoverSecrets }
