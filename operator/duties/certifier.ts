import { reasonOf } from '../core/errors.ts'
import type { BlsSignature, MemberIndex, Milliseconds, PublicKey, Root } from '../core/ids.ts'
import type { SignatureAggregation } from '../core/ports/aggregation.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Log } from '../core/ports/log.ts'
import type { CertificateSigner } from '../core/ports/signer.ts'
import { type CertifiedDuty, certificateDigest, type DutyCertificate } from '../protocol/messages/certificate.ts'
import type { Duty, DutyType } from './types.ts'
import { DUTY_CODES, dutyId } from './types.ts'

/** Where certificates go, and what is there already. */
export type CertificateSink = {
  /** Members known to have taken part: bit i for member index i + 1. */
  participation(duty: CertifiedDuty): bigint
  /** A certificate whose every signature was verified. */
  add(certificate: DutyCertificate): void
}

export type CertifierPorts = {
  readonly clock: Clock
  readonly log: Log
  readonly signer: CertificateSigner
  readonly aggregation: SignatureAggregation
  readonly sink: CertificateSink
  /** EIP-712 domain separator of Disputes. */
  readonly domainSeparator: Root
  /** From the group signature to the first member's certificate, and from each member's turn to the next one's. */
  readonly pauseMs: number
  readonly turnMs: number
}

type Key = Pick<Duty, 'type' | 'pool' | 'slot'>

/** What one member sent: its partial signature, and its signing key's over the certificate. */
export type Testimony = { readonly root: Root; readonly partial: BlsSignature; readonly certified: BlsSignature | undefined }
type Complete = { readonly partial: BlsSignature; readonly certified: BlsSignature }

type Case = {
  readonly key: Key
  /** Of the group signature, once there is one. */
  root: Root | undefined
  /** Not judged yet, one a member. */
  readonly waiting: Map<MemberIndex, Testimony>
  readonly culprits: Set<MemberIndex>
  certified: bigint
  cancel: (() => void) | undefined
}

/** Duties that reports judge: the others leave no trace that they could be held against. */
const CERTIFIED: readonly DutyType[] = ['attestation', 'proposal']

/**
 * Makes the certificates of duties done, off their critical path: a while after the group signature, in turns, so that the
 * member whose turn comes later finds them made. What comes late makes a certificate of its own, to be merged.
 */
export class Certifier {
  readonly #ports: CertifierPorts
  readonly #cases = new Map<string, Case>()

  constructor(ports: CertifierPorts) {
    this.#ports = ports
  }

  /** What signs the certificate of a duty that is being signed, recorded with it. None where the gate refuses: the duty goes on. */
  promise(duty: Key, signingRoot: Root): (() => BlsSignature) | undefined {
    if (!CERTIFIED.includes(duty.type)) return undefined
    try {
      return this.#ports.signer.certify(certifiedOf(duty, signingRoot))
    } catch (failure) {
      this.#ports.log.warn('a duty is done without a certificate', { duty: dutyId(duty), reason: reasonOf(failure) })
      return undefined
    }
  }

  /** A member's message, the own one included. Nothing is verified now. */
  take(key: Key, member: MemberIndex, testimony: Testimony): void {
    if (!CERTIFIED.includes(key.type) || testimony.certified === undefined) return
    const one = this.#caseOf(key)
    if (one.culprits.has(member) || one.certified & bitOf(member)) return
    one.waiting.set(member, testimony)
    if (one.root !== undefined) this.#schedule(one)
  }

  /** The group signature over this root is out: from now on there is time for certificates. */
  complete(key: Key, root: Root): void {
    if (!CERTIFIED.includes(key.type)) return
    const one = this.#caseOf(key)
    one.root = root
    this.#schedule(one)
  }

  /** Forgets the duties of slots before. */
  prune(before: number): void {
    for (const [id, { key, cancel }] of this.#cases) {
      if (key.slot >= before) continue
      cancel?.()
      this.#cases.delete(id)
    }
  }

  #schedule(one: Case): void {
    if (one.cancel !== undefined) return
    const { clock, pauseMs, turnMs } = this.#ports
    const { self, members } = one.key.pool
    const turn = (self - 1 + one.key.slot) % members.length
    one.cancel = clock.at((clock.now() + pauseMs + turn * turnMs) as Milliseconds, () => {
      one.cancel = undefined
      this.#certify(one)
    })
  }

  #certify(one: Case): void {
    const { key, root } = one
    if (root === undefined) return
    const duty = certifiedOf(key, root)
    const known = this.#ports.sink.participation(duty) | one.certified
    const fresh = new Map<MemberIndex, Complete>()
    for (const [member, { root: signed, partial, certified }] of one.waiting) {
      if (certified !== undefined && signed === root && !(known & bitOf(member))) fresh.set(member, { partial, certified })
    }
    one.waiting.clear()
    const good = this.#valid(one, duty, fresh)
    if (good.size === 0) return
    const participation = [...good.keys()].reduce((bits, member) => bits | bitOf(member), 0n)
    const signature = this.#ports.aggregation.aggregate([...good.values()].map(({ certified }) => certified))
    one.certified |= participation
    this.#ports.sink.add({ ...duty, participation, signature })
  }

  /** Those with both signatures valid: all checked at once, and one by one only when that fails. */
  #valid(one: Case, duty: CertifiedDuty, fresh: ReadonlyMap<MemberIndex, Complete>): ReadonlyMap<MemberIndex, Complete> {
    const { pool } = one.key
    const digest = certificateDigest(this.#ports.domainSeparator, duty)
    const areValid = (some: ReadonlyMap<MemberIndex, Complete>): boolean =>
      this.#areValid(some, { keys: pool.publicShares, message: duty.signingRoot, of: ({ partial }) => partial }) &&
      this.#areValid(some, { keys: pool.signingKeys, message: digest, of: ({ certified }) => certified })
    if (fresh.size === 0 || areValid(fresh)) return fresh
    const good = new Map([...fresh].filter((entry) => areValid(new Map([entry]))))
    for (const member of fresh.keys()) {
      if (good.has(member)) continue
      one.culprits.add(member)
      const producer = pool.members[member - 1]
      this.#ports.log.warn('a vault member sent a bad certificate signature', { duty: dutyId(one.key), member, producer })
    }
    return good
  }

  #areValid(
    some: ReadonlyMap<MemberIndex, Complete>,
    { keys, message, of }: { readonly keys: readonly PublicKey[]; readonly message: Root; readonly of: (one: Complete) => BlsSignature },
  ): boolean {
    const { aggregation } = this.#ports
    const signers = [...some.keys()].flatMap((member) => keys[member - 1] ?? [])
    if (signers.length !== some.size) return false
    try {
      return aggregation.verifyAll(signers, message, aggregation.aggregate([...some.values()].map(of)))
    } catch {
      return false // one is no point
    }
  }

  #caseOf(key: Key): Case {
    const id = dutyId(key)
    const known = this.#cases.get(id)
    if (known !== undefined) return known
    const made: Case = { key, root: undefined, waiting: new Map(), culprits: new Set(), certified: 0n, cancel: undefined }
    this.#cases.set(id, made)
    return made
  }
}

const bitOf = (member: MemberIndex): bigint => 1n << BigInt(member - 1)

function certifiedOf({ type, pool, slot }: Key, signingRoot: Root): CertifiedDuty {
  return { poolId: pool.poolId, round: pool.round, slot, dutyType: DUTY_CODES[type], signingRoot }
}
