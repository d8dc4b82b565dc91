import { reasonOf } from '../core/errors.ts'
import type { MemberIndex, ProducerId, Root } from '../core/ids.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Log } from '../core/ports/log.ts'
import type { Network } from '../core/ports/network.ts'
import type { OperatorKey } from '../core/ports/signer.ts'
import type { ByteReader } from '../protocol/messages/bytes.ts'
import { encodeQbftFrame, readQbftBody } from '../protocol/messages/duty.ts'
import type { EcdsaVerifier } from '../protocol/messages/ecdsa.ts'
import { leaderOf, qbftIdentity } from '../protocol/qbft/identity.ts'
import { QbftSession } from '../protocol/qbft/session.ts'
import type { Decision, QbftInstance, QbftMessage } from '../protocol/qbft/types.ts'
import { INSTANCE_CODES } from '../protocol/qbft/types.ts'
import { DutyError } from './reasons.ts'
import { orAbort } from './time.ts'
import type { AttestationDuty, DutyPool, ProposalDuty } from './types.ts'
import { dutyId } from './types.ts'

/** Largest values members take from each other: SSZ AttestationData; a block with its blobs. */
const MAX_VALUE_BYTES = { attestation: 128, proposal: 4 * 1024 * 1024 } as const
/** Room for a member's early messages to one duty, beyond one value: certificates of the largest vault. */
const EARLY_SLACK_BYTES = 64 * 1024
/** Room for a producer's early messages to all duties of all vaults it shares with us: two proposals at once. */
const EARLY_BYTES_PER_PRODUCER = 2 * (MAX_VALUE_BYTES.proposal + EARLY_SLACK_BYTES)

export type ConsensusDuty = AttestationDuty | ProposalDuty
export type ConsensusType = keyof typeof MAX_VALUE_BYTES

export type ConsensusPorts = {
  readonly clock: Clock
  readonly network: Network
  readonly operatorKey: OperatorKey
  readonly verifyEcdsa: EcdsaVerifier
  readonly log: Log
  readonly settings: { readonly domainSeparator: Root; readonly firstRoundMs: number }
}

export type AgreeQuestion = {
  readonly duty: ConsensusDuty
  /** Would this member sign the value? See `QbftSettings.isValid`. */
  readonly isValid: (value: Uint8Array, vouched: boolean) => boolean
  /** The own value: asked for in each round when `always`, else when this member leads one. */
  readonly input: () => Promise<Uint8Array>
  readonly always: boolean
  /** Calls back when a refused value deserves another look. Returns a function that stops it. */
  readonly onChange: (listener: () => void) => () => void
}

type Early = { readonly producer: ProducerId; readonly bodies: ByteReader[]; bytes: number }

type Instance = {
  readonly type: ConsensusType
  readonly slot: number
  readonly early: Map<MemberIndex, Early>
  receive: ((from: MemberIndex, body: ByteReader) => void) | undefined
  close: () => void
}

/** Runs the QBFT instances of all duties, and keeps them answering late members until `prune`. */
export class Consensus {
  readonly #ports: ConsensusPorts
  readonly #instances = new Map<string, Instance>()
  readonly #earlyBytes = new Map<ProducerId, number>()

  constructor(ports: ConsensusPorts) {
    this.#ports = ports
  }

