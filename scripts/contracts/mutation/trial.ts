/**
 * A process that runs the same test files again and again, each time with other code for some contracts. Whoever started it
 * sends what to exchange; it answers what the tests said. Its arguments are the test files.
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import hre from 'hardhat'
import type { NetworkConnection } from 'hardhat/types/network'
import Mocha from 'mocha'

/** Creation codes (hex without 0x) by contract: of all that could be created, or of those to exchange. */
export type TrialOrder = {
  readonly codes: ReadonlyMap<string, string>
  /** Of codes as built: nothing is to be run with them. */
  readonly isKnown?: boolean
}
export type TrialReport = {
  /** The test that failed first; undefined when all passed. */
  readonly killer: string | undefined
  readonly reason: string
  /** Contracts that the tests created, as far as they were asked to see. */
  readonly created: readonly string[]
  /** Bytes in use by the process. */
  readonly memory: number
}

process.env.HH_TEST = 'true'
process.env.NODE_ENV ??= 'test'

/** Tests of what things cost: those of the largest sizes take longest, and a price that moved is no fault that was noticed. */
const OF_GAS =
  /gas: |costs (so )?little|within (its gas )?budget|16,777,216 gas|700,000 gas|gas limit of a transaction|fit in a transaction/

/** The first order: codes as built. */
let built: TrialOrder['codes'] | undefined
let exchanged: TrialOrder['codes'] = new Map()
const created = new Set<string>()
const connections: NetworkConnection[] = []

function exchange(data: unknown): unknown {
  if (typeof data !== 'string' || built === undefined) return data
  for (const [name, code] of built) {
    if (!data.startsWith(code, 2)) continue
    created.add(name)
    const other = exchanged.get(name)
    return other === undefined ? data : `0x${other}${data.slice(2 + code.length)}`
  }
  return data
}

hre.hooks.registerHandlers('network', {
  async newConnection(context, next) {
    const connection = await next(context)
    connections.push(connection as NetworkConnection)
    return connection
  },
  async onRequest(context, connection, request, next) {
    const [transaction] = Array.isArray(request.params) ? request.params : []
    const creates =
      ['eth_sendTransaction', 'eth_call', 'eth_estimateGas'].includes(request.method) &&
      typeof transaction === 'object' &&
      transaction !== null &&
      !('to' in transaction && transaction.to)
    if (!creates) return next(context, connection, request)
    const { data, input, ...rest } = transaction as { readonly data?: unknown; readonly input?: unknown }
    const params = [{ ...rest, data: exchange(data ?? input) }, ...(Array.isArray(request.params) ? request.params.slice(1) : [])]
    return next(context, connection, { ...request, params })
  },
})

/** What goes wrong beside a test is what an altered contract does to helpers: it fails the run like a test. */
let stray: string | undefined
process.on('unhandledRejection', (reason) => {
  stray ??= String(reason)
})

const files = process.argv.slice(2).map((file) => resolve(file))
let runs = 0

/**
 * The test files are modules whose top level may create a chain and contracts: each run evaluates them anew, under another
 * query, as mocha would have loaded them.
 */
async function load(mocha: Mocha): Promise<void> {
  for (const file of files) {
    mocha.suite.emit(Mocha.Suite.constants.EVENT_FILE_PRE_REQUIRE, globalThis, file, mocha)
    const tests: unknown = await import(`${pathToFileURL(file)}?run=${runs}`)
    mocha.suite.emit(Mocha.Suite.constants.EVENT_FILE_REQUIRE, tests, file, mocha)
    mocha.suite.emit(Mocha.Suite.constants.EVENT_FILE_POST_REQUIRE, globalThis, file, mocha)
  }
}

async function run(): Promise<TrialReport> {
  runs += 1
  created.clear()
  stray = undefined
  let killer: string | undefined
  let reason = ''
  const mocha = new Mocha({ ...hre.config.test.mocha, grep: OF_GAS, invert: true, bail: true, reporter: Mocha.reporters.Base })
  try {
    await load(mocha)
    await new Promise<void>((done) => {
      const runner = mocha.run(() => done())
      runner.on('fail', (test, error: Error) => {
        if (killer !== undefined) return
        killer = test.fullTitle()
        reason = error.message
      })
    })
  } catch (error) {
    killer ??= '(loading the tests)'
    reason = error instanceof Error ? error.message : String(error)
  }
  for (const connection of connections.splice(0)) await connection.close()
  if (stray !== undefined && killer === undefined) [killer, reason] = ['(beside a test)', stray]
  return { killer, reason, created: [...created], memory: process.memoryUsage().rss }
}

process.on('message', ({ codes, isKnown }: TrialOrder) => {
  if (built === undefined) built = codes
  else exchanged = codes
  if (isKnown !== true) void run().then((report) => process.send?.(report))
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
