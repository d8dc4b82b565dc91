import { OpenPoolsError } from '../../core/errors.ts'
import type { Epoch, ProducerId, Root } from '../../core/ids.ts'
import type { DutyRecord } from '../../core/report.ts'
import { faultsOf } from '../../core/vault.ts'
import type { DutyCertificate } from '../../protocol/messages/certificate.ts'
import { deriveDutyRecord } from '../../protocol/state/duty-points.ts'
import { Bounded } from './bounded.ts'
import { countBits, countHeld, type Held, isNearlyWhole, largest } from './completeness.ts'
import type { SetProposal } from './exchange.ts'
import { type Judged, Judging, type JudgingPorts, type Making, othersOf } from './judging.ts'
import { everyInSlices, inTurns } from './slices.ts'

/** Proposals kept: of a few reports, by every member of their committees, the last ones of each. */
const EPOCHS_KEPT = 8
const HISTORIES_KEPT = 16
/** Turns whose leaders' sets are looked at, the first ones: of n members one is honest long before. */
export const MAX_TURNS = 12
/** Certificates in one turn of the event loop: looked up, and verified. */
const LOOKED_UP_A_TURN = 128
const VERIFIED_A_TURN = 1

export class SetLostError extends OpenPoolsError<'SET_LOST'> {}

type Turns = { readonly first: number; readonly turns: number }

/** The committee's way to one set of certificates for a report: leaders propose theirs, the others fetch and judge them. */
export class SetProposals {
  readonly judging: Judging
  readonly #ports: JudgingPorts
  readonly #proposals = new Map<Epoch, Map<ProducerId, Map<number, Root>>>()
  readonly #own = new Bounded<Root>(EPOCHS_KEPT)
  readonly #held = new Bounded<Held>(2)
  readonly #right = new Bounded<boolean>(EPOCHS_KEPT * MAX_TURNS)
  readonly #whole = new Bounded<boolean>(EPOCHS_KEPT * MAX_TURNS)
  readonly #bits = new Bounded<number>(EPOCHS_KEPT * MAX_TURNS)
  readonly #records = new Bounded<DutyRecord>(2 * MAX_TURNS)

  constructor(ports: JudgingPorts) {
    this.#ports = ports
    this.judging = new Judging(ports)
  }