  /** A QBFT frame's body from a member. Messages that come before the own duty has started wait for it. Throws `CodecError`. */
  receive(key: Pick<ConsensusDuty, 'type' | 'pool' | 'slot'>, from: MemberIndex, body: ByteReader): void {
    const instance = this.#instanceOf(key)
    if (instance.receive !== undefined) {
      instance.receive(from, body)
      return
    }
    const producer = key.pool.members[from - 1]
    if (producer === undefined) return
    const early = instance.early.get(from) ?? { producer, bodies: [], bytes: 0 }
    const { size } = body
    const inAll = (this.#earlyBytes.get(producer) ?? 0) + size
    if (early.bytes + size > MAX_VALUE_BYTES[key.type] + EARLY_SLACK_BYTES || inAll > EARLY_BYTES_PER_PRODUCER) return
    early.bytes += size
    early.bodies.push(body)
    instance.early.set(from, early)
    this.#earlyBytes.set(producer, inAll)
  }

  /** Agrees with the vault on a value. Rejects with `DutyError` when the signal aborts first. */
  async agree(question: AgreeQuestion, signal: AbortSignal): Promise<Decision> {
    const { duty, always, input, onChange } = question
    const instance = this.#instanceOf(duty)
    const progress = {
      heard: new Set<MemberIndex>(),
      refused: false,
      input: undefined as Uint8Array | undefined,
      inputFailure: undefined as unknown,
    }
    const { promise, resolve } = Promise.withResolvers<Decision>()
    const propose = (): void => {
      input().then(
        (value) => {
          progress.input = value
          session.propose(value)
        },
        (failure) => {
          progress.inputFailure = failure
          if (progress.input !== undefined) session.propose(progress.input)
        },
      )
    }
    const lead = leaderOf(instanceOf(duty), duty.pool.members.length)
    const onRound = (round: number): void => {
      if (always || lead(round) === duty.pool.self) propose()
    }
    const isValid = (value: Uint8Array, vouched: boolean): boolean => {
      const valid = question.isValid(value, vouched)
      if (!valid) progress.refused = true
      return valid
    }
    const session = this.#openSession(duty, { isValid, onDecided: resolve, onRound })
    const stop = onChange(() => session.reconsider())
    instance.receive = (from, body) => {
      progress.heard.add(from)
      session.receive(from, readQbftBody(body, limitsOf(duty)))
    }
    instance.close = () => session.close()
    session.start()
    for (const [from, { bodies }] of instance.early) for (const body of bodies) this.#replay(instance, from, body)
    this.#forgetEarly(instance)
    try {
      return await orAbort(promise, signal, () => failureOf(progress, duty.pool))
    } finally {
      stop()
    }
  }

  /** Ends the instances of slots before those that may still be answered. */
  prune(before: (type: ConsensusType) => number): void {
    for (const [id, instance] of this.#instances) {
      if (instance.slot >= before(instance.type)) continue
      instance.close()
      this.#forgetEarly(instance)
      this.#instances.delete(id)
    }
  }

  #openSession(
    duty: ConsensusDuty,
    callbacks: {
      readonly isValid: AgreeQuestion['isValid']
      readonly onDecided: (decision: Decision) => void
      readonly onRound: (round: number) => void
    },
  ): QbftSession {
    const { clock, network, operatorKey, verifyEcdsa, log, settings } = this.#ports
    const { pool } = duty
    const instance = instanceOf(duty)
    const id = dutyId(duty)
    const size = pool.members.length
    const identity = qbftIdentity({
      instance,
      domainSeparator: settings.domainSeparator,
      key: operatorKey,
      slot: duty.slot,
      members: pool.operators,
      verifyEcdsa,
      limits: limitsOf(duty),
      onRefused: (reason) => log.warn('the operator key’s gate refused a consensus message', { duty: id, reason: reasonOf(reason) }),
    })
    const sendFrame = (to: MemberIndex, frame: Uint8Array): void => {
      const producer = pool.members[to - 1]
      if (producer !== undefined && to !== pool.self) network.send(producer, 'duty', frame)
    }
    return new QbftSession({
      size,
      quorum: pool.quorum,
      self: pool.self,
      leaderOf: leaderOf(instance, size),
      firstRoundMs: settings.firstRoundMs,
      isValid: callbacks.isValid,
      identity,
      clock,
      broadcast: (message) => {
        const frame = encodeQbftFrame(instance, message)
        for (let to = 1; to <= size; to++) sendFrame(to as MemberIndex, frame)
      },
      send: (to: MemberIndex, message: QbftMessage) => sendFrame(to, encodeQbftFrame(instance, message)),
      onDecided: callbacks.onDecided,
      onFault: (fault) => log.warn('a vault member broke consensus rules', { duty: id, ...fault }),
      onRound: callbacks.onRound,
    })
  }

  #instanceOf(key: Pick<ConsensusDuty, 'type' | 'pool' | 'slot'>): Instance {
    const id = dutyId(key)
    let instance = this.#instances.get(id)
    if (instance === undefined) {
      instance = { type: key.type, slot: key.slot, early: new Map(), receive: undefined, close: () => {} }
      this.#instances.set(id, instance)
    }
    return instance
  }

  #forgetEarly({ early }: Instance): void {
    for (const { producer, bytes } of early.values()) {
      const left = (this.#earlyBytes.get(producer) ?? 0) - bytes
      if (left > 0) this.#earlyBytes.set(producer, left)
      else this.#earlyBytes.delete(producer)
    }
    early.clear()
  }

  #replay(instance: Instance, from: MemberIndex, body: ByteReader): void {
    try {
      instance.receive?.(from, body)
    } catch (failure) {
      this.#ports.log.debug('an early consensus message was not one', { from, reason: reasonOf(failure) })
    }
  }
}

function instanceOf({ type, pool, slot }: ConsensusDuty): QbftInstance {
  return { poolId: pool.poolId, slot, duty: INSTANCE_CODES[type] }
}

function limitsOf({ type, pool }: ConsensusDuty): { readonly size: number; readonly maxValueBytes: number } {
  return { size: pool.members.length, maxValueBytes: MAX_VALUE_BYTES[type] }
}

type Progress = {
  readonly heard: ReadonlySet<MemberIndex>
  readonly refused: boolean
  readonly input: Uint8Array | undefined
  readonly inputFailure: unknown
}

function failureOf({ heard, refused, input, inputFailure }: Progress, pool: DutyPool): DutyError {
  if (input === undefined && inputFailure instanceof DutyError) return inputFailure
  const voices = heard.size + 1
  if (voices < pool.quorum) return new DutyError('MEMBERS_SILENT', `${voices} of ${pool.members.length}, expected ${pool.quorum}`)
  return new DutyError(refused ? 'VALUE_REFUSED' : 'NO_CONSENSUS')
}
