import type { Hex, MemberIndex, PublicKey } from '../core/ids.ts'
import { bytesToHex, hexToBytes } from '../core/parse.ts'
import type { CeremonyContext, CeremonySecrets, Complaint, Dealing, Dleq, OpenedDealing, Reveal } from '../core/ports/ceremony.ts'
import type { G1, Scalar } from '../protocol/bls/backend.ts'
import { type DleqStatement, proveDleq } from '../protocol/bls/dleq.ts'
import { H } from '../protocol/bls/generators.ts'
import { g1FromCompressed, g1FromEip2537, g1FromPublicShare, g1ToEip2537, multiply } from '../protocol/bls/points.ts'
import { evaluateCommitments, haveDegreeBelow, sumCommitments } from '../protocol/bls/polynomials.ts'
import { evaluate, scalarFromBytes, scalarToBytes, sumScalars } from '../protocol/bls/scalars.ts'
import { proveKnowledge } from '../protocol/bls/schnorr.ts'
import { judgeComplaint, makeComplaint } from '../protocol/dkg/complaint.ts'
import { checkDealing, joinKeyPoint, sharePad, verifyShare, xorShare } from '../protocol/dkg/dealing.ts'
import { mayHold, possessionStatement } from '../protocol/dkg/join.ts'
import { constantTermStatement, publicShareStatement } from '../protocol/dkg/reveal.ts'
import type { CeremonyState, CeremonyStates } from './ceremony-state.ts'
import { CeremonyError } from './errors.ts'
import { fromHex, nativeKey, publicPoint, randomScalar, toHex } from './secret-scalars.ts'
import type { ShareStore } from './share-store.ts'
import { signRootWith } from './signing-key.ts'

/** Draws a uniform non-zero scalar. */
type Draw = () => Scalar
type Step = { readonly context: CeremonyContext; readonly state: CeremonyState; readonly draw: Draw; readonly shared: SharedPoints }

/** Diffie–Hellman points of own and others' join keys: one serves the share to a member and the share from it. */
class SharedPoints {
  readonly #ofOwnKey = new Map<Hex, Map<Hex, G1>>()

  /** With the join key of a member. Throws `DkgError` when that is no valid point. */
  with({ joinKey: ownKey, ephemeral }: CeremonyState, joinKey: Hex, member: number): G1 {
    const points = this.#ofOwnKey.get(ownKey) ?? new Map<Hex, G1>()
    this.#ofOwnKey.set(ownKey, points)
    const point = points.get(joinKey) ?? multiply(joinKeyPoint(joinKey, member), fromHex(ephemeral))
    points.set(joinKey, point)
    return point
  }

  forget(ownKey: Hex): void {
    this.#ofOwnKey.delete(ownKey)
  }
}

function prove(statement: DleqStatement, secret: Hex, draw: Draw): { readonly point: Hex; readonly proof: Dleq } {
  return { point: g1ToEip2537(statement.pointB), proof: proveDleq(statement, fromHex(secret), draw()) }
}

function makeDealing({ context, state, draw, shared }: Step, joinKeys: readonly (Hex | null)[]): NonNullable<CeremonyState['own']> {
  const coefficients = Array.from({ length: context.threshold }, draw)
  const ciphertexts = joinKeys.map((joinKey, i) => {
    if (joinKey === null) return null
    const pad = sharePad(shared.with(state, joinKey, i + 1), context, context.self, i + 1)
    return bytesToHex(xorShare(scalarToBytes(evaluate(coefficients, i + 1)), pad))
  })
  const commitments = coefficients.map((coefficient) => g1ToEip2537(multiply(H, coefficient)))
  return { coefficients: coefficients.map(toHex), dealing: { dealer: context.self, joinKeys, commitments, ciphertexts } }
}

type Opened =
  | { readonly share: Hex; readonly commitments: readonly Hex[] }
  | { readonly fault: 'shown' | 'hidden'; readonly reason: string }

