import type { BlsSignature, MemberIndex, Milliseconds } from '../core/ids.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Log } from '../core/ports/log.ts'
import type { Network } from '../core/ports/network.ts'
import type { PartialMessage } from '../protocol/messages/duty.ts'
import { encodePartialFrame } from '../protocol/messages/duty.ts'
import type { Certifier } from './certifier.ts'
import { DutyError } from './reasons.ts'
import { orAbort } from './time.ts'
import type { Duty, DutyPool, DutyType, OwnSigned, Signed, ThresholdScheme } from './types.ts'
import { DUTY_CODES, dutyId } from './types.ts'

/** Answers to one member's requests for one partial signature. */
const MAX_ANSWERS = 64

const NO_TIMERS = { cancelResend: () => {}, cancelCertify: () => {} }

export type PartialsPorts = {
  readonly clock: Clock
  readonly network: Network
  readonly scheme: ThresholdScheme
  readonly certifier: Certifier
  readonly log: Log
  /** Pause before asking again for missing partials; doubles each time, up to the longest. */
  readonly resendMs: number
  readonly longestPauseMs: number
  /** From the own partial signature to the signing key's over the certificate, which nobody waits for. */
  readonly certifyMs: number
}

type Key = Pick<Duty, 'type' | 'pool' | 'slot'>

type Collection = {
  readonly key: Key
  /** The latest partial of each member, the own one included. */
  readonly partials: Map<MemberIndex, Signed>
  /** Members caught with a bad partial: each new one would cost a combination. */
  readonly culprits: Set<MemberIndex>
  readonly answered: Map<MemberIndex, number>
  own: Signed | undefined
  readonly signature: PromiseWithResolvers<BlsSignature>
  complete: boolean
  cancelResend: () => void
  cancelCertify: () => void
}

/** Exchanges partial signatures and combines a threshold of them into the group's. */
export class Partials {
  readonly #ports: PartialsPorts
  readonly #collections = new Map<string, Collection>()

  constructor(ports: PartialsPorts) {
    this.#ports = ports
  }

  /** A partial signature from a member. Kept, one a member, also before this member has signed. */
  receive(key: Key, from: MemberIndex, message: PartialMessage): void {
    const collection = this.#collectionOf(key)
    if (message.wanted) this.#answer(collection, from)
    if (collection.culprits.has(from)) return
    const signed = { root: message.root, partial: message.signature, certified: message.certified }
    this.#ports.certifier.take(key, from, signed)
    if (collection.complete) return
    collection.partials.set(from, signed)
    this.#tryCombine(collection)
  }

