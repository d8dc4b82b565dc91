import { reasonOf } from '../core/errors.ts'
import type { Epoch, Milliseconds, Root, Slot } from '../core/ids.ts'
import type { SignatureAggregation } from '../core/ports/aggregation.ts'
import type { BeaconNode, HeadEvent } from '../core/ports/beacon.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Log } from '../core/ports/log.ts'
import type { Network } from '../core/ports/network.ts'
import type { CertificateSigner, OperatorKey, ShareSigner } from '../core/ports/signer.ts'
import type { EcdsaVerifier } from '../protocol/messages/ecdsa.ts'
import { type CertificateSink, Certifier } from './certifier.ts'
import { ChainView } from './chain-view.ts'
import { Consensus } from './consensus.ts'
import { DutyTable } from './duty-table.ts'
import { dutyMailroom } from './mailroom.ts'
import type { DutyMetrics } from './metrics.ts'
import type { Stopwatch } from './observe.ts'
import { observed } from './observe.ts'
import { Partials } from './partials.ts'
import { performDuty } from './pipeline.ts'
import { DutyError } from './reasons.ts'
import { attestationStages } from './stages/attestation.ts'
import { exitStages, randaoStages } from './stages/fixed.ts'
import { proposalStages } from './stages/proposal.ts'
import { deadline, SlotClock } from './time.ts'
import type { DutyRecord } from './tracker.ts'
import { DutyTracker } from './tracker.ts'
import type { Duty, DutyPools, DutyType, ExitRequests, ThresholdScheme } from './types.ts'
import { dutyId } from './types.ts'

export type DutyServicePorts = {
  readonly clock: Clock
  readonly stopwatch: Stopwatch
  readonly beacon: BeaconNode
  readonly network: Network
  readonly signer: ShareSigner
  readonly operatorKey: OperatorKey
  readonly verifyEcdsa: EcdsaVerifier
  readonly scheme: ThresholdScheme
  readonly certificateSigner: CertificateSigner
  readonly aggregation: SignatureAggregation
  readonly certificates: CertificateSink
  readonly pools: DutyPools
  readonly exits: ExitRequests
  readonly log: Log
  readonly metrics: DutyMetrics
  readonly settings: {
    /** EIP-712 domain separator of PoolRegistry. */
    readonly domainSeparator: Root
    /** And of Disputes. */
    readonly certificateDomain: Root
    /** Length of QBFT's first round. */
    readonly firstRoundMs: number
  }
}

/** Slots announced at a time, so that one synced record serves for several. */
const ANNOUNCED_SLOTS = 4

/** How many epochs an exit is exchanged for before it is asked for anew. */
const EXIT_EPOCHS = 2

/**
 * Performs the duties of our vaults' validators until the signal aborts: schedule → fetch → agree → sign → share →
 * aggregate → broadcast → track. Constructing it starts nothing.
 */
export class DutyService {
  readonly #ports: DutyServicePorts
  readonly #time: SlotClock
  readonly #view: ChainView
  readonly #table: DutyTable
  readonly #consensus: Consensus
  readonly #certifier: Certifier
  readonly #partials: Partials
  readonly #tracker: DutyTracker
  readonly #perform: (duty: Duty, signal: AbortSignal) => Promise<{ readonly round: number }>
  /** Duties begun, with their slot. */
  readonly #begun = new Map<string, number>()
  #firstSlot = 0
  #preparedFor = ''

