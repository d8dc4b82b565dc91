import type { BlsSignature, Hex, MemberIndex, Root } from '../../core/ids.ts'
import type { Dealing, OpenedDealing, Reveal } from '../../core/ports/ceremony.ts'
import { aggregateSignatures, verifySignature } from '../bls/signatures.ts'
import { combinePartials } from '../bls/threshold.ts'
import { type CeremonyResult, ceremonyDigest, dkgResultDigest } from '../messages/ceremony.ts'
import type { ParticipationMessage, SignedCeremonyStatement } from '../messages/ceremony-codec.ts'
import { isJoinKey } from './dealing.ts'
import { DkgError } from './errors.ts'
import type { DkgCompletion, DkgEffect, DkgSettings, DkgStage, MemberMessage } from './machine-types.ts'
import { resultOf, transcriptOf } from './result.ts'
import { encodeTranscript } from './transcript.ts'

const NOTHING: readonly DkgEffect[] = []

type Kept<T> = Map<MemberIndex, { readonly digest: Root; readonly value: T }>

/**
 * One member's public view of one DKG round: messages, verdicts and deadlines in; broadcasts and requests out. It holds no
 * secret, no clock and no network. Whoever is silent at a stage's deadline, or breaks a rule, ends the round and is named.
 * Messages may come in any order and any number of times; it keeps one of each kind from each member.
 */
export class DkgMachine {
  readonly #settings: DkgSettings
  readonly #joins: Kept<Hex> = new Map()
  readonly #dealings: Kept<Dealing> = new Map()
  readonly #reveals: Kept<Reveal> = new Map()
  readonly #participations = new Map<MemberIndex, ParticipationMessage>()
  readonly #opened = new Map<MemberIndex, Root>()
  readonly #own: MemberMessage[] = []
  #stage: DkgStage = 'join'
  #transcript: Uint8Array | undefined
  #outcome: { readonly result: CeremonyResult; readonly digest: Root; readonly depositRoot: Root | undefined } | undefined

  constructor(settings: DkgSettings) {
    this.#settings = settings
  }

  get stage(): DkgStage {
    return this.#stage
  }

  /** Own messages so far, to repeat for those that missed them. */
  get said(): readonly MemberMessage[] {
    return this.#own
  }

  /** Is this the transcript that this member holds for right? False until it has one. */
  isTranscript(value: Uint8Array): boolean {
    return this.#transcript !== undefined && Buffer.compare(this.#transcript, value) === 0
  }

