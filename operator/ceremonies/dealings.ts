import type { MemberIndex, Root } from '../core/ids.ts'
import type { Dealing } from '../core/ports/ceremony.ts'
import { checkDealing, commitmentsOf } from '../protocol/dkg/dealing.ts'
import { DkgError } from '../protocol/dkg/errors.ts'
import { complaintDigest, complaintOnceKey } from '../protocol/messages/ceremony.ts'
import type { SignedCeremonyStatement } from '../protocol/messages/ceremony-codec.ts'
import type { Play } from './play.ts'
import type { Roster } from './roster.ts'

type SignedDealing = Extract<SignedCeremonyStatement, { kind: 'dealing' }>

/** `good`: nothing wrong in it that self can see, the share for self included. `other`: good for others, no share for self. */
type Verdict = 'good' | 'other' | 'bad'

/** Opens the dealings as they come, and tells all what is wrong with them. */
export class Dealings {
  readonly #play: Play
  readonly #roster: Roster
  readonly #verdicts = new Map<Root, Verdict>()

  constructor(play: Play, roster: Roster) {
    this.#play = play
    this.#roster = roster
  }

  /** Opens one after the other until the signal aborts. */
  async run(): Promise<never> {
    const { room, signal } = this.#play
    for (;;) {
      const next = await room.board.until(() => this.#unopened(), signal)
      this.#verdicts.set(room.hashOf(next.dealing), await this.#open(next))
      signal.throwIfAborted()
      room.board.wake()
    }
  }

  verdictOn(hash: Root): Verdict | undefined {
    return this.#verdicts.get(hash)
  }

  /**
   * The dealing of a member that self would have in the key: of a member that takes part, good, to all that take part, and to
   * no key that its owner has not signed, unless that one is out anyhow: who tells each another key must not stop all.
   */
  accepted(dealer: MemberIndex): Dealing | undefined {
    const { room, ceremony } = this.#play
    const members = this.#roster.members
    const [first] = room.board.said('dealing', dealer)
    if (members === undefined || first === undefined || !members.includes(dealer)) return undefined
    const { dealing } = first
    const verdict = this.#verdicts.get(room.hashOf(dealing))
    if (verdict !== 'good' && !(verdict === 'other' && !members.includes(ceremony.context.self))) return undefined
    const areSigned = dealing.joinKeys.every((key, at) => {
      const member = (at + 1) as MemberIndex
      return key === null || room.faults.isDisqualified(member) || room.joinOf(member, key) !== undefined
    })
    const isForAll = members.every((member) => (dealing.joinKeys[member - 1] ?? null) !== null)
    return areSigned && isForAll ? dealing : undefined
  }

  /** Whether there is nothing to wait for from this member: its dealing is accepted, or somebody is at fault. */
  isSettled(dealer: MemberIndex): boolean {
    const { room } = this.#play
    if (room.faults.isDisqualified(dealer) || this.accepted(dealer) !== undefined) return true
    const [first] = room.board.said('dealing', dealer)
    return first !== undefined && this.#verdicts.get(room.hashOf(first.dealing)) === 'bad'
  }

  /** One whose dealer showed to hold the key that it names for itself: nothing else of it is looked at before. */
  #unopened(): SignedDealing | undefined {
    const { room } = this.#play
    for (const dealer of room.board.authors()) {
      for (const said of room.board.said('dealing', dealer)) {
        if (this.#verdicts.has(room.hashOf(said.dealing))) continue
        if (room.joinOf(dealer, said.dealing.joinKeys[dealer - 1]) !== undefined) return said
      }
    }
    return undefined
  }

  async #open(said: SignedDealing): Promise<Verdict> {
    const { ports, ceremony, room } = this.#play
    const { context } = ceremony
    const { dealing } = said
    const ownKey = room.board.said('join', context.self)[0]?.joinKey
    if (ownKey === undefined || dealing.joinKeys[context.self - 1] !== ownKey) {
      const reason = shownFault(dealing, context)
      if (reason === undefined) return 'other'
      this.#accuse(said, reason)
      return 'bad'
    }
    const opened = await ports.secrets.open(context, dealing)
    if (opened.good) return 'good'
    if (opened.fault === 'shown') this.#accuse(said, opened.reason)
    else await this.#complain(dealing, opened.reason)
    return 'bad'
  }

  #accuse(said: SignedDealing, reason: string): void {
    const { room } = this.#play
    const { dealer } = said.dealing
    const place = badCommitment(said.dealing)
    room.accuse({ member: dealer, rule: 'BAD_DEALING', reason: `member ${dealer} dealt badly: ${reason}` })
    // Whoever has not got it yet sees it too.
    room.board.show('dealing', dealer)
    if (place !== undefined) room.raiseCommitment(said, place)
  }

  async #complain(dealing: Dealing, reason: string): Promise<void> {
    const { ports, ceremony, room } = this.#play
    const { context } = ceremony
    const { dealer } = dealing
    const join = room.joinOf(dealer, dealing.joinKeys[dealer - 1])
    ports.log.warn('bad share received', { pool: context.poolId, round: context.round, dealer, reason })
    if (join === undefined || room.faults.isDisqualified(dealer)) return
    const complaint = await ports.secrets.complain(context, dealing, join.proof)
    if (complaint === null) return
    const about = room.hashOf(dealing)
    const digest = complaintDigest(context, complaint, about)
    const signature = ports.operatorKey.signOnce(complaintOnceKey(context, dealer, about), digest)
    room.complain({ kind: 'complaint', complaint, signature })
  }
}

/** What everyone can see wrong with a dealing. */
function shownFault(dealing: Dealing, shape: Parameters<typeof checkDealing>[1]): string | undefined {
  try {
    checkDealing(dealing, shape, dealing.joinKeys)
    return undefined
  } catch (error) {
    if (error instanceof DkgError) return error.message
    throw error
  }
}

/** The first commitment, from 0, that is no point of the group. */
function badCommitment(dealing: Dealing): number | undefined {
  try {
    commitmentsOf(dealing)
    return undefined
  } catch (error) {
    if (error instanceof DkgError && typeof error.data.k === 'number') return error.data.k
    throw error
  }
}
