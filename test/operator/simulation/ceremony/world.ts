import type { CeremonyChain } from '../../unit/ceremonies/support/chain.ts'
import type { SimNetwork } from '../network.ts'
import type { Scheduler } from '../scheduler.ts'

/** What all members of a simulated ceremony live in. */
export type SimWorld = {
  readonly seed: number
  readonly scheduler: Scheduler
  readonly network: SimNetwork
  readonly chain: CeremonyChain
  readonly trace: ((line: string) => void) | undefined
}
