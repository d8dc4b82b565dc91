import type { BeaconApi } from './beacon-api.ts'
import { setBits } from './bits.ts'

type Committee = { readonly slot: number; readonly index: number; readonly validators: readonly number[] }
export type Count = { due: number; included: number }
export type DutyCounts = {
  readonly attestations: Count
  readonly proposals: Count
  readonly attestationsByValidator: ReadonlyMap<number, Count>
}

/**
 * Reads off the beacon chain alone which duties of the watched validators were due and which were included. A validator
 * counts from its first to its last counted epoch.
 */
export class DutyWatch {
  readonly #beacon: BeaconApi
  readonly #slotsPerEpoch: number
  readonly #committees = new Map<number, readonly Committee[]>()
  readonly #proposers = new Map<number, readonly { readonly slot: number; readonly index: number }[]>()
  readonly #attested = new Set<string>()
  readonly #proposed = new Map<number, number>()
  readonly #spans = new Map<number, { readonly from: number; until: number }>()
  #nextSlot = 0

  constructor(beacon: BeaconApi, slotsPerEpoch: number) {
    this.#beacon = beacon
    this.#slotsPerEpoch = slotsPerEpoch
  }

  /** Counts a validator's duties from an epoch on. */
  watch(validatorIndex: number, fromEpoch: number): void {
    if (!this.#spans.has(validatorIndex)) this.#spans.set(validatorIndex, { from: fromEpoch, until: Infinity })
  }

  /** Stops counting a validator's duties of this epoch and later ones. */
  unwatch(validatorIndex: number, epoch: number): void {
    const span = this.#spans.get(validatorIndex)
    if (span !== undefined) span.until = Math.min(span.until, epoch)
  }

  /** Reads all blocks up to the head. */
  async catchUp(headSlot: number): Promise<void> {
    const epoch = Math.floor(headSlot / this.#slotsPerEpoch)
    for (const wanted of [epoch, epoch + 1]) {
      if (!this.#committees.has(wanted)) this.#committees.set(wanted, await this.#beacon.committees(wanted))
    }
    // Only the present epoch's proposers are certain.
    if (!this.#proposers.has(epoch)) this.#proposers.set(epoch, await this.#beacon.proposers(epoch))
    for (; this.#nextSlot <= headSlot; this.#nextSlot++) await this.#read(this.#nextSlot)
  }

  async #read(slot: number): Promise<void> {
    const block = await this.#beacon.block(String(slot))
    if (block === undefined) return
    this.#proposed.set(slot, block.proposerIndex)
    for (const { slot: attested, aggregationBits, committeeBits } of block.attestations) {
      const committees = (this.#committees.get(Math.floor(attested / this.#slotsPerEpoch)) ?? []).filter((one) => one.slot === attested)
      const included = setBits(committeeBits)
      const voters = included.flatMap((index) => committees.find((one) => one.index === index)?.validators ?? [])
      const set = new Set(setBits(aggregationBits))
      voters.forEach((validator, place) => {
        if (set.has(place)) this.#attested.add(`${attested}/${validator}`)
      })
    }
  }

  /** A validator's attestations due from an epoch on, and those of them included. */
  attestationsSince({ validator, epoch, head }: { readonly validator: number; readonly epoch: number; readonly head: number }): Count {
    const count: Count = { due: 0, included: 0 }
    for (const [at, committees] of this.#committees) {
      for (const { slot, validators } of committees) {
        if (at < epoch || slot > head - 2 || !validators.includes(validator)) continue
        count.due += 1
        count.included += this.#attested.has(`${slot}/${validator}`) ? 1 : 0
      }
    }
    return count
  }

  /** Counts of everything due up to two slots before the head (an attestation is included one slot later at the earliest). */
  counts(headSlot: number): DutyCounts {
    const byValidator = new Map<number, Count>([...this.#spans.keys()].map((index) => [index, { due: 0, included: 0 }]))
    const counted = (index: number, epoch: number): boolean => {
      const span = this.#spans.get(index)
      return span !== undefined && epoch >= span.from && epoch < span.until
    }
    const attestations = { due: 0, included: 0 }
    for (const [epoch, committees] of this.#committees) {
      for (const { slot, validators } of committees) {
        if (slot > headSlot - 2) continue
        for (const index of validators) {
          const own = byValidator.get(index)
          if (own === undefined || !counted(index, epoch)) continue
          const included = this.#attested.has(`${slot}/${index}`) ? 1 : 0
          own.due += 1
          own.included += included
          attestations.due += 1
          attestations.included += included
        }
      }
    }
    const proposals = { due: 0, included: 0 }
    for (const [epoch, proposers] of this.#proposers) {
      for (const { slot, index } of proposers) {
        if (slot > headSlot - 1 || !counted(index, epoch)) continue
        proposals.due += 1
        proposals.included += this.#proposed.get(slot) === index ? 1 : 0
      }
    }
    return { attestations, proposals, attestationsByValidator: byValidator }
  }
}
