import type { BeaconApi, Header } from './beacon-api.ts'

/** What the beacon state said at the reference of one report epoch. Gwei. */
export type BeaconReference = {
  readonly header: Header
  readonly executionBlock: number
  readonly validatorsGwei: bigint
  readonly inFlightGwei: bigint
}

/** Notes the beacon side of every report's reference while the beacon node remembers it: what recomputing the index needs later. */
export class ReferenceWatch {
  readonly #beacon: BeaconApi
  readonly #boundaryEvery: number
  readonly #keys: () => Promise<readonly string[]>
  readonly #byEpochSlot = new Map<number, BeaconReference>()

  /** @param boundaryEvery slots between two report boundaries */
  constructor(input: { readonly beacon: BeaconApi; readonly boundaryEvery: number; readonly keys: () => Promise<readonly string[]> }) {
    this.#beacon = input.beacon
    this.#boundaryEvery = input.boundaryEvery
    this.#keys = input.keys
  }

  async catchUp(head: Header): Promise<void> {
    const boundary = Math.floor((head.slot - 1) / this.#boundaryEvery) * this.#boundaryEvery
    if (boundary <= 0 || this.#byEpochSlot.has(boundary)) return
    let header: Header | undefined = head
    while (header !== undefined && header.slot > boundary) header = await this.#beacon.header(header.parentRoot)
    if (header === undefined) return
    const block = await this.#beacon.block(header.root)
    if (block === undefined) return
    const keys = new Set(await this.#keys())
    const validators = await this.#beacon.validators(header.stateRoot, [...keys])
    const pending = await this.#beacon.pendingDeposits(header.stateRoot)
    let inFlightGwei = 0n
    for (const [key, amount] of pending) if (keys.has(key)) inFlightGwei += amount
    this.#byEpochSlot.set(boundary, {
      header,
      executionBlock: block.executionNumber,
      validatorsGwei: validators.reduce((sum, { balance }) => sum + balance, 0n),
      inFlightGwei,
    })
  }

  /** The reference whose boundary slot this is. */
  at(boundarySlot: number): BeaconReference | undefined {
    return this.#byEpochSlot.get(boundarySlot)
  }
}
