import { reasonOf } from '../core/errors.ts'
import type { BlsSignature, Epoch, MemberIndex, ProducerId, Root } from '../core/ids.ts'
import type { Producer } from '../core/network.ts'
import type { Call } from '../core/ports/chain.ts'
import { sleep } from '../core/time.ts'
import type { AbsenceMessage } from '../protocol/messages/ceremony-codec.ts'
import type { CeremonyPorts, RollCallProgress } from './types.ts'

/**
 * Part of an epoch in which those that are there hear each other, before anybody is named: a signature on a naming is not taken back
 * when its member comes after all, so a node that is a little behind must not be named. A slot at least; the rest of the epoch is
 * for the turns.
 */
const PATIENCE = 1 / 8
/** Slots that a signer has to send the naming before it is the next one's turn as well. */
const TURN_SLOTS = 2
/** Signatures of one producer looked at in vain, for each member: more come from nobody honest. */
const VAIN_A_MEMBER = 4

export type RollCallPorts = Pick<CeremonyPorts, 'self' | 'clock' | 'beacon' | 'contracts' | 'network' | 'signingKey' | 'scheme' | 'log'>

/** Members of one of the ceremony's vaults: so many, after the `from` before them. */
export type RolledVault = { readonly from: number; readonly size: number; readonly threshold: number }

/** Who is named by whom: bits by member (bit i: member index i + 1, of all of the ceremony's), places of the signers in their vault. */
export type Naming = {
  readonly absent: bigint
  readonly vault: RolledVault
  readonly signers: bigint
  readonly signature: BlsSignature
}

export type Roll = {
  /** By member index, from 1: a producer may stand there twice (a handover's two vaults). */
  readonly members: readonly Producer[]
  readonly vaults: readonly RolledVault[]
  /** Last epoch in which the chain takes the ceremony's result. */
  readonly deadline: Epoch
  /** What is signed to name these members. */
  readonly digest: (absent: bigint) => Root
  readonly encode: (message: AbsenceMessage) => Uint8Array
  /** The transaction that ends the ceremony and names them. */
  readonly call: (naming: Naming) => Call
  /** Whether the chain still waits for the ceremony. */
  readonly isOpen: () => boolean
}

/**
 * Who was absent from a ceremony that did not end in time (protocol.md §7). Past the deadline, everyone that is there says so:
 * it signs the naming of nobody. Each tells all what it has heard, so that nobody can be there for some only. Then each signs the
 * naming of those from which nothing has come; as soon as a threshold of a vault has signed the same, its signers send it, in turns.
 *
 * With a threshold of honest members there is at least one honest signature on every naming, and none of theirs names a member that
 * any honest one has heard. Where fewer are there nobody is named, and the chain ends the ceremony without a name.
 */
export class RollCall {
  readonly #ports: RollCallPorts
  readonly #roll: Roll
  /** Slots. */
  readonly #patience: number
  readonly #present = new Map<ProducerId, AbsenceMessage>()
  readonly #votes = new Map<ProducerId, AbsenceMessage>()
  readonly #vain = new Map<ProducerId, number>()
  #isCalled = false
  #isSending = false
  #onProgress: (progress: RollCallProgress) => void = () => {}
  #told = ''

  constructor(ports: RollCallPorts, roll: Roll) {
    this.#ports = ports
    this.#roll = roll
    this.#patience = Math.max(1, Math.floor(ports.beacon.spec.slotsPerEpoch * PATIENCE))
  }

  /** Hears who has answered, whenever that changes. */
  listen(onProgress: (progress: RollCallProgress) => void): void {
    this.#onProgress = onProgress
  }

