import type { Staker } from './staking-actions.ts'

type Position = { readonly id: number; readonly owner: Staker; readonly start: number; amount: bigint; parts: bigint; roundings: bigint }

/** Parts of a share in which the model keeps what a position earned: its own rounding vanishes beside the contract's. */
const PARTS = 10n ** 40n

/**
 * What CdtStaking should do, without its sums: each payment is shared out at once, position by position, by amount × time
 * locked so far.
 */
export class CdtStakingModel {
  readonly positions: Position[] = []
  held = 0n
  payments = 0

  lock(owner: Staker, amount: bigint, time: number): void {
    this.positions.push({ id: this.positions.length + 1, owner, start: time, amount, parts: 0n, roundings: 0n })
  }

  pay(shares: bigint, time: number): void {
    const weightOf = ({ amount, start }: Position) => amount * BigInt(time - start)
    const all = this.positions.reduce((sum, position) => sum + weightOf(position), 0n)
    this.held += shares
    if (all === 0n) return
    for (const position of this.positions) {
      if (position.amount === 0n) continue
      position.parts += (this.held * PARTS * weightOf(position)) / all
      position.roundings++
    }
    this.held = 0n
    this.payments++
  }

  /** Pays out: the rest of a share that the contract rounds away is gone. */
  claim(id: number): void {
    const position = this.#position(id)
    position.parts = 0n
    position.roundings = 0n
  }

  unlock(id: number, amount: bigint): void {
    this.claim(id)
    this.#position(id).amount -= amount
  }

  /** Least and most that the contract may say: it rounds down, by less than a share a payment. */
  earnedBy(id: number): { readonly low: bigint; readonly high: bigint } {
    const { parts, roundings } = this.#position(id)
    const high = (parts + roundings) / PARTS
    return { low: high > roundings + 1n ? high - roundings - 1n : 0n, high }
  }

  #position(id: number): Position {
    const position = this.positions[id - 1]
    if (!position) throw new Error(`expected a position ${id}`)
    return position
  }
}
