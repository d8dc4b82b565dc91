import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Deaths } from './deaths.ts'
import type { MemoryWatch } from './memory.ts'
import type { Person } from './people.ts'
import type { Processes, Running } from './processes.ts'

const CLI = 'operator/app/cli/main.ts'
const STATUS_TIMEOUT_MS = 2_000

/** What `openpools run` tells about itself on its HTTP port. */
export type OperatorStatus = {
  readonly producerId: number
  readonly ready: boolean
  readonly peersConnected: number
  readonly pools: readonly { readonly poolId: number; readonly phase: string }[]
  readonly dkgMs: readonly number[]
  readonly consensusMs: readonly number[]
  /** Duties decided in a later round than the first. */
  readonly roundChanges: number
}

export type Operator = {
  readonly name: string
  readonly owner: Person
  readonly folder: string
  readonly p2pPort: number
  readonly httpPort: number
  producerId: number
  process: Running | undefined
  state: 'registered' | 'running' | 'killed' | 'stopped'
}

export type Network = { readonly executionUrl: string; readonly beaconUrl: string; readonly directory: string }

/** A TCP port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no free port'))))
    })
  })
}

/** Makes an operator's keys with the CLI. */
export async function createOperator(input: {
  readonly name: string
  readonly owner: Person
  readonly folder: string
  readonly processes: Processes
}): Promise<Operator> {
  const folder = join(input.folder, input.name)
  mkdirSync(folder, { recursive: true })
  await input.processes.run(CLI, ['keys', '--data-dir', folder, '--password-file', input.owner.passwordFile, '--light-kdf', '--json'])
  return {
    name: input.name,
    owner: input.owner,
    folder,
    p2pPort: await freePort(),
    httpPort: await freePort(),
    producerId: 0,
    process: undefined,
    state: 'registered',
  }
}

/** Registers an operator with its bond by the CLI. */
export async function registerOperator(operator: Operator, network: Network, bond: string, processes: Processes): Promise<void> {
  const { owner } = operator
  const output = await processes.run(CLI, [
    'register',
    ...['--data-dir', operator.folder, '--password-file', owner.passwordFile],
    ...['--rpc-url', network.executionUrl, '--directory', network.directory],
    ...['--owner-key-file', owner.keyFile, '--owner-password-file', owner.passwordFile],
    ...['--bond', bond, '--fund-operator', '50'],
    ...['--address', `/ip4/127.0.0.1/tcp/${operator.p2pPort}`, '--json'],
  ])
  operator.producerId = Number((JSON.parse(output) as { producerId: string }).producerId)
}

/** Asks for an operator's exit by the CLI, as its owner. */
export async function leave({ folder, owner }: Operator, network: Network, processes: Processes): Promise<void> {
  await processes.run(CLI, [
    'exit',
    ...['--data-dir', folder, '--rpc-url', network.executionUrl, '--directory', network.directory],
    ...['--owner-key-file', owner.keyFile, '--owner-password-file', owner.passwordFile, '--json'],
  ])
}

type Watchers = { readonly processes: Processes; readonly memory: MemoryWatch; readonly deaths: Deaths }

/** Starts (again) an operator's process. Unless it was killed on purpose, its end is the stage's. */
export function startOperator(operator: Operator, network: Network, { processes, memory, deaths }: Watchers): void {
  const process = processes.start(
    operator.name,
    CLI,
    [
      'run',
      ...['--data-dir', operator.folder, '--password-file', operator.owner.passwordFile],
      ...['--rpc-url', network.executionUrl, '--beacon-url', network.beaconUrl, '--directory', network.directory],
      ...['--listen', `/ip4/127.0.0.1/tcp/${operator.p2pPort}`, '--http-port', String(operator.httpPort)],
    ],
    join(operator.folder, 'operator.log'),
  )
  operator.process = process
  operator.state = 'running'
  memory.watch('operator', process.pid)
  deaths.watch({ name: operator.name, process, isExpected: () => operator.process !== process || operator.state !== 'running' })
}

/** Undefined while the operator does not answer. */
export async function statusOf(operator: Operator): Promise<OperatorStatus | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${operator.httpPort}/status`, { signal: AbortSignal.timeout(STATUS_TIMEOUT_MS) })
    return response.ok ? ((await response.json()) as OperatorStatus) : undefined
  } catch {
    return undefined
  }
}