  /** Waits for the deadline, then calls until the signal aborts. Never resolves. */
  async run(signal: AbortSignal): Promise<never> {
    const { clock, beacon } = this.#ports
    const { genesisTimeMs, slotDurationMs: slotMs, slotsPerEpoch } = beacon.spec
    const begins = genesisTimeMs + (this.#roll.deadline + 1) * slotsPerEpoch * slotMs
    if (begins > clock.now()) await sleep(clock, begins - clock.now(), signal)
    this.#isCalled = true
    this.#take(this.#sign(0n))
    for (let slot = 0; ; slot++) {
      if (this.#roll.isOpen()) {
        if (slot >= this.#patience) this.#vote()
        this.#tell()
        void this.#publish(slot, signal)
      }
      await sleep(clock, slotMs, signal)
    }
  }

  /** A message from a producer: its own, or that another is there. Anything that does not hold is dropped. */
  receive(from: ProducerId, message: AbsenceMessage): void {
    const { members } = this.#roll
    const author = members[message.member - 1]
    if (!this.#isCalled || author === undefined || message.absent >> BigInt(members.length) !== 0n) return
    const isPresence = message.absent === 0n
    // Only its author brings a naming: of that it may change its mind.
    if (isPresence ? this.#present.has(author.id) : author.id !== from || this.#votes.get(from)?.absent === message.absent) return
    const vain = this.#vain.get(from) ?? 0
    if (vain >= VAIN_A_MEMBER * members.length) return
    const isSigned = this.#ports.scheme.verify(author.signingKey, this.#roll.digest(message.absent), message.vote)
    // Also a true naming counts, as often as one may change it: with each member that turns up.
    if (!isSigned || !isPresence) this.#vain.set(from, vain + 1)
    if (isSigned) this.#take(message)
  }

  #take(message: AbsenceMessage): void {
    const id = this.#roll.members[message.member - 1]?.id
    if (id === undefined) return
    if (message.absent === 0n) this.#present.set(id, message)
    else this.#votes.set(id, message)
    this.#tellProgress()
  }

  #tellProgress(): void {
    const { members } = this.#roll
    const absent = this.#absent()
    const indicesOf = (holds: (id: ProducerId) => boolean): readonly MemberIndex[] =>
      members.flatMap(({ id }, at) => (holds(id) ? [(at + 1) as MemberIndex] : []))
    const progress = {
      answered: indicesOf((id) => this.#present.has(id)),
      absent: indicesOf((id) => !this.#present.has(id)),
      namedBy: indicesOf((id) => absent !== 0n && this.#votes.get(id)?.absent === absent),
    }
    const text = JSON.stringify(progress)
    if (text !== this.#told) this.#onProgress(progress)
    this.#told = text
  }

  #sign(absent: bigint): AbsenceMessage {
    const member = (this.#roll.members.findIndex(({ id }) => id === this.#ports.self) + 1) as MemberIndex
    return { kind: 'absence', member, absent, vote: this.#ports.signingKey.sign(this.#roll.digest(absent)) }
  }

  /** Bits of the members whose producers have not been heard. */
  #absent(): bigint {
    return this.#roll.members.reduce((bits, { id }, at) => (this.#present.has(id) ? bits : bits | (1n << BigInt(at))), 0n)
  }

  #vote(): void {
    const absent = this.#absent()
    if (absent !== 0n && this.#votes.get(this.#ports.self)?.absent !== absent) this.#take(this.#sign(absent))
  }

  /** All that are there, own included, and the own naming. */
  #tell(): void {
    const own = this.#votes.get(this.#ports.self)
    const said = [...this.#present.values(), ...(own === undefined ? [] : [own])].map((message) => this.#roll.encode(message))
    for (const id of new Set(this.#roll.members.map((member) => member.id))) {
      if (id !== this.#ports.self) for (const bytes of said) this.#ports.network.send(id, 'ceremony', bytes)
    }
  }

  /** The own naming, if a threshold of one vault shares it and self is one of them. */
  #naming(): (Naming & { readonly turn: number }) | undefined {
    const { members, vaults } = this.#roll
    const absent = this.#absent()
    if (absent === 0n) return undefined
    for (const vault of vaults) {
      const signers = members.slice(vault.from, vault.from + vault.size).map(({ id }, place) => ({ id, place, said: this.#votes.get(id) }))
      const agreed = signers.filter(({ id, said }) => said?.absent === absent && this.#present.has(id))
      const turn = agreed.findIndex(({ id }) => id === this.#ports.self)
      if (agreed.length < vault.threshold || turn < 0) continue
      const bits = agreed.reduce((sum, { place }) => sum | (1n << BigInt(place)), 0n)
      const signature = this.#ports.scheme.aggregate(agreed.flatMap(({ said }) => said?.vote ?? []))
      return { absent, vault, signers: bits, signature, turn }
    }
    return undefined
  }

  async #publish(slot: number, signal: AbortSignal): Promise<void> {
    const naming = this.#naming()
    if (naming === undefined || this.#isSending || slot < this.#patience + naming.turn * TURN_SLOTS) return
    this.#isSending = true
    const call = this.#roll.call(naming)
    const facts = { method: call.method, absent: naming.absent.toString(2), signers: naming.signers.toString(2) }
    try {
      const sent = await this.#ports.contracts.send(call, signal)
      if (sent.status === 'included') this.#ports.log.info('absent members named', facts)
      else this.#ports.log.debug('naming refused', { ...facts, error: sent.error })
    } catch (error) {
      if (!signal.aborted) this.#ports.log.warn('absent members not named yet', { ...facts, reason: reasonOf(error) })
    } finally {
      this.#isSending = false
    }
  }
}

type Caller = {
  readonly roll: Roll
  readonly room: { listenForAbsence(handler: (from: ProducerId, message: AbsenceMessage) => void): void }
  readonly onProgress: (progress: RollCallProgress) => void
}

/** Calls the roll of a ceremony past its deadline, in the room where its messages meet, until the signal aborts. */
export function callRoll(ports: RollCallPorts, { roll, room, onProgress }: Caller, signal: AbortSignal): void {
  const rollCall = new RollCall(ports, roll)
  rollCall.listen(onProgress)
  room.listenForAbsence((from, message) => rollCall.receive(from, message))
  rollCall.run(signal).catch((error: unknown) => {
    if (!signal.aborted) ports.log.error('roll call failed', { reason: reasonOf(error) })
  })
}
