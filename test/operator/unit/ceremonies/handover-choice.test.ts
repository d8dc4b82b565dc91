import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chooseDealings, servedBy } from '../../../../operator/ceremonies/handover-choice.ts'
import type { MemberIndex } from '../../../../operator/core/ids.ts'
import { dealingHash } from '../../../../operator/protocol/messages/ceremony.ts'
import { handoverFrom } from '../protocol/rotation/support.ts'

/** What a member of the new vault chooses of dealings that serve these members, by old place; `prompt` as it sees it. */
function choose(served: readonly (readonly number[])[], prompt: readonly number[], sizes = { oldSize: 4, size: 4 }) {
  const { handover, joinKeys, deal } = handoverFrom(5n, sizes)
  const candidates = served.map((joined, at) => {
    const dealing = deal(at + 1, { joined })
    return { dealing, hash: dealingHash(handover, dealing) }
  })
  const keys = joinKeys.slice(0, sizes.size)
  const chosen = chooseDealings({ ...handover, joinKeys: keys, prompt: new Set(prompt as readonly MemberIndex[]), candidates })
  return chosen && { places: chosen.map(({ dealing }) => dealing.dealer - sizes.size), serves: [...servedBy(keys, chosen)] }
}

const ALL = [1, 2, 3, 4]

describe('the choice of dealings', () => {
  it('A33 takes those that serve everyone, whatever the order of their dealers', () => {
    assert.deepEqual(choose([[1, 3, 4], ALL, ALL, ALL], ALL), { places: [2, 3, 4], serves: ALL })
    assert.deepEqual(choose([ALL, ALL, ALL, ALL], ALL), { places: [1, 2, 3], serves: ALL })
  })

  it('A33 does not give up a prompt member for one that joins only with its friends', () => {
    // Dealer 1 leaves out member 2; its friend 4 has joined with two of the others, too late to be prompt.
    assert.deepEqual(choose([[1, 3, 4], ALL, ALL, [1, 2, 3]], [1, 2, 3]), { places: [2, 3, 4], serves: [1, 2, 3] })
  })

  it('A33 leaves out whom most dealers leave out, where nobody is prompt for all', () => {
    const served = [[1, 2, 3, 5, 6, 7], ALL.concat(5, 6), ALL.concat(5, 6), ALL.concat(5, 6), ALL.concat(5, 6), ALL.concat(5, 6)]
    const chosen = choose(served, [1, 2, 3, 4, 5, 6, 7], { oldSize: 7, size: 7 })
    assert.deepEqual(chosen, { places: [2, 3, 4, 5, 6], serves: [1, 2, 3, 4, 5, 6] })
  })

  it('is none of too few dealings, nor one that serves no threshold', () => {
    assert.equal(choose([ALL, ALL], ALL), undefined)
    assert.equal(choose([[1, 2, 3], [2, 3, 4], ALL], ALL), undefined)
  })
})
