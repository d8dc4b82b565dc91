import type { Hex, MemberIndex } from '../core/ids.ts'
import { CodecError } from '../protocol/messages/bytes.ts'
import { agreedBytes, decodeRoster, encodeRoster, type SignedJoin } from '../protocol/messages/ceremony-codec.ts'
import { domainSeparatorOf } from '../protocol/messages/eip712.ts'
import { INSTANCE_CODES } from '../protocol/qbft/types.ts'
import { Agreement } from './agreement.ts'
import { type Play, patiently, pause, slotsInMs } from './play.ts'

/** Slots in which all can join: then a ceremony begins without an agreement on who takes part. */
const JOIN_SLOTS = 4
/** Slots in which what one member has heard comes to all. */
const SPREAD_SLOTS = 1

type Joins = ReadonlyMap<MemberIndex, SignedJoin>

/**
 * Who takes part. When all have joined in time: all. Else the members agree on it, so that every honest one deals to the same
 * members. Three points of time make that safe while messages spread within a slot: whoever began with all of them did so
 * before the first, so by the second every honest member knows all joins, and refuses any roster without a member that it knows
 * then; at the third, the leader knows whatever one of them knew at the second.
 */
export class Roster {
  readonly #play: Play
  readonly #agreement: Agreement
  readonly #decided: Promise<void>
  #joins: Joins | undefined
  #required: readonly MemberIndex[] | undefined

  constructor(play: Play) {
    this.#play = play
    const { ports, ceremony, room } = play
    const { context, members } = ceremony
    const { poolId, round, size, threshold, self } = context
    this.#agreement = new Agreement({
      instance: { poolId, slot: round, duty: INSTANCE_CODES.roster },
      domainSeparator: domainSeparatorOf(context),
      members,
      quorum: threshold,
      self,
      firstRoundMs: slotsInMs(play, 1),
      maxValueBytes: agreedBytes('roster', size),
      input: () => (room.board.got('join').size < threshold ? undefined : encodeRoster(room.board.got('join'), size)),
      isValid: (value, vouched) => this.#isValid(value, vouched),
      send: (message, to) => room.sayQbft('roster', message, to),
      operatorKey: ports.operatorKey,
      verifyEcdsa: ports.verifyEcdsa,
      clock: ports.clock,
      log: ports.log,
    })
    room.listen('roster', (from, message) => this.#agreement.receive(from, message))
    this.#decided = this.#agreement.decided.then((value) => this.#decide(value))
  }

  /** Ascending; undefined until it is known. */
  get members(): readonly MemberIndex[] | undefined {
    return this.#joins && [...this.#joins.keys()].sort((a, b) => a - b)
  }

  includes(member: MemberIndex): boolean {
    return this.#joins?.has(member) ?? false
  }

  /** In vault order, null for who does not take part. */
  get joinKeys(): readonly (Hex | null)[] {
    return this.#play.room.board.authors().map((member) => this.#joins?.get(member)?.joinKey ?? null)
  }

  /** Resolves when it is known who takes part, or when that has become needless. */
  async settle(isNeedless: () => boolean): Promise<void> {
    const { room, progress } = this.#play
    const { board } = room
    progress.enter('join', slotsInMs(this.#play, JOIN_SLOTS))
    const isKnown = (): true | undefined => (this.#joins !== undefined || isNeedless() ? true : undefined)
    await patiently(
      this.#play,
      () => {
        const missing = board.missing('join')
        progress.waitFor(missing)
        return missing.length === 0 ? true : isKnown()
      },
      JOIN_SLOTS,
    )
    if (isKnown()) return
    if (board.missing('join').length === 0) {
      this.#set(board.got('join'))
      void this.#helpOthers()
      return
    }
    await patiently(this.#play, isKnown, SPREAD_SLOTS)
    this.#required = [...board.got('join').keys()]
    await patiently(this.#play, isKnown, SPREAD_SLOTS)
    this.#agreement.start()
    await board.until(() => {
      progress.waitFor(board.missing('join'))
      this.#agreement.reconsider()
      return isKnown()
    }, this.#play.signal)
  }

  close(): void {
    this.#agreement.close()
  }

  /** Who heard of the last join only late cannot know that all the others began with it: it needs them to agree. */
  async #helpOthers(): Promise<void> {
    try {
      await pause(this.#play, JOIN_SLOTS + 2 * SPREAD_SLOTS)
      if (this.#play.room.board.missing('dealing').length > 0) this.#agreement.start()
      await this.#decided
    } catch {
      // The round is over.
    }
  }

  #isValid(value: Uint8Array, vouched: boolean): boolean {
    const { room, ceremony } = this.#play
    const { size, threshold } = ceremony.context
    try {
      const joins = decodeRoster(value, size)
      // Who signed a join for each of the others is out, and its many joins must not keep them from agreeing.
      const isOut = (member: MemberIndex): boolean => room.faults.isDisqualified(member)
      const stands = (join: SignedJoin): boolean => room.learnJoin(join) || (isOut(join.member) && room.isGenuine(join))
      if (joins.length < threshold || !joins.every(stands)) return false
      const named = new Set(joins.map(({ member }) => member))
      const required = this.#required ?? [...room.board.got('join').keys()]
      return vouched || required.every((member) => named.has(member) || isOut(member))
    } catch (error) {
      if (error instanceof CodecError) return false
      throw error
    }
  }

  #decide(value: Uint8Array): void {
    const { room, ceremony, ports } = this.#play
    const joins = decodeRoster(value, ceremony.context.size)
    for (const join of joins) room.learnJoin(join)
    if (this.#agreement.decision !== undefined) room.keepDecision('roster', this.#agreement.decision)
    this.#set(new Map(joins.map((join) => [join.member, join])))
    const { poolId, round } = ceremony.context
    ports.log.info('agreed on who takes part in a ceremony', { pool: poolId, round, members: this.members })
    room.board.wake()
  }

  #set(joins: Joins): void {
    this.#joins = joins
    this.#play.progress.agreed({ roster: this.members ?? [] })
  }
}