function openDealing({ context, state, shared }: Step, dealing: Dealing): Opened {
  const { dealer } = dealing
  const { self } = context
  let fault: 'shown' | 'hidden' = 'shown'
  try {
    if (dealing.joinKeys[self - 1] !== state.joinKey)
      return { fault, reason: `member ${dealer} encrypted to another join key than that of member ${self}` }
    const commitments = checkDealing(dealing, context, dealing.joinKeys)
    const ciphertext = dealing.ciphertexts[self - 1]
    const dealerKey = dealing.joinKeys[dealer - 1]
    if (typeof ciphertext !== 'string' || typeof dealerKey !== 'string')
      return { fault, reason: `member ${dealer} dealt without having joined` }
    const point = shared.with(state, dealerKey, dealer)
    fault = 'hidden'
    const share = scalarFromBytes(xorShare(hexToBytes(ciphertext), sharePad(point, context, dealer, self)))
    if (!verifyShare(share, commitments, self)) return { fault, reason: `the share from member ${dealer} does not fit its commitments` }
    return { share: toHex(share), commitments: dealing.commitments }
  } catch (error) {
    return { fault, reason: error instanceof Error ? error.message : String(error) }
  }
}

/** The complaint about a bad share, or null when the dealing's fault is there for all to see. */
function complainAbout({ context, state, draw }: Step, dealing: Dealing, possession: Dleq): Complaint | null {
  const { dealer } = dealing
  const dealerKey = dealing.joinKeys[dealer - 1]
  if (typeof dealerKey !== 'string' || dealing.joinKeys[context.self - 1] !== state.joinKey) return null
  try {
    checkDealing(dealing, context, dealing.joinKeys)
    joinKeyPoint(dealerKey, dealer)
  } catch {
    return null
  }
  // That the dealer holds its key: with another's the complaint would open an honest share.
  if (!mayHold(context, { member: dealer, joinKey: dealerKey, proof: possession })) return null
  const secrets = { ephemeral: fromHex(state.ephemeral), nonce: draw() }
  const complaint = makeComplaint(context, { dealing, member: context.self }, secrets)
  if (judgeComplaint(context, dealing, complaint).guilty !== 'dealer')
    throw new CeremonyError('GOOD_SHARE', `expected a bad share from member ${dealer} to complain about, got a good one`, { dealer })
  return complaint
}

function makeReveal({ context, state, draw }: Step, qualified: readonly MemberIndex[]): NonNullable<CeremonyState['revealed']> {
  const { self } = context
  const received = qualified.map((dealer) => {
    const opened = state.received[dealer]
    if (opened === undefined) throw new CeremonyError('SHARE_MISSING', `no good share from qualified member ${dealer}`, { dealer })
    return opened
  })
  const share = toHex(sumScalars(received.map((opened) => fromHex(opened.share))))
  const committed = evaluateCommitments(sumCommitments(received.map((opened) => opened.commitments.map(g1FromEip2537))), self)
  const constant = state.own?.coefficients[0]
  const commitment = state.own?.dealing.commitments[0]
  const deals = qualified.includes(self)
  if (deals && (constant === undefined || commitment === undefined))
    throw new CeremonyError('NOT_DEALT', 'expected an own dealing among the qualified, dealt none')
  const reveal: Reveal = {
    member: self,
    constantTerm:
      deals && constant !== undefined && commitment !== undefined
        ? prove(constantTermStatement(context, self, g1FromEip2537(commitment), publicPoint(constant)), constant, draw)
        : null,
    publicShare: prove(publicShareStatement(context, self, committed, publicPoint(share)), share, draw),
  }
  return { qualified, share, reveal }
}

/**
 * The secret half of DKG ceremonies (protocol §7). Each step that others hear of is sealed on disk before it resolves; between
 * reading a state and saving it no step waits, so that steps of one ceremony may overlap.
 */
