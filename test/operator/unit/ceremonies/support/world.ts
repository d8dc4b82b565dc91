import type { TestContext } from 'node:test'
import type { Hex, ProducerId } from '../../../../../operator/core/ids.ts'
import { hexToBytes } from '../../../../../operator/core/parse.ts'
import { addressOf } from '../../../../../operator/protocol/messages/ecdsa.ts'
import { createSigner } from '../../../../../operator/signer/open.ts'
import { sha } from '../../../simulation/crypto.ts'
import { SimNetwork, type Weather } from '../../../simulation/network.ts'
import { Random } from '../../../simulation/random.ts'
import { Scheduler } from '../../../simulation/scheduler.ts'
import { folderOf, password, scryptCost } from '../../signer/support.ts'
import { CeremonyChain, producerOf, type SendFailure } from './chain.ts'
import { Member, type Tamper } from './member.ts'
import type { Surroundings } from './surroundings.ts'

const START = 1_000_000

export const CALM: Weather = { drop: 0, dropCommits: 0, duplicate: 0, maxDelayMs: 50, partitions: 0 }
export const STORM: Weather = { drop: 0.3, dropCommits: 0, duplicate: 0.2, maxDelayMs: 3_000, partitions: 2 }

export type World = Surroundings & {
  readonly members: readonly Member[]
  /** Runs until the condition holds; fails when it does not within so many milliseconds of virtual time. */
  until(what: string, isDone: () => boolean, withinMs?: number): Promise<void>
  /** Lets so many milliseconds pass. */
  pass(ms: number): Promise<void>
}

export type WorldOptions = {
  readonly size: number
  readonly seed?: number
  readonly weather?: Weather
  /** The storm lasts so long. */
  readonly healAfterMs?: number
  readonly sendFailure?: SendFailure
  /** By producer id. Such a member signs what it likes: with `faultyKey`, and no gate. */
  readonly faulty?: ReadonlyMap<number, Tamper>
  /** Producers that are not started. */
  readonly absent?: readonly number[]
}

/** Operator key of a faulty member: no gate stands before it. */
export const faultyKey = (id: number): Uint8Array => hexToBytes(sha('faulty', id))

/** Members with real key folders and the shipped service, on a simulated network and chain. Nothing is drawn yet. */
export async function makeWorld(test: TestContext, options: WorldOptions): Promise<World> {
  const { size, seed = 1, weather = CALM, healAfterMs = 20_000 } = options
  const random = new Random(seed)
  const scheduler = new Scheduler(START)
  const network = new SimNetwork({ scheduler, random: random.fork(), weather, start: START, healAt: START + healAfterMs, size })
  const ids = Array.from({ length: size }, (_, at) => (at + 1) as ProducerId)
  const homes = await Promise.all(
    ids.map(async (id) => {
      const dataDir = folderOf(test)
      const { operatorAddress, signingKey } = await createSigner({ dataDir, password, scryptCost })
      const operator = options.faulty?.has(id) ? addressOf(faultyKey(id)) : operatorAddress
      return { id, dataDir, producer: producerOf(id, operator, signingKey) }
    }),
  )
  const producers = homes.map(({ producer }) => producer)
  const chain = new CeremonyChain({ scheduler, random: random.fork(), producers, sendFailure: options.sendFailure ?? (() => undefined) })
  const members: Member[] = []
  const pass = (ms: number): Promise<void> => scheduler.run(scheduler.now + ms, () => false)
  const world: World = {
    scheduler,
    network,
    chain,
    members,
    pass,
    until: async (what, isDone, withinMs = 120_000) => {
      await scheduler.run(scheduler.now + withinMs, isDone)
      if (isDone()) return
      const states = members.map(({ id, stages, waitingFor, ended }) => {
        const stage = stages.at(-1)
        return `member ${id} at ${stage} waiting for ${stage && waitingFor.get(stage)?.join()} ${JSON.stringify(ended)}`
      })
      throw new Error(`expected ${what} within ${withinMs} ms\n${states.join('\n')}\n${members.flatMap((one) => one.warnings).join('\n')}`)
    },
  }
  for (const { id, dataDir } of homes) {
    members.push(new Member(world, { id, dataDir, tamper: options.faulty?.get(id) ?? (() => ({})) }))
  }
  test.after(() => {
    for (const member of members) member.kill()
  })
  for (const member of members) if (!options.absent?.includes(member.id)) await member.start()
  return world
}

export const join = (words: readonly Hex[]): Hex => `0x${words.map((word) => word.slice(2)).join('')}`