  constructor(ports: DutyServicePorts) {
    const { beacon, clock, log, metrics, network, settings } = ports
    this.#ports = ports
    this.#time = new SlotClock(clock, beacon.spec)
    this.#view = new ChainView({ beacon, time: this.#time })
    this.#table = new DutyTable(ports)
    this.#consensus = new Consensus(ports)
    const pauses = { resendMs: settings.firstRoundMs, longestPauseMs: this.#time.slotMs, certifyMs: this.#time.slotMs / 8 }
    this.#certifier = new Certifier({
      ...{ clock, log, signer: ports.certificateSigner, aggregation: ports.aggregation, sink: ports.certificates },
      domainSeparator: settings.certificateDomain,
      pauseMs: this.#time.slotMs / 4,
      turnMs: this.#time.slotMs / 8,
    })
    this.#partials = new Partials({ clock, network, scheme: ports.scheme, certifier: this.#certifier, log, ...pauses })
    this.#tracker = new DutyTracker({ beacon, log, metrics })
    this.#perform = this.#pipelines()
  }

  /** The latest duties and what became of them, oldest first. */
  records(): readonly DutyRecord[] {
    return this.#tracker.records()
  }

  start(signal: AbortSignal): void {
    const { beacon, network, pools, metrics } = this.#ports
    this.#firstSlot = this.#time.now()
    const isCurrent = (type: DutyType, slot: Slot): boolean => this.#isCurrent(type, slot)
    const epochOf = (type: DutyType, slot: Slot): Epoch => (type === 'exit' ? this.#epochNow() : this.#time.epochOf(slot))
    const mailroom = dutyMailroom({ pools, metrics, consensus: this.#consensus, partials: this.#partials, isCurrent, epochOf })
    const stop = network.onMessage('duty', mailroom)
    signal.addEventListener('abort', stop, { once: true })
    this.#announce(Math.max(0, this.#firstSlot) as Slot)
    beacon.follow({ onHead: (event) => this.#onHead(event, signal), onFinalized: () => {} }, signal)
    this.#tick(signal)
  }

  /** Each slot: what is due now is begun at once, then the duties ahead are asked for. Slots missed under overload are skipped. */
  #tick(signal: AbortSignal): void {
    if (signal.aborted) return
    const now = this.#time.now()
    const { clock } = this.#ports
    const next = Math.max(0, now + 1) as Slot
    // Late in the slot nothing waits for the disk.
    const late = (this.#time.startOf(next) - this.#time.slotMs / 4) as Milliseconds
    const cancelAnnounce = clock.at(late, () => this.#announce(next))
    const cancelTick = clock.at(this.#time.startOf(next), () => {
      signal.removeEventListener('abort', cancel)
      this.#tick(signal)
    })
    const cancel = (): void => {
      cancelAnnounce()
      cancelTick()
    }
    signal.addEventListener('abort', cancel, { once: true })
    if (now < 0) return
    const slot = now as Slot
    this.#prune(slot)
    this.#begin(signal)
    void this.#lookAhead(slot, signal)
  }

  /** What is said in announced slots is not synced one by one: see `OperatorKey.announce`. */
  #announce(slot: Slot): void {
    try {
      this.#ports.operatorKey.announce((slot - (slot % ANNOUNCED_SLOTS) + ANNOUNCED_SLOTS - 1) as Slot)
    } catch (failure) {
      this.#ports.log.warn('cannot announce slots: what is said in them is synced one by one', { slot, reason: reasonOf(failure) })
    }
  }

  async #lookAhead(slot: Slot, signal: AbortSignal): Promise<void> {
    const epoch = this.#time.epochOf(slot)
    const next = (epoch + 1) as Epoch
    void this.#prepareProposers(epoch, signal)
    await Promise.all([this.#table.ensure('proposer', epoch, signal), this.#table.ensure('attester', epoch, signal)])
    this.#begin(signal)
    await this.#table.ensure('attester', next, signal)
    await this.#lookBack(slot, signal)
    if (!this.#time.isLastOfEpoch(slot)) return
    // The next epoch's proposers are settled once this slot's block is in: then its RANDAO reveals are signed ahead.
    const late = (this.#time.startOf(slot) + (this.#time.slotMs * 2) / 3) as Milliseconds
    this.#ports.clock.at(late, () => {
      if (!signal.aborted) void this.#table.ensure('proposer', next, signal).then(() => this.#begin(signal))
    })
  }

  /** Attestations of the epoch before may still be under way, and this node may have been down, or its beacon node. */
  async #lookBack(slot: Slot, signal: AbortSignal): Promise<void> {
    const epoch = this.#time.epochOf(slot)
    if (epoch === 0) return
    await this.#table.ensurePast((epoch - 1) as Epoch, signal)
    this.#begin(signal)
  }

  #onHead(event: HeadEvent, signal: AbortSignal): void {
    this.#view.onHead(event)
    void this.#table.onHead(event, this.#time.epochOf(event.slot), signal).then(() => this.#begin(signal))
    void this.#tracker.onHead(event.block, signal)
  }

  /** Begins every known duty that is due and not begun. A duty past its deadline is dropped with a reason, never queued. */
  #begin(signal: AbortSignal): void {
    const now = this.#time.now()
    if (signal.aborted || now < 0) return
    const epoch = this.#time.epochOf(now as Slot)
    for (const of of [epoch - 1, epoch]) {
      for (const duty of this.#table.attestationsIn(of as Epoch)) {
        if (duty.slot <= now && duty.slot >= now - this.#time.slotsPerEpoch) this.#beginOnce(duty, signal)
      }
    }
    for (const duty of [...this.#table.proposalsIn(epoch), ...this.#table.proposalsIn((epoch + 1) as Epoch)]) {
      if (duty.slot >= now) this.#beginOnce({ ...duty, type: 'randao' }, signal)
      if (duty.slot <= now) this.#beginOnce(duty, signal)
    }
    const inCharge = this.#ports.pools.at(epoch)
    for (const { poolId, epoch } of this.#ports.exits.due()) {
      const pool = inCharge.find((one) => one.poolId === poolId)
      if (pool !== undefined) this.#beginOnce({ type: 'exit', pool, slot: 0 as Slot, epoch }, signal)
    }
  }

  #epochNow(): Epoch {
    return this.#time.epochOf(Math.max(0, this.#time.now()) as Slot)
  }

  #beginOnce(duty: Duty, root: AbortSignal): void {
    const id = dutyId(duty)
    if (this.#begun.has(id)) return
    const until = this.#deadlineOf(duty)
    const late = this.#ports.clock.now() >= until
    // What was due before this process started is nobody's news.
    if (late && duty.slot < this.#firstSlot) return
    this.#begun.set(id, duty.slot)
    this.#tracker.due(duty)
    if (late) {
      this.#tracker.missed(duty, new DutyError('LATE'))
      return
    }
    const { signal, done } = deadline(this.#ports.clock, until, root)
    void this.#perform(duty, signal)
      .then(
        ({ round }) => this.#tracker.completed(duty, round),
        (failure) => {
          if (!root.aborted) this.#tracker.missed(duty, failure)
        },
      )
      .finally(() => {
        done()
        // Exchanged anew as long as the chain does not show it.
        if (duty.type === 'exit') this.#ports.clock.at(until, () => this.#begun.delete(id))
      })
  }

  /** When a duty is not worth doing any more. */
  #deadlineOf({ type, slot }: Duty): Milliseconds {
    if (type === 'exit') return this.#time.startOf(this.#time.now() + EXIT_EPOCHS * this.#time.slotsPerEpoch)
    return this.#time.startOf(type === 'attestation' ? slot + this.#time.slotsPerEpoch : slot + 1)
  }

  /** Messages are taken for duties that any member may be at: from clocks a slot ahead of ours to the deadline. */
  #isCurrent(type: DutyType, slot: Slot): boolean {
    const now = this.#time.now()
    switch (type) {
      case 'exit':
        return slot === 0
      case 'randao':
        return slot >= now && slot < now + 2 * this.#time.slotsPerEpoch
      case 'proposal':
        return slot >= now - 1 && slot <= now + 1
      case 'attestation':
        return slot >= now - this.#time.slotsPerEpoch && slot <= now + 1
    }
  }

  #prune(now: Slot): void {
    const { slotsPerEpoch } = this.#time
    const before = (type: DutyType): number => (type === 'exit' ? 0 : type === 'attestation' ? now - slotsPerEpoch : now - 1)
    this.#consensus.prune(before)
    this.#partials.prune(before)
    this.#certifier.prune(now - slotsPerEpoch)
    this.#view.prune(now - slotsPerEpoch)
    this.#table.prune((this.#time.epochOf(now) - 1) as Epoch)
    this.#tracker.prune(now)
    for (const [id, slot] of this.#begun) if (slot > 0 && slot < now - 2 * slotsPerEpoch) this.#begun.delete(id)
  }

  /** Names the fee recipient of the blocks that the beacon node builds for us, each epoch and for each new pool. */
  async #prepareProposers(epoch: Epoch, signal: AbortSignal): Promise<void> {
    // Also of those that are ours from the next epoch on: its first block may be.
    const pools = [epoch, epoch + 1].flatMap((one) => this.#ports.pools.at(one as Epoch))
    const recipients = new Map(pools.map(({ validatorIndex, feeRecipient }) => [validatorIndex, feeRecipient]))
    const entries = [...recipients].map(([validatorIndex, feeRecipient]) => ({ validatorIndex, feeRecipient }))
    const key = `${epoch}/${entries.map(({ validatorIndex }) => validatorIndex).join()}`
    if (entries.length === 0 || key === this.#preparedFor) return
    try {
      await this.#ports.beacon.prepareProposers(entries, signal)
      this.#preparedFor = key
    } catch (failure) {
      if (!signal.aborted) this.#ports.log.warn('cannot name the fee recipients', { reason: reasonOf(failure) })
    }
  }

  #pipelines(): (duty: Duty, signal: AbortSignal) => Promise<{ readonly round: number }> {
    const { beacon, signer, operatorKey } = this.#ports
    const ports = {
      ...{ beacon, signer, view: this.#view, consensus: this.#consensus, time: this.#time },
      ...{ partials: this.#partials, certifier: this.#certifier },
      together: <T>(work: () => T): T => operatorKey.together(work),
    }
    const attestation = observed('attestation', attestationStages(ports), this.#ports)
    const proposal = observed('proposal', proposalStages(ports), this.#ports)
    const randao = observed('randao', randaoStages(ports), this.#ports)
    const exit = observed('exit', exitStages(ports), this.#ports)
    return (duty, signal) => {
      switch (duty.type) {
        case 'attestation':
          return performDuty(duty, attestation, signal)
        case 'proposal':
          return performDuty(duty, proposal, signal)
        case 'randao':
          return performDuty(duty, randao, signal)
        case 'exit':
          return performDuty(duty, exit, signal)
      }
    }
  }
}
