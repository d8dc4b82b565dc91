import { createHash, randomBytes as fresh } from 'node:crypto'
import { hexlify, Wallet } from 'ethers'

let stream: { readonly seed: string; count: number } | undefined

/** From now on everything random in test/support follows from a seed; without one it is random again. */
export function useSeed(seed?: string): void {
  stream = seed === undefined ? undefined : { seed, count: 0 }
}

export function randomBytes(length: number): Buffer {
  if (stream === undefined) return fresh(length)
  const blocks: Buffer[] = []
  for (let have = 0; have < length; have += 32)
    blocks.push(
      createHash('sha256')
        .update(`${stream.seed} ${stream.count++}`)
        .digest(),
    )
  return Buffer.concat(blocks).subarray(0, length)
}

export const randomWallet = (): Wallet => new Wallet(hexlify(randomBytes(32)))