  /**
   * A proposal by a member of the report's committee: the first of each member for each history counts. It is fetched when its
   * sender's turn has come, so that nobody can keep others busy with sets that are not needed.
   */
  receive(from: ProducerId, { epoch, history, hash }: SetProposal): void {
    const ofEpoch = this.#proposals.get(epoch) ?? new Map<ProducerId, Map<number, Root>>()
    this.#proposals.set(epoch, ofEpoch)
    const own = ofEpoch.get(from) ?? new Map<number, Root>()
    ofEpoch.set(from, own)
    if (!own.has(history)) own.set(history, hash)
    for (const oldest of own.keys()) {
      if (own.size <= HISTORIES_KEPT) break
      own.delete(oldest)
    }
    while (this.#proposals.size > EPOCHS_KEPT) this.#proposals.delete(Math.min(...this.#proposals.keys()) as Epoch)
  }

  /**
   * Hashes of the sets that this member may sign for, of the leaders up to this turn, that it has and found right; those with most
   * bits first. For the first f + 1 turns, of which one is an honest member's, only those that hide next to nothing that it has
   * itself; then those that hide next to nothing that the others of them have.
   */
  async candidates(making: Making, judged: Judged, { first, turns }: Turns): Promise<readonly Root[]> {
    const { epoch, standing, committee } = making
    const isStrict = turns < Math.min(faultsOf(committee.length) + 1, MAX_TURNS)
    // Before any set is judged, whose bits would be this node's own from then on.
    const held = await this.#heldFor(making, judged)
    const bits = new Map<Root, number>()
    for (let turn = 0; turn <= Math.min(turns, committee.length - 1, MAX_TURNS - 1); turn++) {
      const leader = committee[(first + turn) % committee.length]
      if (leader === undefined) continue
      const isOwn = leader.id === this.#ports.exchange.self
      const hash = isOwn ? await this.#propose(making, judged) : this.#proposals.get(epoch)?.get(leader.id)?.get(standing.history)
      if (hash === undefined || bits.has(hash)) continue
      if (!isOwn && !(await this.#hasRight(hash, { making, judged, leader: leader.id }))) continue
      if (isStrict && !isOwn && !(await this.#hidesNothing(hash, held, judged))) continue
      bits.set(hash, await this.#bitsOf(hash, judged))
    }
    return isStrict ? [...bits.keys()].toSorted((a, b) => (bits.get(b) ?? 0) - (bits.get(a) ?? 0)) : largest(bits)
  }

  /** What a report with this set says of duties; worked out once. Throws when this node does not have the set. */
  async record(making: Making, judged: Judged, hash: Root): Promise<DutyRecord> {
    const { epoch, state, standing } = making
    const key = `${judged.key}/${hash}`
    const known = this.#records.get(key)
    if (known !== undefined) return known
    const certificates = await this.#setOf(hash)
    const { duties, earlier } = judged
    const { parameters } = this.#ports
    const report = { epoch, ...standing }
    const record = await inTurns(deriveDutyRecord({ state, report, certificates, certificatesHash: hash, parameters, duties, earlier }))
    this.#records.set(key, record)
    return record
  }

  /** Proposes the set made of what this node has, once made always the same one; said again, it may have been lost. */
  async #propose(making: Making, judged: Judged): Promise<Root> {
    const { epoch, standing, committee } = making
    const { exchange } = this.#ports
    const key = `${epoch}/${standing.history}`
    const known = this.#own.get(key)
    const kept = known !== undefined && exchange.sets.has(known) ? known : undefined
    const hash = kept ?? (await exchange.sets.add((await this.judging.collect(making, judged)).map(({ certificate }) => certificate)))
    this.#own.set(key, hash)
    exchange.propose(othersOf(committee, exchange.self), { epoch, history: standing.history, hash })
    return hash
  }

  /** Has this node a proposed set, and found it right? It is fetched, and judged, unless it was found wrong. */
  async #hasRight(
    hash: Root,
    { making, judged, leader }: { readonly making: Making; readonly judged: Judged; readonly leader: ProducerId },
  ): Promise<boolean> {
    const { sets, fetching, self } = this.#ports.exchange
    const known = this.#right.get(`${judged.key}/${hash}`)
    if (known === false) return false
    if (sets.has(hash)) return known ?? this.#isRight(hash, await this.#setOf(hash), judged)
    fetching.start(hash, [leader, ...othersOf(making.committee, self)], {
      purpose: judged.key,
      most: judged.most,
      fits: judged.counts,
      isRight: (fetched) => this.#isRight(hash, fetched, judged),
    })
    return false
  }

  async #setOf(hash: Root): Promise<readonly DutyCertificate[]> {
    const set = await this.#ports.exchange.sets.get(hash)
    if (set === undefined) throw new SetLostError('SET_LOST', `expected the set of certificates ${hash} to be kept, it is not`, { hash })
    return set
  }

  /** Every certificate of a duty judged, by its vault, with a signature behind each bit. Remembered, and merged into what is known. */
  async #isRight(hash: Root, set: readonly DutyCertificate[], { key, counts }: Judged): Promise<boolean> {
    const known = this.#right.get(`${key}/${hash}`)
    if (known !== undefined) return known
    const { exchange } = this.#ports
    const news: DutyCertificate[] = []
    const fits = (certificate: DutyCertificate): boolean => {
      if (!exchange.isKnown(certificate)) news.push(certificate)
      return counts(certificate)
    }
    const right =
      (await everyInSlices(set, LOOKED_UP_A_TURN, fits)) && (await everyInSlices(news, VERIFIED_A_TURN, (one) => exchange.isValid(one)))
    this.#right.set(`${key}/${hash}`, right)
    if (right) await everyInSlices(news, VERIFIED_A_TURN, (one) => exchange.book.merge(one) || true)
    return right
  }

  /** Does a set have nearly all that this node had when it began with the report? */
  async #hidesNothing(hash: Root, held: Held, judged: Judged): Promise<boolean> {
    const key = `${judged.key}/${hash}`
    const known = this.#whole.get(key)
    if (known !== undefined) return known
    const whole = await isNearlyWhole(await this.#setOf(hash), held)
    this.#whole.set(key, whole)
    return whole
  }

  /** Bits of a set that no report had so far. */
  async #bitsOf(hash: Root, judged: Judged): Promise<number> {
    const key = `${judged.key}/${hash}`
    const known = this.#bits.get(key)
    if (known !== undefined) return known
    const bits = await countBits(await this.#setOf(hash), judged.newsOf)
    this.#bits.set(key, bits)
    return bits
  }

  async #heldFor(making: Making, judged: Judged): Promise<Held> {
    const known = this.#held.get(judged.key)
    if (known !== undefined) return known
    const collected = await this.judging.collect(making, judged)
    const held = await countHeld(collected.map(({ certificate, news }) => ({ ...certificate, participation: news })))
    this.#held.set(judged.key, held)
    return held
  }
}
