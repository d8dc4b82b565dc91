import { OpenPoolsError, reasonOf } from '../core/errors.ts'
import type { EcdsaSignature, Hex, MemberIndex, ProducerId, Root } from '../core/ids.ts'
import type { Complaint, Dealing, Dleq } from '../core/ports/ceremony.ts'
import type { DealingDispute } from '../core/ports/disputes.ts'
import { g1FromEip2537 } from '../protocol/bls/points.ts'
import { judgeComplaint } from '../protocol/dkg/complaint.ts'
import { joinKeyPoint } from '../protocol/dkg/dealing.ts'
import { mayHold } from '../protocol/dkg/join.ts'
import { ceremonyDigest, complaintDigest, dealingHash } from '../protocol/messages/ceremony.ts'
import type { AbsenceMessage } from '../protocol/messages/ceremony-codec.ts'
import { decodeHandover, encodeHandover, type HandoverMessage } from '../protocol/messages/handover-codec.ts'
import type { QbftMessage } from '../protocol/qbft/types.ts'
import { checkHandoverDealing } from '../protocol/rotation/handover.ts'
import { Board, type Posting } from './board.ts'
import { Early } from './early.ts'
import type { CeremonyFault, JudgedComplaint } from './faults.ts'
import type { HandoverPorts, HandoverSetup } from './handover-types.ts'
import type { CeremonyStage } from './types.ts'

/** Of each member, before self has come to the stage where it agrees: round one and one round change. */
const EARLY_QBFT_MESSAGES = 8

type ComplaintBody = { readonly complaint: Complaint; readonly about: Root; readonly signature: EcdsaSignature }
type Kinds = {
  readonly join: { readonly joinKey: Hex; readonly proof: Dleq; readonly signature: EcdsaSignature }
  readonly dealing: { readonly dealing: Dealing; readonly hash: Root; readonly signature: EcdsaSignature }
  readonly participation: Extract<HandoverMessage, { kind: 'participation' }>
} & { readonly [K in `complaint/${number}`]: ComplaintBody }
type Said = Exclude<HandoverMessage, { kind: 'qbft' | 'absence' }>

/** A dealing that everybody can see nothing wrong with, of a dealer that showed to hold its key. */
export type Candidate = { readonly dealing: Dealing; readonly hash: Root }

/** One handover as it is played. */
export type Playing = {
  readonly setup: HandoverSetup
  readonly room: HandoverRoom
  readonly enter: (stage: CeremonyStage, waitingFor?: readonly MemberIndex[]) => void
}

/**
 * Where the messages of one handover meet, and where it is judged who is at fault. A dealer at fault is left out; nobody's fault
 * ends the handover for others.
 */
export class HandoverRoom {
  readonly board: Board<Kinds>
  readonly qbft = new Early<MemberIndex, QbftMessage>(EARLY_QBFT_MESSAGES)
  readonly #setup: HandoverSetup
  readonly #ports: Pick<HandoverPorts, 'log' | 'disputes'>
  readonly #faults = new Map<MemberIndex, CeremonyFault>()
  readonly #complaints: JudgedComplaint[] = []
  readonly #judged = new Set<ComplaintBody>()
  /** `dealer/member`: the dealer names another key for the member than its join, which all have been told of. */
  readonly #otherKeysShown = new Set<string>()
  #chosen: readonly MemberIndex[] = []
  #onAbsence: (from: ProducerId, message: AbsenceMessage) => void = () => {}
  #repeats = 0

  constructor(
    ports: Pick<HandoverPorts, 'network' | 'clock' | 'verifyEcdsa' | 'log' | 'disputes'>,
    setup: HandoverSetup,
    repeatMs: number,
  ) {
    this.#setup = setup
    this.#ports = ports
    const { network, clock, verifyEcdsa } = ports
    const participants = setup.members
    this.board = new Board<Kinds>({ participants, network, clock, verifyEcdsa, repeatMs, onRepeat: () => this.#passOn() })
    this.board.onConflict((author, kind, digests) => {
      // About two dealings of one dealer there are two complaints.
      if (isComplaint(kind)) return
      this.#blame(author, 'EQUIVOCATION', `signed two different ${kind}s: ${digests.join(' and ')}`)
    })
  }

  say(message: Said): void {
    this.#post(message, encodeHandover(this.#setup.context, message), (posting) => {
      this.board.say(posting)
      return 'new'
    })
    this.#judge()
  }

