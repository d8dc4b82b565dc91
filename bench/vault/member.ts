// The process of one vault member: does what the bench asks over the parent's channel, and ends with it.
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock as clock } from '../../operator/adapters/clock.ts'
import { type P2pNetwork, startNetwork } from '../../operator/adapters/p2p/network.ts'
import { reasonOf } from '../../operator/core/errors.ts'
import type { ProducerId } from '../../operator/core/ids.ts'
import type { Log } from '../../operator/core/ports/log.ts'
import { createSigner, openSigner, type Signer } from '../../operator/signer/open.ts'
import { watchLoop } from '../support/loop.ts'
import { startBenchCeremonies } from './ceremonies.ts'
import { startBenchDuties } from './duties.ts'
import type { Card, DutyReport, Notice, Request } from './protocol.ts'

const password = 'a password of the benchmark'
/** Opening a key folder is no part of what is measured. */
const SCRYPT_COST = 2 ** 12
const MEETING_MS = 30_000

const quit = new AbortController()
const tell = (notice: Notice): void => {
  process.send?.(notice)
}
const complain = (message: string, data: object = {}): void => console.error(`${message} ${JSON.stringify(data)}`)
const log: Log = { debug() {}, info() {}, warn() {}, error: complain, child: () => log }

type Home = { readonly self: ProducerId; readonly signer: Signer; readonly network: P2pNetwork }
let home: Home | undefined
let members: readonly Card[] = []
let ceremonies: ReturnType<typeof startBenchCeremonies> | undefined
let report: (() => DutyReport) | undefined
let longestHoldUp: (() => number) | undefined

function there<T>(thing: T | undefined): T {
  if (thing === undefined) throw new Error('asked out of order')
  return thing
}

async function create(self: ProducerId, dataDir: string): Promise<Omit<Card, 'id'>> {
  mkdirSync(dataDir, { recursive: true })
  const { operatorAddress, signingKey } = await createSigner({ dataDir, password, scryptCost: SCRYPT_COST })
  const signer = await openSigner({ dataDir, password })
  const seed = createHash('sha256').update(dataDir).digest()
  const network = await startNetwork({ self, seed, listen: ['/ip4/127.0.0.1/tcp/0'], log })
  home = { self, signer, network }
  return { operator: operatorAddress, signingKey, peerAddress: network.addresses()[0] ?? '' }
}

async function meet(cards: readonly Card[], slotMs: number): Promise<void> {
  const { self, signer, network } = there(home)
  members = cards
  network.setPeers(cards.map(({ id, peerAddress }) => ({ producer: id, address: peerAddress })))
  for (const end = Date.now() + MEETING_MS; network.status().some(({ connected }) => !connected); await delay(50)) {
    if (Date.now() > end) throw new Error('the members did not find each other')
  }
  ceremonies = startBenchCeremonies({ self, members, slotMs, signer, network, clock, log, tell, signal: quit.signal })
}

async function answer(request: Request): Promise<unknown> {
  switch (request.kind) {
    case 'create':
      return create(request.id, request.dataDir)
    case 'meet':
      return meet(request.members, request.slotMs)
    case 'draw':
      return there(ceremonies).draw(request.poolId)
    case 'registered':
      return there(ceremonies).registered(request.pool)
    case 'attest':
      report = startBenchDuties({ ...there(home), ...request, members, clock, log, signal: quit.signal })
      return undefined
    case 'report':
      return there(report)()
    case 'watch':
      longestHoldUp = watchLoop()
      return undefined
    case 'held-up':
      return there(longestHoldUp)()
    case 'cpu': {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1000
    }
  }
}

process.on('message', ({ id, request }: { readonly id: number; readonly request: Request }) => {
  answer(request).then(
    (done) => tell({ kind: 'done', request: id, answer: done }),
    (error: unknown) => tell({ kind: 'failed', request: id, reason: reasonOf(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
