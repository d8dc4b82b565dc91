import type { AttestationPool } from '../beacon/attestation-pool.ts'
import type { BeaconChain } from '../beacon/chain.ts'
import type { FeeRecipients } from '../beacon/fee-recipients.ts'
import type { OperationPool } from '../beacon/operation-pool.ts'
import type { BlockProducer } from '../beacon/producer.ts'
import type { SyncPool } from '../beacon/sync-pool.ts'

/** What the Beacon API serves from. */
export type ApiContext = {
  readonly chain: BeaconChain
  readonly producer: BlockProducer
  readonly attestations: AttestationPool
  readonly sync: SyncPool
  readonly operations: OperationPool
  readonly feeRecipients: FeeRecipients
}
