import type { Hex, MemberIndex, PublicKey } from '../core/ids.ts'
import { bytesToHex } from '../core/parse.ts'
import type { Dealing, OpenedDealing } from '../core/ports/ceremony.ts'
import type { HandoverContext, HandoverSecrets } from '../core/ports/handover.ts'
import { g1FromCompressed, g1FromPublicShare, g1ToEip2537 } from '../protocol/bls/points.ts'
import { haveDegreeBelow } from '../protocol/bls/polynomials.ts'
import { proveKnowledge } from '../protocol/bls/schnorr.ts'
import { judgeComplaint, makeComplaint } from '../protocol/dkg/complaint.ts'
import { mayHold, possessionStatement } from '../protocol/dkg/join.ts'
import { dealingHash } from '../protocol/messages/ceremony.ts'
import { checkHandoverDealing, makeHandoverDealing, newShareOf, oldPlaceOf, openHandoverShare } from '../protocol/rotation/handover.ts'
import { choiceOf, encodeChoice, handoverResult } from '../protocol/rotation/transcript.ts'
import { CeremonyError } from './errors.ts'
import type { HandoverState, HandoverStates } from './handover-state.ts'
import { fromHex, nativeKey, publicPoint, randomScalar, toHex } from './secret-scalars.ts'
import type { Share, ShareStore } from './share-store.ts'
import { signRootWith } from './signing-key.ts'

function receiverOf({ receiver }: HandoverContext): MemberIndex {
  if (receiver === undefined) throw new CeremonyError('NO_SEAT', 'expected a member of the new vault')
  return receiver
}

/** The own share of the vault that hands over. Throws `CeremonyError` when it is not there, or is another's. */
function oldShareOf(context: HandoverContext, shares: ShareStore): { readonly dealer: MemberIndex; readonly share: Share } {
  const { dealer, poolId, oldRound } = context
  if (dealer === undefined) throw new CeremonyError('NO_SEAT', 'expected a member of the old vault')
  const share = shares.get(poolId, oldRound)
  const expected = context.oldPublicShares[oldPlaceOf(context, dealer) - 1]
  if (share === undefined || share.info.groupKey !== context.groupKey || publicKeyOf(share) !== expected) {
    throw new CeremonyError('SHARE_MISSING', `expected the share of ${expected ?? 'nobody'} of pool ${poolId}, round ${oldRound}`, {
      dealer,
    })
  }
  return { dealer, share }
}

const publicKeyOf = ({ secret }: Share): string => bytesToHex(secret.toPublicKey().toBytes())

function makeOwn(
  context: HandoverContext,
  state: HandoverState,
  { joinKeys, shares }: { readonly joinKeys: readonly (Hex | null)[]; readonly shares: ShareStore },
) {
  const { dealer, share } = oldShareOf(context, shares)
  if (joinKeys.length !== context.size + context.oldSize || joinKeys[dealer - 1] !== state.joinKey) {
    throw new CeremonyError('BAD_JOIN_KEYS', `expected ${context.size + context.oldSize} join keys with the own one at place ${dealer}`)
  }
  const coefficients = [fromHex(bytesToHex(share.secret.toBytes())), ...Array.from({ length: context.threshold - 1 }, randomScalar)]
  const dealing = makeHandoverDealing(context, { dealer, joinKeys }, { coefficients, ephemeral: fromHex(state.ephemeral) })
  return { coefficients: coefficients.map(toHex), dealing }
}

type Opened = { readonly share: Hex } | { readonly reason: string; readonly isHidden: boolean }

