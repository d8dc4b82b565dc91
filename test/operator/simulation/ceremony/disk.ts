import type { Hex } from '../../../../operator/core/ids.ts'
import type { Scalar } from '../../../../operator/protocol/bls/backend.ts'
import { GROUP_ORDER } from '../../../../operator/protocol/bls/backend.ts'
import { scalarFromBigInt } from '../../../../operator/protocol/bls/scalars.ts'
import { ceremonyId } from '../../../../operator/protocol/dkg/context.ts'
import type { CeremonyState, CeremonyStates } from '../../../../operator/signer/ceremony-state.ts'
import { CeremonyError } from '../../../../operator/signer/errors.ts'
import type { Share, ShareStore } from '../../../../operator/signer/share-store.ts'
import type { JobDisk } from '../../unit/ceremonies/support/queue.ts'
import { sha } from '../crypto.ts'
import type { Disk } from '../signer.ts'

/** What survives a member's death in a ceremony: as much as its real disk keeps. */
export type CeremonyDisk = Pick<Disk, 'said'> & {
  readonly states: Map<Hex, string>
  /** In the process's memory: gone when it dies. */
  readonly held: Map<Hex, CeremonyState>
  readonly shares: Share[]
  readonly jobs: JobDisk
}

export const newCeremonyDisk = (): CeremonyDisk => ({ said: new Map(), states: new Map(), held: new Map(), shares: [], jobs: new Map() })

/** For a process that starts. */
export function statesOn({ states, held }: CeremonyDisk): CeremonyStates {
  held.clear()
  const find: CeremonyStates['find'] = (context) => {
    const id = ceremonyId(context)
    const text = states.get(id)
    const state = held.get(id) ?? (text === undefined ? undefined : (JSON.parse(text) as CeremonyState))
    if (state !== undefined) held.set(id, state)
    return state
  }
  const keep: CeremonyStates['keep'] = (context, state) => void held.set(ceremonyId(context), state)
  return {
    find,
    get: (context) => {
      const state = find(context)
      if (state === undefined) throw new CeremonyError('NOT_BEGUN', 'not begun')
      return state
    },
    save: async (context, state) => {
      states.set(ceremonyId(context), JSON.stringify(state))
      keep(context, state)
    },
    keep,
    settle: async () => {},
    erase: async (context) => {
      states.delete(ceremonyId(context))
      held.delete(ceremonyId(context))
    },
  }
}

export const sharesOn = ({ shares }: CeremonyDisk): ShareStore => ({
  list: () => shares,
  get: () => shares[0],
  add: async (share) => {
    if (!shares.some(({ info }) => info.groupKey === share.info.groupKey)) shares.push(share)
  },
  remove: () => {},
})

/** Scalars from a seed, one after the other: far above the group's order before the reduction, so uniform. */
export function seededDraw(...seed: readonly (string | number)[]): () => Scalar {
  let drawn = 0
  return () => {
    drawn += 1
    const wide = BigInt(`${sha('draw', 1, drawn, ...seed)}${sha('draw', 2, drawn, ...seed).slice(2)}`)
    return scalarFromBigInt((wide % (GROUP_ORDER - 1n)) + 1n)
  }
}