  /** An own signed join, dealing or reveal, to be broadcast. */
  say(message: SignedCeremonyStatement): readonly DkgEffect[] {
    return [...this.#tell(message), ...this.receive(this.#settings.context.self, message)]
  }

  /** Own signatures on the outcome; `depositRoot` is the signing root of the deposit message under its group key. */
  sign(message: ParticipationMessage, depositRoot: Root): readonly DkgEffect[] {
    if (this.#outcome === undefined || this.#stage !== 'sign') return NOTHING
    this.#outcome = { ...this.#outcome, depositRoot }
    const early = [...this.#participations.values()]
    this.#participations.clear()
    return [...this.#tell(message), ...[message, ...early].flatMap((each) => this.#keepParticipation(each))]
  }

  /** A message that came from a member (its own or, relayed, another's). */
  receive(from: MemberIndex, message: MemberMessage): readonly DkgEffect[] {
    if (this.#stage === 'failed' || this.#stage === 'done') return NOTHING
    if (message.kind === 'participation') {
      // Unverifiable until the outcome is known, so nobody may bring another's.
      return message.member === from ? this.#keepParticipation(message) : fault(from, 'NOT_ITS_OWN')
    }
    const digest = ceremonyDigest(this.#settings.context, message)
    switch (message.kind) {
      case 'join':
        if (!isJoinKey(message.joinKey)) return fault(from, 'BAD_JOIN_KEY')
        return this.#keep(this.#joins, { from, message, member: message.member, digest, value: message.joinKey })
      case 'dealing':
        return this.#keep(this.#dealings, { from, message, member: message.dealing.dealer, digest, value: message.dealing })
      case 'reveal':
        return this.#keep(this.#reveals, { from, message, member: message.reveal.member, digest, value: message.reveal })
    }
  }

  /** The signer's verdict on a dealing that `open` asked for. */
  opened({ dealer, good, reason }: OpenedDealing): readonly DkgEffect[] {
    const dealing = this.#dealings.get(dealer)
    if (this.#stage !== 'deal' || dealing === undefined) return NOTHING
    if (!good) return this.#fail('BAD_DEALING', [dealer], reason ?? `the dealing of member ${dealer} is bad`)
    this.#opened.set(dealer, dealing.digest)
    if (this.#opened.size < this.#settings.context.size) return NOTHING
    this.#stage = 'agree'
    this.#transcript = encodeTranscript(transcriptOf(this.#public()))
    return [{ kind: 'agree', value: this.#transcript }]
  }

  /** What QBFT decided. */
  decided(value: Uint8Array): readonly DkgEffect[] {
    if (this.#stage !== 'agree') return NOTHING
    if (!this.isTranscript(value)) return this.#fail('OTHER_TRANSCRIPT', [], 'the vault agreed on another transcript than this member saw')
    this.#stage = 'reveal'
    return [{ kind: 'reveal', qualified: this.#members() }, ...this.#advance()]
  }

  /** The current stage's time is over. With a threshold of signatures the round still succeeds. */
  deadline(): readonly DkgEffect[] {
    const missing = (kept: ReadonlyMap<MemberIndex, unknown>) => this.#members().filter((member) => !kept.has(member))
    switch (this.#stage) {
      case 'join':
        return this.#silent(missing(this.#joins))
      case 'deal':
        return this.#silent(missing(this.#dealings))
      case 'agree':
        return this.#fail('NO_AGREEMENT', [], 'the vault did not agree on a transcript in time')
      case 'reveal':
        return this.#silent(missing(this.#reveals))
      case 'sign':
        return this.#participations.size >= this.#settings.context.threshold
          ? this.#complete()
          : this.#silent(missing(this.#participations))
      default:
        return NOTHING
    }
  }

  #tell(message: MemberMessage): readonly DkgEffect[] {
    this.#own.push(message)
    return [{ kind: 'broadcast', message }]
  }

  #keep<T>(
    kept: Kept<T>,
    said: {
      readonly from: MemberIndex
      readonly message: SignedCeremonyStatement
      readonly member: MemberIndex
      readonly digest: Root
      readonly value: T
    },
  ): readonly DkgEffect[] {
    const { member, digest, value, message, from } = said
    const earlier = kept.get(member)
    if (earlier?.digest === digest) return NOTHING
    if (!this.#settings.verify(member, digest, message.signature)) return fault(from, 'BAD_SIGNATURE')
    if (earlier !== undefined) {
      // Once the transcript is fixed a second version changes nothing.
      if (this.#stage !== 'join' && this.#stage !== 'deal') return fault(member, 'EQUIVOCATION')
      return this.#fail('EQUIVOCATION', [member], `member ${member} signed two different ${message.kind} messages`)
    }
    kept.set(member, { digest, value })
    return this.#advance(member)
  }

  /** Moves on when a stage has everything; `latest` is whose message has just come. */
  #advance(latest?: MemberIndex): readonly DkgEffect[] {
    const { size } = this.#settings.context
    if (this.#stage === 'join' && this.#joins.size === size) {
      this.#stage = 'deal'
      const early = [...this.#dealings.values()]
      return [{ kind: 'deal', joinKeys: this.#joinKeys() }, ...early.flatMap(({ value }) => this.#open(value))]
    }
    if (this.#stage === 'deal' && latest !== undefined && !this.#opened.has(latest)) {
      const dealing = this.#dealings.get(latest)
      return dealing === undefined ? NOTHING : this.#open(dealing.value)
    }
    if (this.#stage === 'reveal' && this.#reveals.size === size) return this.#derive()
    return NOTHING
  }

  #open(dealing: Dealing): readonly DkgEffect[] {
    const { dealer } = dealing
    const joinKeys = this.#joinKeys()
    const strange = dealing.joinKeys.some((key, i) => key !== joinKeys[i])
    if (strange) return this.#fail('BAD_DEALING', [dealer], `member ${dealer} dealt to other join keys than were announced`)
    return [{ kind: 'open', dealing }]
  }

  #derive(): readonly DkgEffect[] {
    try {
      const reveals = this.#members().flatMap((member) => this.#reveals.get(member)?.value ?? [])
      const result = resultOf({ ...this.#public(), reveals })
      this.#stage = 'sign'
      this.#outcome = { result, digest: dkgResultDigest(this.#settings.context, result), depositRoot: undefined }
      return [{ kind: 'sign', result }]
    } catch (error) {
      if (!(error instanceof DkgError)) throw error
      const { member } = error.data
      return this.#fail(error.code, typeof member === 'number' ? [member as MemberIndex] : [], error.message)
    }
  }

  #keepParticipation(message: ParticipationMessage): readonly DkgEffect[] {
    const { member, partial, participation } = message
    const outcome = this.#outcome
    if (this.#participations.has(member)) return NOTHING
    // Nothing to verify it against yet: `sign` looks at it again. A forged one is dropped then and its sender's may follow.
    if (outcome?.depositRoot === undefined) {
      this.#participations.set(member, message)
      return NOTHING
    }
    const share = outcome.result.publicShares[member - 1]
    const key = this.#settings.signingKeys[member - 1]
    const good =
      share !== undefined &&
      key !== undefined &&
      verifySignature(share, outcome.depositRoot, partial) &&
      verifySignature(key, outcome.digest, participation)
    if (!good) return fault(member, 'BAD_PARTICIPATION')
    this.#participations.set(member, message)
    return this.#participations.size === this.#settings.context.size ? this.#complete() : NOTHING
  }

  #complete(): readonly DkgEffect[] {
    const outcome = this.#outcome
    if (outcome?.depositRoot === undefined) return this.#silent([this.#settings.context.self])
    const signed = [...this.#participations.values()].toSorted((a, b) => a.member - b.member)
    const partials = signed.map(({ member, partial }) => ({ index: member, signature: partial }))
    const completion: DkgCompletion = {
      result: outcome.result,
      depositSignature: combinePartials(partials, this.#settings.context.threshold),
      participants: signed.map(({ member }) => member),
      aggregateSignature: aggregateSignatures(signed.map(({ participation }): BlsSignature => participation)),
    }
    this.#stage = 'done'
    return [{ kind: 'done', completion }]
  }

  #silent(members: readonly MemberIndex[]): readonly DkgEffect[] {
    return this.#fail('SILENT', members, `no message at stage "${this.#stage}" from members ${members.join(', ')}`)
  }

  #fail(rule: string, members: readonly MemberIndex[], message: string): readonly DkgEffect[] {
    const stage = this.#stage
    this.#stage = 'failed'
    return [{ kind: 'failed', failure: { stage, rule, members, message } }]
  }

  #members(): readonly MemberIndex[] {
    return Array.from({ length: this.#settings.context.size }, (_, i) => (i + 1) as MemberIndex)
  }

  #joinKeys(): readonly Hex[] {
    return this.#members().flatMap((member) => this.#joins.get(member)?.value ?? [])
  }

  #public() {
    const dealings = this.#members().map((member) => this.#dealings.get(member)?.value ?? null)
    return { context: this.#settings.context, joinKeys: this.#joinKeys(), dealings, qualified: this.#members() }
  }
}

const fault = (member: MemberIndex, rule: string): readonly DkgEffect[] => [{ kind: 'fault', member, rule }]
