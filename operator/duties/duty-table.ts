import { reasonOf } from '../core/errors.ts'
import type { Epoch, Root } from '../core/ids.ts'
import type { AttesterDuty, BeaconNode, Duties, HeadEvent, ProposerDuty } from '../core/ports/beacon.ts'
import { BeaconError } from '../core/ports/beacon.ts'
import type { Log } from '../core/ports/log.ts'
import type { AttestationDuty, DutyPool, DutyPools, ProposalDuty } from './types.ts'

type Entry<D> = {
  readonly duties: readonly D[]
  /** Validators it was asked for. */
  readonly validators: string
  /** The dependent root: that of the answer, later that of the latest head event. */
  root: Root
}

type Kind = 'attester' | 'proposer'

/** Duties of our validators by epoch, each valid while the block root stands that decided them. */
export class DutyTable {
  readonly #beacon: BeaconNode
  readonly #pools: DutyPools
  readonly #log: Log
  readonly #attesters = new Map<Epoch, Entry<AttesterDuty>>()
  readonly #proposers = new Map<Epoch, Entry<ProposerDuty>>()
  readonly #refused = new Set<Epoch>()
  readonly #pending = new Map<string, Promise<unknown>>()

  constructor({ beacon, pools, log }: { readonly beacon: BeaconNode; readonly pools: DutyPools; readonly log: Log }) {
    this.#beacon = beacon
    this.#pools = pools
    this.#log = log
  }

  /** Attestations of our validators in an epoch. */
  attestationsIn(epoch: Epoch): readonly AttestationDuty[] {
    return (this.#attesters.get(epoch)?.duties ?? []).flatMap((attester) => {
      const pool = this.#poolOf(attester.validatorIndex, epoch)
      return pool === undefined ? [] : [{ type: 'attestation', pool, slot: attester.slot, attester } as const]
    })
  }

  /** Proposals of our validators in an epoch. */
  proposalsIn(epoch: Epoch): readonly ProposalDuty[] {
    return (this.#proposers.get(epoch)?.duties ?? []).flatMap(({ validatorIndex, slot }) => {
      const pool = this.#poolOf(validatorIndex, epoch)
      return pool === undefined ? [] : [{ type: 'proposal', pool, slot } as const]
    })
  }

  /**
   * Asks the beacon node for what is not known yet. Never rejects: a failure is logged, returned and
   * asked for again by the next call.
   */
  async ensure(kind: Kind, epoch: Epoch, signal: AbortSignal): Promise<unknown> {
    const validators = this.#validators(epoch)
    const known = kind === 'attester' ? this.#attesters.get(epoch) : this.#proposers.get(epoch)
    if (validators === '' || known?.validators === validators) return undefined
    const id = `${kind}/${epoch}`
    const pending = this.#pending.get(id) ?? this.#fetch(kind, epoch, signal).finally(() => this.#pending.delete(id))
    this.#pending.set(id, pending)
    return pending
  }

  /** Attester duties of a past epoch, which not every beacon node tells: one that refuses is not asked again. */
  async ensurePast(epoch: Epoch, signal: AbortSignal): Promise<void> {
    if (this.#refused.has(epoch)) return
    const failure = await this.ensure('attester', epoch, signal)
    if (failure instanceof BeaconError && (failure.code === 'REFUSED' || failure.code === 'NOT_FOUND')) this.#refused.add(epoch)
  }

  /** A reorg far enough back changes duties: those whose dependent root moved are asked for anew. */
  async onHead(event: HeadEvent, epoch: Epoch, signal: AbortSignal): Promise<void> {
    const next = (epoch + 1) as Epoch
    const stale = [
      this.#moved('attester', epoch, event.previousDutyDependentRoot),
      this.#moved('attester', next, event.currentDutyDependentRoot),
      this.#moved('proposer', epoch, event.currentDutyDependentRoot),
    ]
    await Promise.all(stale.flatMap((one) => (one === undefined ? [] : [this.#fetch(one.kind, one.epoch, signal, one.root)])))
  }

  prune(before: Epoch): void {
    for (const table of [this.#attesters, this.#proposers]) {
      for (const epoch of table.keys()) if (epoch < before) table.delete(epoch)
    }
    for (const epoch of this.#refused) if (epoch < before) this.#refused.delete(epoch)
  }

  #moved(kind: Kind, epoch: Epoch, root: Root): { readonly kind: Kind; readonly epoch: Epoch; readonly root: Root } | undefined {
    const entry = kind === 'attester' ? this.#attesters.get(epoch) : this.#proposers.get(epoch)
    return entry === undefined || entry.root === root ? undefined : { kind, epoch, root }
  }

  async #fetch(kind: Kind, epoch: Epoch, signal: AbortSignal, root?: Root): Promise<unknown> {
    const validators = this.#validators(epoch)
    const indices = this.#pools.at(epoch).map(({ validatorIndex }) => validatorIndex)
    try {
      if (kind === 'attester')
        this.#store(this.#attesters, { epoch, validators, root }, await this.#beacon.attesterDuties(epoch, indices, signal))
      else this.#store(this.#proposers, { epoch, validators, root }, await this.#beacon.proposerDuties(epoch, signal))
    } catch (failure) {
      if (!signal.aborted) this.#log.warn('cannot fetch duties', { kind, epoch, reason: reasonOf(failure) })
      return failure
    }
    return undefined
  }

  #store<D>(
    table: Map<Epoch, Entry<D>>,
    { epoch, validators, root }: { readonly epoch: Epoch; readonly validators: string; readonly root: Root | undefined },
    { duties, dependentRoot }: Duties<D>,
  ): void {
    if (root !== undefined) this.#log.info('duties asked for anew: their dependent root moved', { epoch, dependentRoot })
    table.set(epoch, { duties, validators, root: root ?? dependentRoot })
  }

  #poolOf(validatorIndex: number, epoch: Epoch): DutyPool | undefined {
    return this.#pools.at(epoch).find((pool) => pool.validatorIndex === validatorIndex)
  }

  #validators(epoch: Epoch): string {
    return this.#pools
      .at(epoch)
      .map(({ validatorIndex }) => validatorIndex)
      .sort((a, b) => a - b)
      .join(',')
  }
}