/** `isHidden`: nobody else sees what is wrong, so a complaint has to show it. */
function openFor(context: HandoverContext, state: HandoverState, dealing: Dealing): Opened {
  try {
    const { joinKey } = state
    return {
      share: toHex(openHandoverShare(context, dealing, { member: receiverOf(context), joinKey, ephemeral: fromHex(state.ephemeral) })),
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { reason: error.message, isHidden: 'code' in error && error.code === 'BAD_SHARE' }
  }
}

/** The secret half of handovers (protocol §7). Each step is sealed on disk before it resolves. */
export function createHandoverSecrets(states: HandoverStates, shares: ShareStore): HandoverSecrets {
  const combinedOf = (context: HandoverContext): NonNullable<HandoverState['combined']> => {
    const { combined } = states.get(context)
    if (combined === undefined) throw new CeremonyError('CONFLICTING_STEP', 'expected the dealings to be combined before this step')
    return combined
  }
  return {
    begin: async (context) => {
      const known = states.find(context)
      if (known !== undefined) {
        await states.settle(context)
        return known.joinKey
      }
      const ephemeral = toHex(randomScalar())
      const joinKey = g1ToEip2537(publicPoint(ephemeral))
      const seats = [context.receiver, context.dealer].flatMap((member) => member ?? [])
      const possessions = Object.fromEntries(
        seats.map((member) => [member, proveKnowledge(possessionStatement(context, member, joinKey), fromHex(ephemeral), randomScalar())]),
      )
      const [receiver, dealer] = [context.receiver ?? 0, context.dealer ?? 0]
      await states.save(context, { receiver, dealer, ephemeral, joinKey, possessions, received: {}, complaints: {} })
      return joinKey
    },
    possession: async (context, member) => {
      const proof = states.get(context).possessions[member]
      if (proof === undefined) throw new CeremonyError('NO_SEAT', `expected an own member, got member ${member}`)
      return proof
    },
    deal: async (context, joinKeys) => {
      const state = states.get(context)
      if (state.own !== undefined) {
        await states.settle(context)
        return state.own.dealing
      }
      const own = makeOwn(context, state, { joinKeys, shares })
      await states.save(context, { ...state, own })
      return own.dealing
    },
    open: async (context, dealing): Promise<OpenedDealing> => {
      const state = states.get(context)
      const { dealer } = dealing
      const hash = dealingHash(context, dealing)
      if (state.received[hash] !== undefined) {
        await states.settle(context)
        return { dealer, good: true }
      }
      const opened = openFor(context, state, dealing)
      if ('reason' in opened) return { dealer, good: false, fault: opened.isHidden ? 'hidden' : 'shown', reason: opened.reason }
      await states.save(context, { ...state, received: { ...state.received, [hash]: opened.share } })
      return { dealer, good: true }
    },
    complain: async (context, dealing, possession) => {
      const state = states.get(context)
      const { dealer } = dealing
      const dealerKey = dealing.joinKeys[dealer - 1]
      // That the dealer holds its key: with another's the complaint would open an honest share.
      if (typeof dealerKey !== 'string' || !mayHold(context, { member: dealer, joinKey: dealerKey, proof: possession })) return null
      const hash = dealingHash(context, dealing)
      const made = state.complaints[hash]
      if (made !== undefined) {
        await states.settle(context)
        return made
      }
      const opened = openFor(context, state, dealing)
      if (!('reason' in opened) || !opened.isHidden) return null
      const member = receiverOf(context)
      const complaint = makeComplaint(context, { dealing, member }, { ephemeral: fromHex(state.ephemeral), nonce: randomScalar() })
      if (judgeComplaint(context, dealing, complaint).guilty !== 'dealer') {
        throw new CeremonyError('GOOD_SHARE', `expected a bad share from member ${dealer} to complain about, got a good one`)
      }
      await states.save(context, { ...state, complaints: { ...state.complaints, [hash]: complaint } })
      return complaint
    },
    combine: async (context, dealings) => {
      const state = states.get(context)
      const choice = bytesToHex(encodeChoice(context, choiceOf(context, dealings)))
      if (state.combined !== undefined) {
        if (state.combined.choice === choice) return states.settle(context)
        throw new CeremonyError('CONFLICTING_STEP', 'already made a new share of other dealings')
      }
      const received = dealings.map((dealing) => {
        const share = state.received[dealingHash(context, dealing)]
        if (share === undefined) {
          throw new CeremonyError('SHARE_MISSING', `no good share from dealer ${dealing.dealer}`, { dealer: dealing.dealer })
        }
        checkHandoverDealing(dealing, context)
        return { dealer: dealing.dealer, share: fromHex(share) }
      })
      const share = toHex(newShareOf(context, received))
      const expected = handoverResult(context, dealings).publicShares[receiverOf(context) - 1]
      if (bytesToHex(nativeKey(share).toPublicKey().toBytes()) !== expected) {
        throw new CeremonyError('BAD_RESULT', `expected the new share to be that of ${expected ?? 'nobody'}`)
      }
      await states.save(context, { ...state, combined: { choice, share } })
    },
    sign: async (context, digest) => {
      const { share } = combinedOf(context)
      const state = states.get(context)
      if (state.signed !== undefined && state.signed !== digest) {
        throw new CeremonyError('CONFLICTING_STEP', `already signed ${state.signed}, asked for ${digest}`)
      }
      if (state.signed === undefined) await states.save(context, { ...state, signed: digest })
      else await states.settle(context)
      return signRootWith(nativeKey(share), digest)
    },
    commit: async (context, publicShares) => {
      const memberIndex = receiverOf(context)
      const secret = nativeKey(combinedOf(context).share)
      const own = bytesToHex(secret.toPublicKey().toBytes()) as PublicKey
      const { poolId, round, groupKey, size, threshold } = context
      const points = [g1FromCompressed(groupKey), ...publicShares.map(g1FromPublicShare)]
      if (publicShares.length !== size || publicShares[memberIndex - 1] !== own || !haveDegreeBelow(threshold, points)) {
        throw new CeremonyError('BAD_RESULT', `expected ${size} public shares of ${groupKey}, with ${own} at place ${memberIndex}`)
      }
      await shares.add({ info: { poolId, round, memberIndex, groupKey, publicShares }, origin: 'handed-over', secret })
    },
    erase: async (context) => states.erase(context),
  }
}
