import type { ProducerId } from '../core/ids.ts'
import type { SignatureAggregation } from '../core/ports/aggregation.ts'
import type { BeaconNode } from '../core/ports/beacon.ts'
import type { ChainFollower, Contracts } from '../core/ports/chain.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Log } from '../core/ports/log.ts'
import type { Network } from '../core/ports/network.ts'
import type { JobQueue } from '../core/ports/queue.ts'
import type { SigningKey } from '../core/ports/signer.ts'
import type { Store } from '../core/ports/store.ts'
import type { CertificateExchange } from './certificates/exchange.ts'

/** Everything that the stages of a report need of the world outside. */
export type ReportPorts = {
  readonly self: ProducerId
  readonly clock: Clock
  readonly beacon: BeaconNode
  readonly chain: ChainFollower
  readonly contracts: Contracts
  readonly network: Network
  readonly queue: JobQueue
  readonly store: Store
  readonly signingKey: SigningKey
  readonly aggregation: SignatureAggregation
  readonly certificates: CertificateExchange
  readonly log: Log
  /** StateCommitments.POOLS_PER_PAGE. */
  readonly poolsPerPage: number
}
