import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { faultsOf } from '../../../../../operator/core/vault.ts'
import { QbftEngine } from '../../../../../operator/protocol/qbft/engine.ts'
import { valueRoot } from '../../../../../operator/protocol/qbft/session.ts'
import type { PreparedCertificate, QbftEffect, QbftMessage } from '../../../../../operator/protocol/qbft/types.ts'
import { Random } from '../../../simulation/random.ts'
import { bytes, member, settings, signed, text } from './support.ts'

/** Steps of a run: each delivers, loses or delays one message, or lets a timer run out. */
const STEPS = 600

type Link = { readonly from: number; readonly to: number; readonly message: QbftMessage }

/** A member's engine with what its disk keeps; a faulty one has several engines and no disk. */
class Seat {
  readonly self: number
  readonly honest: boolean
  engine: QbftEngine
  decided: string | undefined
  #round = 1
  #prepared: PreparedCertificate | undefined
  readonly #size: number
  readonly #quorum: number
  readonly #emit: (seat: Seat, to: number | undefined, message: QbftMessage) => void
  readonly #random: Random

  constructor(options: {
    readonly self: number
    readonly size: number
    readonly quorum: number
    readonly honest: boolean
    readonly random: Random
    readonly emit: (seat: Seat, to: number | undefined, message: QbftMessage) => void
  }) {
    this.self = options.self
    this.honest = options.honest
    this.#size = options.size
    this.#quorum = options.quorum
    this.#random = options.random
    this.#emit = options.emit
    this.engine = this.#newEngine()
  }

  start(): void {
    this.perform(this.engine.start({ round: this.#round, prepared: this.#prepared }))
  }

  /** Dies and comes back: an honest member knows what it had said and prepared, a faulty one nothing. */
  restart(): void {
    this.engine = this.#newEngine()
    if (!this.honest) [this.#round, this.#prepared] = [1, undefined]
    this.start()
  }

  perform(effects: readonly QbftEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'timer') {
        this.perform(this.engine.propose(bytes(`${this.self}:${this.honest ? effect.round : this.#random.int(1, 1_000)}`)))
      } else if (effect.kind === 'decided') this.decided = text(effect.decision.value)
      else if (effect.kind === 'broadcast') this.#emit(this, undefined, effect.message)
      else if (effect.kind === 'send') this.#emit(this, effect.to, effect.message)
    }
  }

  #newEngine(): QbftEngine {
    const said = new Map<string, string>()
    const base = settings(this.self, this.#size)
    return new QbftEngine({
      ...base,
      quorum: this.#quorum,
      sign: (statement, certificate) => {
        const place = `${statement.type}/${statement.round}`
        if (this.honest && (said.get(place) ?? statement.value) !== statement.value) return undefined
        said.set(place, statement.value)
        this.#round = Math.max(this.#round, statement.round)
        this.#prepared = certificate ?? this.#prepared
        return base.sign(statement)
      },
    })
  }
}

/** Puts another value in the place of a prepared one. */
function usurped(message: QbftMessage, value: string): QbftMessage {
  if (message.kind === 'decided' || message.signed.type !== 'pre-prepare' || message.prepares.length === 0) return message
  const { sender, round } = message.signed
  return { ...message, signed: signed(sender, { type: 'pre-prepare', round, value: valueRoot(bytes(value)) }), value: bytes(value) }
}

/** One schedule of bare engines. Returns what honest members decided. */
function run({ seed, size, quorum }: { readonly seed: number; readonly size: number; readonly quorum: number }): ReadonlySet<string> {
  const random = new Random(seed)
  const inFlight: Link[] = []
  const bad = new Set(random.shuffle(Array.from({ length: size }, (_, i) => i + 1)).slice(0, faultsOf(size)))
  const kind = random.pick(['twins', 'amnesiac', 'usurper', 'silent'])
  const lossOf = {
    'pre-prepare': random.next() * 0.4,
    prepare: random.next() * 0.4,
    commit: random.next(),
    'round-change': random.next() * 0.3,
  }
  const emit = (seat: Seat, only: number | undefined, message: QbftMessage): void => {
    if (!seat.honest && kind === 'silent') return
    for (let to = 1; to <= size; to++) {
      if (to === seat.self || (only !== undefined && only !== to)) continue
      if (!seat.honest && kind === 'twins' && random.chance(0.5)) continue
      const loss = message.kind === 'decided' ? 0.7 : lossOf[message.signed.type]
      if (random.chance(loss)) continue
      inFlight.push({ from: seat.self, to, message: !seat.honest && kind === 'usurper' ? usurped(message, `usurped ${seed}`) : message })
    }
  }
  const seats: Seat[] = []
  for (let self = 1; self <= size; self++) {
    const honest = !bad.has(self)
    const engines = !honest && kind === 'twins' ? 2 : 1
    for (let i = 0; i < engines; i++) seats.push(new Seat({ self, size, quorum, honest, random, emit }))
  }
  const decisions = new Set<string>()
  for (const seat of seats) seat.start()
  for (let step = 0; step < STEPS; step++) {
    const seat = random.pick(seats)
    if (random.chance(0.04) || inFlight.length === 0) seat.perform(seat.engine.timeout(seat.engine.round))
    else if (random.chance(seat.honest ? 0.003 : kind === 'amnesiac' ? 0.1 : 0)) seat.restart()
    else {
      const [link] = inFlight.splice(random.chance(0.7) ? 0 : random.int(0, inFlight.length - 1), 1)
      for (const to of seats) if (to.self === link?.to) to.perform(to.engine.receive(member(link.from), link.message))
    }
    for (const { honest, decided } of seats) if (honest && decided !== undefined) decisions.add(decided)
  }
  return decisions
}

describe('QBFT agreement', () => {
  for (const [size, quorum] of [
    [4, 3],
    [5, 4],
    [6, 4],
    [7, 5],
  ] as const) {
    it(`holds with ${faultsOf(size)} of ${size} members faulty, under any schedule`, () => {
      let decided = 0
      for (let seed = 1; seed <= 1_000; seed++) {
        const decisions = run({ seed, size, quorum })
        assert.ok(decisions.size <= 1, `seed ${seed}: honest members decided ${[...decisions].join(' and ')}`)
        decided += decisions.size
      }
      assert.ok(decided > 100, `only ${decided} of 1000 schedules decided anything`)
    })
  }

  it('does not hold with a quorum of f + 1', () => {
    const split = Array.from({ length: 200 }, (_, seed) => run({ seed, size: 4, quorum: 2 })).filter(({ size }) => size > 1)
    assert.ok(split.length > 0)
  })
})
