import type { Hex, MemberIndex } from '../core/ids.ts'
import type { Candidate } from './handover-room.ts'

type JoinKeys = readonly (Hex | null)[]

export type Choosing = {
  readonly oldThreshold: number
  readonly threshold: number
  /** Of the new vault, by number. */
  readonly joinKeys: JoinKeys
  /** New members that joined in time for every dealer that waits for them. */
  readonly prompt: ReadonlySet<MemberIndex>
  readonly candidates: readonly Candidate[]
}

/** New members whom all of these dealings serve. */
export function servedBy(joinKeys: JoinKeys, candidates: readonly Candidate[]): ReadonlySet<MemberIndex> {
  const isServed = (key: Hex | null, at: number): boolean => key !== null && candidates.every(({ dealing }) => dealing.joinKeys[at] === key)
  return new Set(joinKeys.flatMap((key, at) => (isServed(key, at) ? [(at + 1) as MemberIndex] : [])))
}

/**
 * The t dealings that self would have, ascending by dealer: those that serve all prompt members, if there are t; of others first
 * those that leave out whom few dealings serve, since who is left out by many was late, who by few was left out by a liar. Undefined
 * while there are too few, or they serve no threshold.
 */
export function chooseDealings(choosing: Choosing): readonly Candidate[] | undefined {
  const { oldThreshold, threshold, joinKeys, prompt, candidates } = choosing
  const served = candidates.map((one) => servedBy(joinKeys, [one]))
  const dealersTo = (member: MemberIndex): number => served.filter((members) => members.has(member)).length
  const weigh = (members: readonly MemberIndex[]): number => members.reduce((sum, member) => sum + dealersTo(member), 0)
  const chosen = candidates
    .map((one, at) => {
      const members = [...(served[at] ?? [])]
      return { one, toPrompt: weigh(members.filter((member) => prompt.has(member))), toAll: weigh(members) }
    })
    .toSorted((a, b) => b.toPrompt - a.toPrompt || b.toAll - a.toAll || a.one.dealing.dealer - b.one.dealing.dealer)
    .slice(0, oldThreshold)
    .map(({ one }) => one)
    .toSorted((a, b) => a.dealing.dealer - b.dealing.dealer)
  return chosen.length === oldThreshold && servedBy(joinKeys, chosen).size >= threshold ? chosen : undefined
}
