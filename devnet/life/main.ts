import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { Deaths } from './deaths.ts'
import { LifeError } from './failure.ts'
import { loadPerCore, MachineWatch } from './machine.ts'
import { MemoryWatch } from './memory.ts'
import { readOutcome, tableOf } from './outcome.ts'
import { Processes } from './processes.ts'
import { Screen } from './screen.ts'
import { activationStage } from './stages/activation.ts'
import { claimsStage } from './stages/claims.ts'
import { departureStage } from './stages/departure.ts'
import { deployAndRegisterStage } from './stages/deploy-and-register.ts'
import { depositsStage } from './stages/deposits.ts'
import { dutiesStage } from './stages/duties.ts'
import { handoverStage } from './stages/handover.ts'
import { poolsStage } from './stages/pools.ts'
import { startChainStage } from './stages/start-chain.ts'
import { withdrawalsStage } from './stages/withdrawals.ts'
import type { Ground, OnEthereum, Stage, World } from './world.ts'

const SAMPLE_MS = 400

const slotSeconds = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 12) throw new InvalidArgumentError('expected a whole number of seconds from 1 to 12')
  return value
}

const program = new Command('npm start --')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'start: ')) })
  .showHelpAfterError('See npm start -- --help.')
  .description(
    [
      'The life of a network, on a local Ethereum: strangers deposit, vaults make keys that exist nowhere whole, validators',
      'earn, one operator is killed, stakers get their ETH back. Afterwards the network stays up until Ctrl-C.',
    ].join('\n'),
  )
  .option('--once', 'end when the life is over, with one JSON object as the last line')
  .option('--slot-seconds <seconds>', 'length of a slot', slotSeconds, 1)
  .option('--keep <folder>', 'keep all data and logs in this folder (default: a temporary one, deleted unless a stage fails)')

type Flags = { readonly once?: boolean; readonly slotSeconds: number; readonly keep?: string }

/** The stages in their order: each finds what those before it have added. */
async function live(ground: Ground, shutdown: AbortSignal): Promise<World> {
  const then = <Found extends Ground, Added>(stage: Stage<Found, Added>, world: Found): Promise<Found & Added> =>
    runStage(stage, world, shutdown)
  const onEthereum = await then(startChainStage, ground)
  ground.screen.showPulse(() => pulseOf(onEthereum))
  const following = onEthereum.heads.follow(shutdown)
  ground.atEnd(() => following)
  const deployed = await then(deployAndRegisterStage, onEthereum)
  const funded = await then(depositsStage, deployed)
  const withPools = await then(poolsStage, funded)
  const active = await then(activationStage, withPools)
  const leaving = await then(departureStage, active)
  const afterDuties = await then(dutiesStage, leaving)
  const afterHandover = await then(handoverStage, afterDuties)
  const afterWithdrawals = await then(withdrawalsStage, afterHandover)
  return then(claimsStage, afterWithdrawals)
}

