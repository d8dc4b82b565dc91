import type { Hex, MemberIndex, PublicKey, Root } from '../../../../../operator/core/ids.ts'
import { toAddress, toPoolId } from '../../../../../operator/core/parse.ts'
import type { CeremonyContext, Complaint, Dealing, Dleq, Reveal } from '../../../../../operator/core/ports/ceremony.ts'
import { thresholdOf } from '../../../../../operator/core/vault.ts'
import { resultOf } from '../../../../../operator/protocol/dkg/result.ts'
import { createCeremonySecrets } from '../../../../../operator/signer/ceremony-secrets.ts'
import type { CeremonyState } from '../../../../../operator/signer/ceremony-state.ts'
import { newCeremonyDisk, seededDraw, sharesOn, statesOn } from '../../../simulation/ceremony/disk.ts'

/** A whole key generation, secrets included: what test/vectors/dkg-*.json hold. Member i is at place i − 1 of every list. */
export type DkgVector = {
  readonly about: string
  readonly context: { readonly chainId: number; readonly contract: Hex; readonly poolId: number; readonly round: number }
  readonly threshold: number
  readonly secrets: readonly { readonly ephemeral: Hex; readonly coefficients: readonly Hex[] }[]
  readonly joinKeys: readonly Hex[]
  readonly possessions: readonly Dleq[]
  readonly dealings: readonly Dealing[]
  /** About the dealing of a dealer that is disqualified for it. */
  readonly complaints: readonly Complaint[]
  readonly qualified: readonly MemberIndex[]
  readonly reveals: readonly Reveal[]
  readonly shares: readonly Hex[]
  readonly groupKey: PublicKey
  readonly publicShares: readonly PublicKey[]
  readonly transcriptRoot: Root
}

export type VectorChoice = {
  readonly name: string
  readonly about: string
  readonly size: number
  /** Deals member 1 a share that is one bit off. */
  readonly liar?: MemberIndex
}

export const VECTORS: readonly VectorChoice[] = [
  { name: 'dkg-4', about: 'four honest members', size: 4 },
  { name: 'dkg-7', about: 'seven honest members', size: 7 },
  { name: 'dkg-disqualified', about: 'member 3 of 4 deals member 1 a bad share and is disqualified', size: 4, liar: 3 as MemberIndex },
]

const CONTEXT = { chainId: 560_048, contract: toAddress(`0x${'5a'.repeat(20)}`), poolId: 11, round: 2 } as const

/** The vector by the operators' own code, from seeded scalars. */
export async function makeVector({ name, about, size, liar }: VectorChoice): Promise<DkgVector> {
  const threshold = thresholdOf(size)
  const members = Array.from({ length: size }, (_, at) => {
    const disk = newCeremonyDisk()
    const self = (at + 1) as MemberIndex
    const { chainId, contract, poolId, round } = CONTEXT
    const context: CeremonyContext = {
      contract,
      round,
      kind: 'dkg',
      size,
      threshold,
      self,
      chainId: BigInt(chainId),
      poolId: toPoolId(poolId),
    }
    return { context, disk, secrets: createCeremonySecrets(statesOn(disk), sharesOn(disk), seededDraw(name, self)) }
  })
  const [first] = members
  if (first === undefined) throw new Error('expected members')
  type Member = typeof first
  const each = <T>(step: (member: Member) => Promise<T>): Promise<T[]> => Promise.all(members.map(step))
  const joinKeys = await each(({ secrets, context }) => secrets.begin(context))
  const possessions = await each(({ secrets, context }) => secrets.possession(context))
  const dealings = (await each(({ secrets, context }) => secrets.deal(context, joinKeys))).map((dealing) => {
    const [cipher] = dealing.ciphertexts
    return dealing.dealer === liar && cipher ? { ...dealing, ciphertexts: dealing.ciphertexts.with(0, offByABit(cipher)) } : dealing
  })
  const complaints: Complaint[] = []
  for (const { secrets, context } of members) {
    for (const dealing of dealings) {
      if ((await secrets.open(context, dealing)).good) continue
      const complaint = await secrets.complain(context, dealing, possessions[dealing.dealer - 1] ?? { challenge: '0x', response: '0x' })
      if (complaint !== null) complaints.push(complaint)
    }
  }
  const qualified = members.map(({ context }) => context.self).filter((member) => member !== liar)
  const reveals = await each(({ secrets, context }) => secrets.reveal(context, qualified))
  const { groupKey, publicShares, transcriptRoot } = resultOf({ context: first.context, dealings, qualified, reveals })
  const states = members.map(({ disk }): CeremonyState => JSON.parse([...disk.states.values()][0] ?? '{}'))
  return {
    about,
    context: CONTEXT,
    threshold,
    secrets: states.map(({ ephemeral, own }) => ({ ephemeral, coefficients: own?.coefficients ?? [] })),
    joinKeys,
    possessions,
    dealings,
    complaints,
    qualified,
    reveals,
    shares: states.map(({ revealed }) => revealed?.share ?? '0x'),
    groupKey,
    publicShares,
    transcriptRoot,
  }
}

const offByABit = (hex: Hex): Hex => `0x${(BigInt(hex) ^ 1n).toString(16).padStart(64, '0')}`