  sayQbft(message: QbftMessage, to?: MemberIndex): void {
    const bytes = encodeHandover(this.#setup.context, { kind: 'qbft', message })
    for (let member = 1; member <= this.#setup.context.size; member++) {
      if ((to === undefined || to === member) && member !== this.#setup.context.receiver) this.board.send(member as MemberIndex, bytes)
    }
  }

  /** Hands over the words of the roll call. */
  listenForAbsence(handler: (from: ProducerId, message: AbsenceMessage) => void): void {
    this.#onAbsence = handler
  }

  /** A message of this handover from one of its producers; anything that does not fit is dropped. */
  receive(from: ProducerId, bytes: Uint8Array): void {
    try {
      const message = decodeHandover(bytes, this.#setup.context)
      if (message.kind === 'qbft') this.#receiveQbft(from, message.message)
      else if (message.kind === 'absence') this.#onAbsence(from, message)
      else this.#receive(from, message, bytes)
    } catch (error) {
      this.#ports.log.debug('handover message dropped', { from, reason: reasonOf(error) })
    }
  }

  /** What is wrong with a member, once it is judged. */
  faultOf(member: MemberIndex): CeremonyFault | undefined {
    return this.#faults.get(member)
  }

  faults(): readonly CeremonyFault[] {
    return [...this.#faults.values()]
  }

  complaints(): readonly JudgedComplaint[] {
    return this.#complaints
  }

  /** The join keys of the new vault's members, by number; null where none has come, or two. */
  joinKeys(): readonly (Hex | null)[] {
    return Array.from({ length: this.#setup.context.size }, (_, at) => this.#joinKeyOf((at + 1) as MemberIndex) ?? null)
  }

  /** Dealings that could be chosen, one of each dealer; and of those that signed two both, when `all`. */
  candidates(all = false): readonly Candidate[] {
    const { size, oldSize } = this.#setup.context
    return Array.from({ length: oldSize }, (_, at) => (size + at + 1) as MemberIndex).flatMap((dealer) => {
      if (!all && this.#faults.has(dealer)) return []
      return this.board.said('dealing', dealer).filter(({ dealing }) => this.#isFit(dealing))
    })
  }

  /** Dealers that the new vault has agreed on; null before. */
  chosen(): readonly MemberIndex[] | null {
    return this.#chosen.length === 0 ? null : this.#chosen
  }

  /** Which dealings are to be passed on to whoever lacks them. */
  choose(dealers: readonly MemberIndex[]): void {
    this.#chosen = dealers
  }

  close(): void {
    this.board.close()
  }

  /** Public checks of a dealing: also that the dealer showed to hold the key that it encrypts with. */
  #isFit(dealing: Dealing): boolean {
    const { dealer } = dealing
    if (!this.board.said('join', dealer).some(({ joinKey }) => joinKey === dealing.joinKeys[dealer - 1])) return false
    return this.#faultIn(dealing) === undefined
  }

  #faultIn(dealing: Dealing): OpenPoolsError<string> | undefined {
    const { dealer } = dealing
    try {
      checkHandoverDealing(dealing, this.#setup.context)
      joinKeyPoint(dealing.joinKeys[dealer - 1] ?? '0x', dealer)
      return undefined
    } catch (error) {
      if (error instanceof OpenPoolsError) return error as OpenPoolsError<string>
      throw error
    }
  }

  #joinKeyOf(member: MemberIndex): Hex | undefined {
    const [first, ...more] = this.board.said('join', member)
    if (first === undefined || more.length > 0) return undefined
    try {
      joinKeyPoint(first.joinKey, member)
      return first.joinKey
    } catch {
      return undefined // a key that nobody can encrypt to: as if it had not joined
    }
  }

  #receive(from: ProducerId, message: Said, bytes: Uint8Array): void {
    const { context, members } = this.#setup
    // Of every key anew: a second join with another's key would have honest members complain, and open that one's shares.
    const isHeld = message.kind === 'join' && this.board.said('join', message.member).some(({ joinKey }) => joinKey === message.joinKey)
    if (message.kind === 'join' && !isHeld && !mayHold(context, message)) {
      this.#ports.log.debug('handover message dropped', {
        from,
        reason: `member ${message.member} does not show that it holds its join key`,
      })
      return
    }
    const received = this.#post(message, bytes, (posting) => this.board.receive(from, posting))
    if (received !== 'new' && received !== 'conflict') return
    if (message.kind === 'dealing') {
      this.#look(message.dealing)
      this.#showOtherKeys(message.dealing)
    }
    // A dealing that came before the join with its key could not be shown to the chain.
    if (message.kind === 'join') {
      for (const { dealing } of this.board.said('dealing', message.member)) {
        if (dealing.joinKeys[message.member - 1] === message.joinKey) this.#look(dealing)
      }
      for (const dealer of this.board.authors()) for (const { dealing } of this.board.said('dealing', dealer)) this.#showOtherKeys(dealing)
    }
    if (message.kind === 'join' && received === 'new') this.#passOnJoin(message.member)
    // Who has only just come lacks what was said before.
    if (message.kind === 'join' && members[message.member - 1]?.id === from) this.board.greet(message.member)
    if (message.kind === 'complaint') this.board.sayAgain(bytes)
    if (message.kind !== 'participation') this.#judge()
  }

  #post<R>(message: Said, bytes: Uint8Array, take: <K extends keyof Kinds & string>(posting: Posting<K, Kinds[K]>) => R): R {
    const { context } = this.#setup
    const sealedBy = (digest: () => Root, signature: EcdsaSignature) => ({ digest, signature })
    switch (message.kind) {
      case 'join': {
        const { member, joinKey, proof, signature } = message
        const sealed = sealedBy(() => ceremonyDigest(context, message), signature)
        return take({ kind: 'join', author: member, body: { joinKey, proof, signature }, bytes, sealed })
      }
      case 'dealing': {
        const { dealing, signature } = message
        const body = { dealing, hash: dealingHash(context, dealing), signature }
        return take({
          kind: 'dealing',
          author: dealing.dealer,
          body,
          bytes,
          sealed: sealedBy(() => ceremonyDigest(context, message), signature),
        })
      }
      case 'complaint': {
        const { complaint, about, signature } = message
        const sealed = sealedBy(() => complaintDigest(context, complaint, about), signature)
        return take({
          kind: `complaint/${complaint.dealer}`,
          author: complaint.member,
          body: { complaint, about, signature },
          bytes,
          sealed,
        })
      }
      case 'participation':
        return take({ kind: 'participation', author: message.member, body: message, bytes, sealed: null })
    }
  }

  #receiveQbft(from: ProducerId, message: QbftMessage): void {
    const at = this.#setup.members.slice(0, this.#setup.context.size).findIndex(({ id }) => id === from)
    if (at >= 0) this.qbft.receive((at + 1) as MemberIndex, message)
  }

  /** Each complaint once, as soon as self holds the dealing that it is about and the two join keys. */
  #judge(): void {
    const { context } = this.#setup
    for (let dealer = context.size + 1; dealer <= context.size + context.oldSize; dealer++) {
      for (let member = 1; member <= context.size; member++) {
        for (const body of this.board.said(`complaint/${dealer}`, member as MemberIndex)) {
          if (!this.#judged.has(body)) this.#judgeOne(body)
        }
      }
    }
  }

  #judgeOne(body: ComplaintBody): void {
    const { complaint, about } = body
    const { dealer, member } = complaint
    const dealing = this.board.said('dealing', dealer).find(({ hash }) => hash === about)?.dealing
    const hasJoined = (at: MemberIndex): boolean => this.board.said('join', at).some(({ joinKey }) => joinKey === dealing?.joinKeys[at - 1])
    if (dealing === undefined || !hasJoined(dealer) || !hasJoined(member)) return
    this.#judged.add(body)
    const { guilty, fault } = judgeComplaint(this.#setup.context, dealing, complaint)
    this.#complaints.push({ member, dealer, guilty, fault })
    if (guilty === 'dealer') this.#blame(dealer, 'BAD_SHARE', `dealt a bad share to member ${member}: judged by its complaint (${fault})`)
    else this.#blame(member, 'FALSE_COMPLAINT', `complained falsely about member ${dealer} (${fault})`)
    const memberJoin = this.#joinSignatureOf(member, dealing)
    if (memberJoin !== undefined) this.#raise(dealing, { complaint, signature: body.signature, memberJoin })
  }

  #look(dealing: Dealing): void {
    const fault = this.#faultIn(dealing)
    if (fault === undefined) return
    this.#blame(dealing.dealer, 'BAD_DEALING', `dealt badly: ${fault.message}`)
    this.#showDealing(dealing)
  }