  /**
   * Records the own partial signature and sends it to the vault; asks again until the group signature is complete. What goes
   * into the duty's certificate follows later, off the way of the signature.
   */
  share(duty: Duty, { root, partial, certify }: OwnSigned, signal: AbortSignal): void {
    const collection = this.#collectionOf(duty)
    const signed = { root, partial, certified: undefined }
    collection.own = signed
    collection.partials.set(duty.pool.self, signed)
    this.#broadcast(collection, signed, false)
    this.#resendAfter(collection, this.#ports.resendMs, signal)
    if (certify !== undefined) {
      const { clock, certifyMs } = this.#ports
      const at = (clock.now() + certifyMs) as Milliseconds
      collection.cancelCertify = clock.at(at, () => this.#certify(collection, { ...signed, certified: certify() }))
    }
    // The others wait for the own partial: it leaves first, a combination takes a millisecond.
    queueMicrotask(() => this.#tryCombine(collection))
  }

  /** The group signature, verified under the group key. Rejects with `DutyError` when the signal aborts first. */
  aggregate(duty: Duty, signal: AbortSignal): Promise<BlsSignature> {
    const { own, partials, signature } = this.#collectionOf(duty)
    const tooFew = (): DutyError => {
      const matching = [...partials.values()].filter(({ root }) => root === own?.root).length
      return new DutyError('TOO_FEW_PARTIALS', `${matching} of ${duty.pool.quorum}`)
    }
    return orAbort(signature.promise, signal, tooFew)
  }

  /** Asks the others at once for what is missing: it is needed now. */
  hurry(key: Key): void {
    const { complete, own } = this.#collectionOf(key)
    if (!complete && own !== undefined) this.#broadcast(this.#collectionOf(key), own, true)
  }

  /** Forgets collections of slots before those that may still be asked for. */
  prune(before: (type: DutyType) => number): void {
    for (const [id, { key, cancelResend, cancelCertify }] of this.#collections) {
      if (key.slot >= before(key.type)) continue
      cancelResend()
      cancelCertify()
      this.#collections.delete(id)
    }
  }

  #tryCombine(collection: Collection): void {
    const { key, own, partials } = collection
    const { pool } = key
    if (own === undefined || collection.complete) return
    for (;;) {
      const usable = [...partials].filter(([, { root }]) => root === own.root)
      if (usable.length < pool.quorum) return
      const chosen = usable.slice(0, pool.quorum).map(([index, { partial }]) => ({ index, signature: partial }))
      const signature = this.#combine(pool, own, chosen)
      if (signature !== undefined) {
        collection.complete = true
        collection.cancelResend()
        collection.signature.resolve(signature)
        this.#ports.certifier.complete(key, own.root)
        return
      }
      if (!this.#dropCulprits(collection, own)) return
    }
  }

  #combine(pool: DutyPool, { root }: Signed, chosen: Parameters<ThresholdScheme['combine']>[0]): BlsSignature | undefined {
    try {
      const signature = this.#ports.scheme.combine(chosen, pool.quorum)
      return this.#ports.scheme.verify(pool.groupKey, root, signature) ? signature : undefined
    } catch {
      return undefined // a partial that is no point: found below
    }
  }

  /** Checks the partials one by one, which is only worth it when the combination failed. Was one dropped? */
  #dropCulprits({ key, partials, culprits }: Collection, { root }: Signed): boolean {
    let dropped = false
    for (const [member, signed] of [...partials]) {
      const share = key.pool.publicShares[member - 1]
      if (signed.root !== root || (share !== undefined && this.#ports.scheme.verify(share, root, signed.partial))) continue
      partials.delete(member)
      culprits.add(member)
      dropped = true
      const producer = key.pool.members[member - 1]
      this.#ports.log.warn('a vault member sent a bad partial signature', { duty: dutyId(key), member, producer })
    }
    return dropped
  }

  #resendAfter(collection: Collection, pauseMs: number, signal: AbortSignal): void {
    const { clock } = this.#ports
    collection.cancelResend()
    collection.cancelResend = clock.at((clock.now() + pauseMs) as Milliseconds, () => {
      if (collection.complete || signal.aborted || collection.own === undefined) return
      this.#broadcast(collection, collection.own, true)
      this.#resendAfter(collection, Math.min(pauseMs * 2, this.#ports.longestPauseMs), signal)
    })
  }

  #certify(collection: Collection, signed: Signed): void {
    collection.own = signed
    this.#ports.certifier.take(collection.key, collection.key.pool.self, signed)
    this.#broadcast(collection, signed, false)
  }

  #answer(collection: Collection, to: MemberIndex): void {
    const { own, answered } = collection
    const times = answered.get(to) ?? 0
    if (own === undefined || times >= MAX_ANSWERS) return
    answered.set(to, times + 1)
    this.#send(collection, to, own, false)
  }

  #broadcast(collection: Collection, signed: Signed, wanted: boolean): void {
    for (let to = 1; to <= collection.key.pool.members.length; to++) this.#send(collection, to as MemberIndex, signed, wanted)
  }

  #send({ key }: Collection, to: MemberIndex, { root, partial, certified }: Signed, wanted: boolean): void {
    const producer = key.pool.members[to - 1]
    if (producer === undefined || to === key.pool.self) return
    const instance = { poolId: key.pool.poolId, slot: key.slot, duty: DUTY_CODES[key.type] }
    this.#ports.network.send(producer, 'duty', encodePartialFrame(instance, { root, signature: partial, wanted, certified }))
  }

  #collectionOf(key: Key): Collection {
    const id = `${dutyId(key)}@${key.pool.round}`
    let collection = this.#collections.get(id)
    if (collection === undefined) {
      const signature = Promise.withResolvers<BlsSignature>()
      const empty = { partials: new Map(), culprits: new Set<MemberIndex>(), answered: new Map() }
      collection = { key, ...empty, own: undefined, signature, complete: false, ...NO_TIMERS }
      this.#collections.set(id, collection)
    }
    return collection
  }
}
