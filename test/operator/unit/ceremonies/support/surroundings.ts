import type { SimNetwork } from '../../../simulation/network.ts'
import type { Scheduler } from '../../../simulation/scheduler.ts'
import type { CeremonyChain } from './chain.ts'

/** What every member of a simulated ceremony lives in. */
export type Surroundings = { readonly scheduler: Scheduler; readonly network: SimNetwork; readonly chain: CeremonyChain }