  #blame(member: MemberIndex, rule: CeremonyFault['rule'], what: string): void {
    if (this.#faults.has(member)) return
    const fault = { member, rule, reason: `member ${member} ${what}` }
    this.#faults.set(member, fault)
    const { poolId, round } = this.#setup.context
    const producer = this.#setup.members[member - 1]?.id
    this.#ports.log.warn('handover rule broken', { pool: poolId, round, ...fault, producer })
    this.board.wake()
  }

  /** A dealing whose fault everybody sees: the chain convicts for a commitment that is no point, or one to another share. */
  #showDealing(dealing: Dealing): void {
    const place = dealing.commitments.findIndex((commitment) => !isPoint(commitment))
    const { oldPublicShares } = this.#setup.context
    const publicShares: Hex = `0x${oldPublicShares.map((share) => share.slice(2)).join('')}`
    if (place >= 0) this.#raise(dealing, { place })
    else if (this.#faultIn(dealing)?.code === 'BAD_CONSTANT_TERM') this.#raise(dealing, { publicShares })
  }

  /**
   * A dealing names another key for a member than self holds: whoever has both can show that its owner made two. Of each dealer once,
   * and only where its dealing could be chosen: the keys may be made up, and all would say all joins again and again for it.
   */
  #showOtherKeys(dealing: Dealing): void {
    const { dealer, joinKeys } = dealing
    const differ = Array.from({ length: this.#setup.context.size }, (_, at) => (at + 1) as MemberIndex).filter((member) => {
      const [named, held] = [joinKeys[member - 1], this.board.said('join', member)]
      const isOther = typeof named === 'string' && held.length > 0 && held.every(({ joinKey }) => joinKey !== named)
      return isOther && !this.#otherKeysShown.has(`${dealer}/${member}`)
    })
    if (differ.length === 0 || this.#faultIn(dealing) !== undefined) return
    for (const member of differ) {
      this.#otherKeysShown.add(`${dealer}/${member}`)
      this.board.tell('join', member)
    }
  }