export function createCeremonySecrets(states: CeremonyStates, shares: ShareStore, draw: Draw = randomScalar): CeremonySecrets {
  const revealedOf = (state: CeremonyState): NonNullable<CeremonyState['revealed']> => {
    if (state.revealed === undefined) throw new CeremonyError('CONFLICTING_STEP', 'expected the reveal before this step')
    return state.revealed
  }
  const shared = new SharedPoints()
  return {
    begin: async (context) => {
      const known = states.find(context)
      if (known !== undefined) {
        await states.settle(context)
        return known.joinKey
      }
      const ephemeral = toHex(draw())
      const joinKey = g1ToEip2537(publicPoint(ephemeral))
      const { size, threshold, self } = context
      const joinProof = proveKnowledge(possessionStatement(context, self, joinKey), fromHex(ephemeral), draw())
      await states.save(context, { size, threshold, self, ephemeral, joinKey, joinProof, received: {} })
      return joinKey
    },
    possession: async (context) => states.get(context).joinProof,
    deal: async (context, joinKeys) => {
      const state = states.get(context)
      if (state.own !== undefined) {
        await states.settle(context)
        return state.own.dealing
      }
      if (joinKeys.length !== context.size || joinKeys[context.self - 1] !== state.joinKey) {
        throw new CeremonyError('BAD_JOIN_KEYS', `expected ${context.size} join keys with the own one at place ${context.self}`)
      }
      const own = makeDealing({ context, state, draw, shared }, joinKeys)
      await states.save(context, { ...state, own })
      return own.dealing
    },
    open: async (context, dealing): Promise<OpenedDealing> => {
      const state = states.get(context)
      const { dealer } = dealing
      const opened = openDealing({ context, state, draw, shared }, dealing)
      if ('reason' in opened) return { dealer, good: false, fault: opened.fault, reason: opened.reason }
      if (state.received[dealer]?.share !== opened.share) {
        // After a restart the others tell the dealings again; the next step that binds self saves it too.
        states.keep(context, { ...state, received: { ...state.received, [dealer]: opened } })
      }
      return { dealer, good: true }
    },
    check: async (context, dealings) => {
      const state = states.get(context)
      if (state.checked === undefined) await states.save(context, { ...state, checked: dealings })
      else await states.settle(context)
      return state.checked ?? dealings
    },
    complain: async (context, dealing, possession) => {
      const state = states.get(context)
      const { dealer } = dealing
      const complaint = complainAbout({ context, state, draw, shared }, dealing, possession)
      const made = state.complaints?.[dealer]
      if (complaint === null) return null
      if (made === undefined) await states.save(context, { ...state, complaints: { ...state.complaints, [dealer]: complaint } })
      else await states.settle(context)
      return made ?? complaint
    },
    reveal: async (context, qualified) => {
      const state = states.get(context)
      if (state.revealed !== undefined) {
        if (state.revealed.qualified.join() === qualified.join()) {
          await states.settle(context)
          return state.revealed.reveal
        }
        throw new CeremonyError(
          'CONFLICTING_STEP',
          `already revealed for qualified members ${state.revealed.qualified.join()}, asked for ${qualified.join()}`,
        )
      }
      const revealed = makeReveal({ context, state, draw, shared }, qualified)
      await states.save(context, { ...state, revealed })
      return revealed.reveal
    },
    sign: async (context, signingRoot) => {
      const state = states.get(context)
      const { share } = revealedOf(state)
      if (state.signedRoot !== undefined && state.signedRoot !== signingRoot) {
        throw new CeremonyError('CONFLICTING_STEP', `already signed ${state.signedRoot}, asked for ${signingRoot}`)
      }
      if (state.signedRoot === undefined) await states.save(context, { ...state, signedRoot: signingRoot })
      else await states.settle(context)
      return signRootWith(nativeKey(share), signingRoot)
    },
    commit: async (context, result) => {
      const state = states.get(context)
      const secret = nativeKey(revealedOf(state).share)
      const own = bytesToHex(secret.toPublicKey().toBytes()) as PublicKey
      const points = [g1FromCompressed(result.groupKey), ...result.publicShares.map(g1FromPublicShare)]
      if (
        points.length !== context.size + 1 ||
        result.publicShares[context.self - 1] !== own ||
        !haveDegreeBelow(context.threshold, points)
      ) {
        throw new CeremonyError('BAD_RESULT', `expected ${context.size} public shares of one key, with ${own} at place ${context.self}`)
      }
      const { groupKey, publicShares } = result
      const info = { poolId: context.poolId, round: context.round, memberIndex: context.self, groupKey, publicShares }
      await shares.add({ info, origin: 'made', secret })
    },
    isCommitted: async (context) => shares.get(context.poolId, context.round) !== undefined,
    erase: async (context) => {
      const state = states.find(context)
      if (state !== undefined) shared.forget(state.joinKey)
      await states.erase(context)
    },
  }
}
