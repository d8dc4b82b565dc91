import { createHash } from 'node:crypto'
import { hexlify, Wallet } from 'ethers'

/** Everything that test/support and the contracts' tests make up follows from it: a run is told again by the same one. */
const SEED = process.env.TEST_SEED ?? 'open pools'
let stream = { seed: SEED, count: 0 }

/** From now on everything follows from another seed; without one, from the run's again. */
export function useSeed(seed: string = SEED): void {
  stream = { seed, count: 0 }
}

export function randomBytes(length: number): Buffer {
  const blocks: Buffer[] = []
  for (let have = 0; have < length; have += 32)
    blocks.push(
      createHash('sha256')
        .update(`${stream.seed} ${stream.count++}`)
        .digest(),
    )
  return Buffer.concat(blocks).subarray(0, length)
}

/** An integer from `low` (0 when left out) up to, not including, `high`. */
export function randomInt(high: number): number
export function randomInt(low: number, high: number): number
export function randomInt(first: number, second?: number): number {
  const [low, high] = second === undefined ? [0, first] : [first, second]
  return low + Number(BigInt(hexlify(randomBytes(16))) % BigInt(high - low))
}

export const randomWallet = (): Wallet => new Wallet(hexlify(randomBytes(32)))