  #joinSignatureOf(member: MemberIndex, dealing: Dealing): EcdsaSignature | undefined {
    return this.board.said('join', member).find(({ joinKey }) => joinKey === dealing.joinKeys[member - 1])?.signature
  }

  /** What members signed goes to the chain, which judges it anew. */
  #raise(dealing: Dealing, against: DealingDispute['against']): void {
    const { context, members } = this.#setup
    const { poolId, kind, round, size } = context
    const dealingSignature = this.board.said('dealing', dealing.dealer).find((one) => one.dealing === dealing)?.signature
    const dealerJoin = this.#joinSignatureOf(dealing.dealer, dealing)
    if (dealingSignature === undefined || dealerJoin === undefined) return
    const [newIds, oldIds] = [members.slice(0, size), members.slice(size)].map((some) => some.map(({ id }) => id))
    const ceremony = { poolId, kind, round, members: newIds ?? [], oldMembers: oldIds ?? [] }
    this.#ports.disputes.raise({ ...ceremony, dealing, dealingSignature, dealerJoin, against }).catch((error: unknown) => {
      this.#ports.log.error('evidence not kept', { pool: poolId, round, reason: reasonOf(error) })
    })
  }

  /** At once, of a new member by another: who joins in time for one has joined in time for all. */
  #passOnJoin(member: MemberIndex): void {
    const { size, receiver } = this.#setup.context
    if (receiver === undefined || member > size) return
    const isAwaited = (to: MemberIndex): boolean => to <= size || !this.board.has('dealing', to)
    for (const to of this.board.authors()) if (to !== receiver && isAwaited(to)) this.board.passOn(to, 'join', [member])
  }

  /**
   * To dealers that have not dealt the joins that self has; to new members that have not finished the joins, and in turns the
   * dealings chosen: a dealer may keep its own from some.
   */
  #passOn(): void {
    const { size, oldSize, receiver } = this.#setup.context
    this.#repeats += 1
    const oldMembers = Array.from({ length: oldSize }, (_, at) => (size + at + 1) as MemberIndex)
    const newMembers = Array.from({ length: size }, (_, at) => (at + 1) as MemberIndex)
    for (const to of this.board.missing('dealing', oldMembers)) this.board.passOn(to, 'join', newMembers)
    if (receiver === undefined) return
    const isTurn = this.#repeats % size === receiver % size
    for (const to of this.board.missing('participation', newMembers)) {
      if (to === receiver) continue
      this.board.passOn(to, 'join')
      if (isTurn) this.board.passOn(to, 'dealing', this.#chosen)
    }
  }
}

const isComplaint = (kind: string): boolean => kind.startsWith('complaint/')

function isPoint(point: Hex): boolean {
  try {
    g1FromEip2537(point)
    return true
  } catch {
    return false
  }
}