/** Runs one stage and returns the world with what it added. Throws `LifeError` when it fails, hangs, or a process ends in it. */
async function runStage<Found extends Ground, Added>(
  stage: Stage<Found, Added>,
  world: Found,
  shutdown: AbortSignal,
): Promise<Found & Added> {
  const { screen, deaths } = world
  screen.begin(stage.name)
  const failed = new AbortController()
  const seconds = stage.seconds * world.slotSeconds
  const signal = AbortSignal.any([shutdown, failed.signal, AbortSignal.timeout(seconds * 1000)])
  const stopListening = deaths.onDeath((reason) => failed.abort(new Error(reason)))
  try {
    // Raced: what a stage waits for may never answer once its processes are gone.
    const { added, summary } = await Promise.race([stage.run(world, signal), rejectedBy(signal)])
    screen.done(summary)
    return { ...world, ...added }
  } catch (error) {
    if (shutdown.aborted) throw error
    const reason = failed.signal.aborted
      ? String((failed.signal.reason as Error).message)
      : signal.aborted
        ? `not done after ${seconds} s`
        : String((error as Error).message)
    screen.failed(reason)
    throw new LifeError(stage.name, reason, { cause: error })
  } finally {
    stopListening()
    failed.abort(new Error('the stage is over'))
  }
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** Makes the folder when there is none. Ends the program with a sentence when it cannot be used. */
function emptyFolder(path: string): string {
  try {
    if (!existsSync(path)) mkdirSync(path)
    if (readdirSync(path).length === 0) return path
  } catch (error) {
    return program.error(`error: cannot use ${path} for --keep: ${(error as Error).message}`)
  }
  return program.error(`error: expected ${path} to be empty: a life always begins anew`)
}

async function main(): Promise<void> {
  const flags = program.parse().opts<Flags>()
  const startedAt = Date.now()
  const folder = flags.keep === undefined ? mkdtempSync(join(tmpdir(), 'open-pools-')) : emptyFolder(flags.keep)
  const screen = new Screen(process.stdout.isTTY === true)
  const shutdown = new AbortController()
  const processes = new Processes()
  const memory = new MemoryWatch()
  const closers: (() => unknown)[] = []
  const atEnd = (close: () => unknown): void => void closers.push(close)
  const ground: Ground = { folder, slotSeconds: flags.slotSeconds, screen, processes, memory, deaths: new Deaths(), atEnd }
  const interrupt = (): void => {
    if (shutdown.signal.aborted) {
      screen.line('stopped at once; what was still ending may be left behind')
      process.exit(130)
    }
    shutdown.abort(new Error('interrupted'))
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  process.on('SIGHUP', interrupt)

  screen.line('operators: ● runs  ○ registered  ✗ killed  ◌ stopped\n')
  const machine = new MachineWatch({ now: () => performance.now(), load: () => loadPerCore(availableParallelism()) })
  const sampling = setInterval(() => {
    memory.sample()
    machine.beat()
  }, SAMPLE_MS)
  const stopEverything = async (): Promise<void> => {
    clearInterval(sampling)
    shutdown.abort(new Error('over'))
    const closeAll = async (): Promise<void> => {
      for (const close of closers.reverse()) await close()
    }
    await Promise.all([processes.stopAll(), closeAll()])
  }
  let status = 0
  let lastLine: string | undefined
  let lastWords: string | undefined
  try {
    const world = await live(ground, shutdown.signal)
    screen.begin('the books are checked')
    const outcome = await readOutcome(world, startedAt)
    screen.done('the index recomputed from the chain alone is the same')
    screen.line(`\n${tableOf(outcome)}\n`)
    lastLine = JSON.stringify(outcome)
    if (!flags.once) {
      await stayUp(world, shutdown.signal)
      lastWords = 'stopped: nothing is left running'
    }
  } catch (error) {
    if (shutdown.signal.aborted) {
      lastWords = 'interrupted; everything is stopped'
      status = 130
    } else {
      const stage = error instanceof LifeError ? error.stage : 'the books are checked'
      if (!(error instanceof LifeError)) screen.failed((error as Error).message)
      screen.line(`the life failed in “${stage}”: ${(error as Error).message}`)
      machine.beat()
      const excuse = machine.excuse()
      if (excuse !== undefined) screen.line(excuse)
      screen.line(`logs: ${folder}: of each operator in operator-N/operator.log, of the execution client in chain/execution.log`)
      status = 1
    }
  } finally {
    await stopEverything()
    // A failure leaves its logs to be read.
    if (status !== 1 && flags.keep === undefined) rmSync(folder, { recursive: true, force: true })
  }
  if (lastWords !== undefined) screen.line(lastWords)
  if (lastLine !== undefined && flags.once) console.log(lastLine)
  process.exit(status)
}

const MARKS = { registered: '○', running: '●', killed: '✗', stopped: '◌' } as const

/** Slot, epochs and every operator's state, as they stand before each status. */
function pulseOf({ heads, operators, slotsPerEpoch }: OnEthereum): string {
  if (heads.latest === undefined) return ''
  const { slot, finalizedEpoch } = heads.latest
  const marks = operators.map(({ state }) => MARKS[state]).join('')
  return `${marks}  slot ${slot}, epoch ${Math.floor(slot / slotsPerEpoch)}, final ${finalizedEpoch}`
}

/** The network goes on; says how to use it. */
async function stayUp(world: World, signal: AbortSignal): Promise<void> {
  const { network, screen, stakers } = world
  const staker = stakers[0]
  screen.line(
    [
      'The network stays up until Ctrl-C. Point any client at it:',
      `  JSON-RPC    ${network.executionUrl}`,
      `  Beacon API  ${network.beaconUrl}`,
      `  directory   ${network.directory}`,
      'and the scripts, for instance:',
      `  npm run stake -- balance --address ${staker?.address} --rpc-url ${network.executionUrl} --directory ${network.directory}`,
      `  npm run stake -- deposit --amount 1.5 --rpc-url ${network.executionUrl} --directory ${network.directory} --key-file ${staker?.keyFile} --password-file ${staker?.passwordFile}`,
      ...world.operators.slice(0, 1).map(({ httpPort }) => `  npm run openpools -- status --url http://127.0.0.1:${httpPort}`),
    ].join('\n'),
  )
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

await main()
