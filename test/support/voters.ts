import type { Signature } from '@chainsafe/blst'
import { aggregateG2, digestOf } from './block-producers.ts'
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

/** EIP-712 struct of a ballot. */
export const VOTE = {
  Vote: [
    { name: 'commitmentId', type: 'uint256' },
    { name: 'contentHash', type: 'bytes32' },
    { name: 'ballot', type: 'uint8' },
  ],
}

/** The hands of a period's producers in votes on a commitment. */
export async function electorate(life: NetworkLife, period: bigint) {
  const list = await listOf(life, period)
  const committee = await life.periods.committeePositions(period, 0)
  const positions = list.map((_, position) => position)
  const inCommittee = positions.filter((position) => (committee >> BigInt(position)) & 1n)
  const eligible = positions.filter((position) => !inCommittee.includes(position))
  const sign = async (id: bigint, ballot: number, who: readonly number[], judge: 'votes' | 'disputes' = 'votes') => {
    const { contentHash } = await life.stateCommitments.commitment(id)
    return signTogether(list, who, digestOf(life.judgeOf(judge), VOTE, { commitmentId: id, contentHash, ballot }))
  }
  const cast = async (id: bigint, ballot: number, who: readonly number[]) => {
    const { places, signature } = await sign(id, ballot, who)
    return life.votes.cast(id, ballot, places, signature)
  }
  /** Members of each auxiliary committee: place of the shuffled list and position in the list. */
  const auxiliaries = async () => {
    const found = new Map<number, { index: number; position: number }[]>()
    for (let index = inCommittee.length; index < list.length; index++) {
      const [number] = await life.periods.auxiliaryOf(period, index)
      const [position] = await life.periods.positionsAtShuffled(period, [index])
      found.set(Number(number), [...(found.get(Number(number)) ?? []), { index, position: Number(position) }])
    }
    return [...found.values()]
  }
  return { list, eligible, inCommittee, sign, cast, auxiliaries }
}
