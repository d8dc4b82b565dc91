import type { MemberIndex } from '../core/ids.ts'
import { faultsOf } from '../core/vault.ts'
import { DkgError } from '../protocol/dkg/errors.ts'
import { decodeTranscript, encodeTranscript, receiversOf, type Transcript, transcriptOf } from '../protocol/dkg/transcript.ts'
import { CodecError } from '../protocol/messages/bytes.ts'
import { agreedBytes } from '../protocol/messages/ceremony-codec.ts'
import { domainSeparatorOf } from '../protocol/messages/eip712.ts'
import { INSTANCE_CODES } from '../protocol/qbft/types.ts'
import { Agreement } from './agreement.ts'
import type { Dealings } from './dealings.ts'
import { type Play, slotsInMs } from './play.ts'
import type { Roster } from './roster.ts'

/**
 * Stage agree: one transcript for the whole vault, by the duties' QBFT. A member signs the transcript that it would propose
 * itself, or one that a quorum has prepared before. It proposes:
 * - all dealers that broke no rule, as soon as each of them has dealt and every other member has said that all those dealings
 *   are good: then nobody can have a complaint;
 * - once it is `late`, those whose dealing it holds and n − f members have said is good. Each honest dealer is among them, since
 *   its dealing came to all honest members in time; and none that one honest member has a complaint about, since that has come.
 */
export class Transcripts {
  readonly agreement: Agreement
  readonly #play: Play
  readonly #roster: Roster
  readonly #dealings: Dealings
  #isLate = false
  #last: { readonly id: string; readonly value: Uint8Array | undefined } = { id: '', value: undefined }

  constructor(play: Play, roster: Roster, dealings: Dealings) {
    this.#play = play
    this.#roster = roster
    this.#dealings = dealings
    const { ports, ceremony, room } = play
    const { context, members } = ceremony
    const { poolId, round, size, threshold, self } = context
    this.agreement = new Agreement({
      instance: { poolId, slot: round, duty: INSTANCE_CODES.ceremony },
      domainSeparator: domainSeparatorOf(context),
      members,
      quorum: threshold,
      self,
      // Everyone has all messages by then, so it is short.
      firstRoundMs: slotsInMs(play, 1),
      maxValueBytes: agreedBytes('transcript', size),
      input: () => this.#candidate(),
      isValid: (value, vouched) => this.#isValid(value, vouched),
      send: (message, to) => room.sayQbft('transcript', message, to),
      operatorKey: ports.operatorKey,
      verifyEcdsa: ports.verifyEcdsa,
      clock: ports.clock,
      log: ports.log,
    })
    room.listen('transcript', (from, message) => this.agreement.receive(from, message))
    void this.agreement.decided.then(() => room.board.wake())
  }

  /** Members that take part and broke no rule, and have not said that all dealings of such members are good. */
  unchecked(): readonly MemberIndex[] {
    const { live, finds } = this.#view()
    return live.filter((member) => !live.every((dealer) => finds(member, dealer)))
  }

  /** Every member has had its time: who has not spoken is not waited for. */
  expire(): void {
    this.#isLate = true
    this.#play.room.board.wake()
  }

  /** The transcript decided on, once it is. */
  decided(): Transcript | undefined {
    const { decision } = this.agreement
    return decision && decodeTranscript(decision.value, this.#play.ceremony.context.size)
  }

  /** Who takes part, who of them broke no rule, and whether a member has said that what self accepts of a dealer is good. */
  #view() {
    const { room } = this.#play
    const members = this.#roster.members ?? []
    const live = members.filter((member) => !room.faults.isDisqualified(member))
    const hashes = new Map(
      live.flatMap((dealer) => {
        const dealing = this.#dealings.accepted(dealer)
        return dealing === undefined ? [] : [[dealer, room.hashOf(dealing)] as const]
      }),
    )
    const finds = (member: MemberIndex, dealer: MemberIndex): boolean => {
      const hash = hashes.get(dealer)
      const [said, other] = room.board.said('checked', member)
      // Who says two things says nothing.
      return hash !== undefined && other === undefined && said?.dealings[dealer - 1] === hash
    }
    return { members, live, finds }
  }

  #candidate(): Uint8Array | undefined {
    const { size, threshold } = this.#play.ceremony.context
    const { members, live, finds } = this.#view()
    const isComplete = live.length > 0 && live.every((member) => live.every((dealer) => finds(member, dealer)))
    if (!isComplete && !this.#isLate) return undefined
    const needed = size - faultsOf(size)
    const qualified = isComplete ? live : live.filter((dealer) => members.filter((member) => finds(member, dealer)).length >= needed)
    return qualified.length < threshold ? undefined : this.#encode(qualified)
  }

  #encode(qualified: readonly MemberIndex[]): Uint8Array | undefined {
    const { room, ceremony } = this.#play
    const { context } = ceremony
    const dealings = room.board.authors().map((member) => this.#dealings.accepted(member) ?? null)
    const id = dealings
      .map((dealing, at) => (dealing !== null && qualified.includes((at + 1) as MemberIndex) ? room.hashOf(dealing) : ''))
      .join()
    if (id === this.#last.id) return this.#last.value
    const transcript = transcriptOf({ context, dealings, qualified })
    const value = receiversOf(transcript).length < context.threshold ? undefined : encodeTranscript(transcript)
    this.#last = { id, value }
    return value
  }

  #isValid(value: Uint8Array, vouched: boolean): boolean {
    const own = this.#candidate()
    if (own !== undefined && Buffer.compare(own, value) === 0) return true
    return vouched && this.#isWhole(value)
  }

  /** A transcript as such, of dealings that self holds. */
  #isWhole(value: Uint8Array): boolean {
    const { room, ceremony } = this.#play
    const { context } = ceremony
    try {
      const { qualified, dealingHashes } = decodeTranscript(value, context.size)
      const dealings = dealingHashes.map((hash, at) =>
        hash === null ? null : (room.dealingOf((at + 1) as MemberIndex, hash)?.dealing ?? null),
      )
      const transcript = transcriptOf({ context, dealings, qualified })
      const isEnough = qualified.length >= context.threshold && receiversOf(transcript).length >= context.threshold
      return isEnough && Buffer.compare(encodeTranscript(transcript), value) === 0
    } catch (error) {
      if (error instanceof CodecError || error instanceof DkgError) return false
      throw error
    }
  }
}
