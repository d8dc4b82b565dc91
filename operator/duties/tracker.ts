import { reasonOf } from '../core/errors.ts'
import type { PoolId, Root, Slot } from '../core/ids.ts'
import type { BeaconHeaderInfo, BeaconNode } from '../core/ports/beacon.ts'
import type { Log } from '../core/ports/log.ts'
import type { DutyMetrics } from './metrics.ts'
import type { ReasonCode } from './reasons.ts'
import { DutyError, REASONS } from './reasons.ts'
import type { AttestationDuty, Duty, DutyType, ProposalDuty } from './types.ts'
import { dutyId } from './types.ts'

/** What became of a duty, for the status page. `round` is the QBFT round that decided it. */
export type DutyRecord = {
  readonly type: DutyType
  readonly poolId: PoolId
  readonly slot: Slot
  readonly state: 'running' | 'completed' | 'missed'
  readonly round?: number
  readonly reason?: ReasonCode
  readonly detail?: string
  /** On the canonical chain; undefined while that may still change, and for duties that leave no trace there. */
  readonly included?: boolean
}

/** Records kept for the status page. */
const RECORDS_KEPT = 512

type Awaited = { readonly duty: AttestationDuty | ProposalDuty; readonly until: Slot }
type Included = readonly { readonly slot: Slot; readonly committeeIndex: number; readonly positions: readonly number[] }[]

type TrackerPorts = { readonly beacon: BeaconNode; readonly log: Log; readonly metrics: DutyMetrics }

/** Follows every duty to its end and onto the chain; a missed one always has a reason. */
export class DutyTracker {
  readonly #ports: TrackerPorts
  readonly #records = new Map<string, DutyRecord>()
  readonly #awaited = new Map<string, Awaited>()
  readonly #blocks = new Set<Root>()

  constructor(ports: TrackerPorts) {
    this.#ports = ports
  }

  /** The latest records, oldest first. */
  records(): readonly DutyRecord[] {
    return [...this.#records.values()]
  }

  due(duty: Duty): void {
    const { slotsPerEpoch } = this.#ports.beacon.spec
    this.#record(duty, { state: 'running' })
    this.#ports.metrics.due(duty.type)
    // EIP-7045: attestations are included until the end of the next epoch. A block's slot never comes again.
    const until = (duty.slot + 2 * slotsPerEpoch) as Slot
    if (duty.type === 'attestation' || duty.type === 'proposal') this.#awaited.set(dutyId(duty), { duty, until })
  }

  completed(duty: Duty, round: number): void {
    this.#record(duty, { state: 'completed', ...(round > 0 && { round }) })
    this.#ports.metrics.completed(duty.type)
    this.#ports.log.info('duty done', { duty: dutyId(duty), round })
  }

  missed(duty: Duty, failure: unknown): void {
    const reason = failure instanceof DutyError ? failure.code : 'INTERNAL'
    const detail = reasonOf(failure)
    this.#record(duty, { state: 'missed', reason, detail })
    this.#ports.metrics.missed(duty.type, reason)
    this.#ports.log.warn('duty missed', { duty: dutyId(duty), reason, detail, help: REASONS[reason].long })
  }

  /** Looks for awaited duties in a new head and the blocks before it that were not looked at. Never rejects. */
  async onHead(head: Root, signal: AbortSignal): Promise<void> {
    try {
      await this.#searchFrom(head, signal)
    } catch (failure) {
      if (!signal.aborted) this.#ports.log.debug('cannot look for our duties in the head', { head, reason: reasonOf(failure) })
    }
  }

  /** Gives up on duties that no block can include any more. */
  prune(now: Slot): void {
    for (const [id, { duty, until }] of this.#awaited) {
      if (until >= now) continue
      this.#awaited.delete(id)
      this.#amend(id, { included: false })
      this.#ports.metrics.notIncluded(duty.type)
      this.#ports.log.warn('duty not on chain', { duty: id, reason: 'NOT_INCLUDED', help: REASONS.NOT_INCLUDED.long })
    }
  }

  async #searchFrom(head: Root, signal: AbortSignal): Promise<void> {
    let root = head
    for (let depth = 0; depth < this.#ports.beacon.spec.slotsPerEpoch; depth++) {
      if (this.#awaited.size === 0 || this.#blocks.has(root)) return
      const header = await this.#ports.beacon.header(root, signal)
      if (header === undefined) return
      const attesters = await this.#ports.beacon.includedAttesters(root, signal)
      this.#rememberBlock(root)
      for (const [id, { duty }] of [...this.#awaited]) if (shows(duty, header, attesters)) this.#found(id, duty, header.slot)
      root = header.parentRoot
    }
  }

  #found(id: string, duty: Duty, slot: Slot): void {
    this.#awaited.delete(id)
    this.#amend(id, { included: true })
    this.#ports.metrics.included(duty.type, slot - duty.slot)
  }

  #rememberBlock(root: Root): void {
    this.#blocks.add(root)
    for (const oldest of this.#blocks) {
      if (this.#blocks.size <= 128) break
      this.#blocks.delete(oldest)
    }
  }

  #record(duty: Duty, change: Pick<DutyRecord, 'state'> & Partial<DutyRecord>): void {
    const { type, slot, pool } = duty
    const id = dutyId(duty)
    this.#records.set(id, { type, poolId: pool.poolId, slot, ...this.#records.get(id), ...change })
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= RECORDS_KEPT) break
      this.#records.delete(oldest)
    }
  }

  #amend(id: string, change: Partial<DutyRecord>): void {
    const record = this.#records.get(id)
    if (record !== undefined) this.#records.set(id, { ...record, ...change })
  }
}

/** Does a block show the duty done: as ours, or by our place in an attestation? */
function shows(duty: AttestationDuty | ProposalDuty, header: BeaconHeaderInfo, attesters: Included): boolean {
  if (duty.type === 'proposal') return header.slot === duty.slot && header.proposerIndex === duty.pool.validatorIndex
  const { committeeIndex, validatorCommitteeIndex } = duty.attester
  return attesters.some(
    (one) => one.slot === duty.slot && one.committeeIndex === committeeIndex && one.positions.includes(validatorCommitteeIndex),
  )
}
