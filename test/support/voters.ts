import type { Signature } from '@chainsafe/blst'
import { aggregateG2 } from './block-producers.ts'
import type { NetworkLife } from './network-life.ts'
import type { RegisteredProducer } from './open-pools.ts'

/** Words of 256 bits with the given places set: bit i of word w is place 256·w + i. */
export function bitmapOf(places: readonly number[]): bigint[] {
  const words: bigint[] = []
  for (const place of places) {
    const word = Math.floor(place / 256)
    while (words.length <= word) words.push(0n)
    words[word] = (words[word] ?? 0n) | (1n << BigInt(place % 256))
  }
  return words
}

/** A period's list, with the keys of those in it. */
export async function listOf(life: NetworkLife, period: number | bigint): Promise<RegisteredProducer[]> {
  const size = await life.periods.sizeAt(period)
  return (await life.periods.listAt(period, 0, size)).map((id) => life.memberOf(id))
}

/** The aggregate of signatures over one digest by producers in these places of a list. */
export function signTogether(list: readonly RegisteredProducer[], places: readonly number[], digest: Uint8Array) {
  const signatures = places.map((place): Signature => {
    const producer = list[place]
    if (producer === undefined) throw new Error(`expected a producer at place ${place} of ${list.length}`)
    return producer.key.sign(digest)
  })
  return { places: bitmapOf(places), signature: aggregateG2(signatures) }
}
