import { numberOf, readFlags, refuse as refuseAs } from '../../../scripts/support/flags.ts'
import { runCeremonySeed } from './ceremony/run.ts'
import { describeCeremonyFailure, deviation, FULL, runCeremonySeeds } from './ceremony/seeds.ts'
import { hashCrypto, realCrypto } from './crypto.ts'
import { runHandovers } from './handover/run.ts'
import { runSeed } from './run.ts'
import { describeFailure, runSeeds } from './seeds.ts'
import { runUpkeep } from './upkeep/run.ts'

const HELP = `Runs vaults of shipped duty services on a simulated clock, network and chain.
  --seeds N     up to which schedule (10000)
  --from N      from which on (1)
  --seed N      replay one schedule, with everything its members log
  --members N   4 or 7 (both, in turn); with --ceremony also 24
  --upkeep      reports and upkeep of operators, instead of duties (1000 schedules)
  --rotation    handovers of a key between vaults of 4, instead of duties (200 schedules)
  --ceremony    key generations with up to f liars (5000 schedules of 4 members, 2000 of 7, 50 of 24), instead of duties
  --storm       bad networks last up to two epochs and a half, not a few slots
  --bls         real BLS and secp256k1 signatures instead of keyed hashes`

const OPTIONS = {
  seeds: { type: 'string' },
  from: { type: 'string', default: '1' },
  seed: { type: 'string' },
  members: { type: 'string' },
  upkeep: { type: 'boolean', default: false },
  rotation: { type: 'boolean', default: false },
  ceremony: { type: 'boolean', default: false },
  storm: { type: 'boolean', default: false },
  bls: { type: 'boolean', default: false },
} as const

/** Ends the process with a sentence. */
const refuse = (reason: string): never => refuseAs('simulate', reason)

const { values } = readFlags({ name: 'simulate', help: HELP, options: OPTIONS })

/** A whole number from 1, or the end with a sentence. */
function count(name: string, text: string): number {
  return numberOf('simulate', { [name]: text }, { least: 1 })
}

const from = count('from', values.from)

/** A size of vault that is simulated. */
function membersOf(text: string): number {
  const sizes = values.ceremony ? ['4', '7', '24'] : ['4', '7']
  return sizes.includes(text) ? Number(text) : refuse(`--members: expected one of ${sizes.join(', ')}, got ${text}`)
}

async function upkeep(size: number | undefined): Promise<number> {
  const only = values.seed === undefined ? undefined : count('seed', values.seed)
  const last = only ?? count('seeds', values.seeds ?? '1000')
  const total = { schedules: 0, failed: 0, calls: 0, wasted: 0 }
  for (let seed = only ?? from; seed <= last; seed++) {
    const members = size ?? (seed % 2 === 0 ? 4 : 7)
    const { violations, calls, wasted } = await runUpkeep({ seed, size: members })
    total.schedules += 1
    total.calls += calls
    total.wasted += wasted
    if (violations.length === 0) continue
    total.failed += 1
    console.error(describeFailure({ seed, size: members, violations }, ' --upkeep'))
  }
  console.log(JSON.stringify(total))
  return total.failed > 0 ? 1 : 0
}

async function rotation(): Promise<number> {
  const only = values.seed === undefined ? undefined : count('seed', values.seed)
  const last = only ?? count('seeds', values.seeds ?? '200')
  const total = { schedules: 0, broken: 0, completed: 0, failed: 0, reorganized: 0, crashes: 0 }
  for (let seed = only ?? from; seed <= last; seed++) {
    const { violations, warnings, disputed: _, ...outcome } = await runHandovers({ seed })
    total.schedules += 1
    for (const key of ['completed', 'failed', 'reorganized', 'crashes'] as const) total[key] += outcome[key]
    if (only !== undefined) console.log(warnings.join('\n'))
    if (violations.length === 0) continue
    total.broken += 1
    console.error(describeFailure({ seed, size: 4, violations }, ' --rotation'))
  }
  console.log(JSON.stringify(total))
  return total.broken > 0 ? 1 : 0
}

async function ceremony(size: number | undefined): Promise<number> {
  if (values.seed !== undefined) {
    const seed = count('seed', values.seed)
    const { violations } = await runCeremonySeed({ seed, size: size ?? 4, trace: (line) => console.log(line) })
    if (violations.length > 0) console.error(describeCeremonyFailure({ seed, size: size ?? 4, violations }))
    return violations.length > 0 ? 1 : 0
  }
  const total = { schedules: 0, failed: 0, rushed: { keys: 0, ones: 0 } }
  for (const [members, seeds] of FULL) {
    if (size !== undefined && members !== size) continue
    const to = values.seeds === undefined ? seeds : count('seeds', values.seeds)
    const onSeed: NonNullable<Parameters<typeof runCeremonySeeds>[0]['onSeed']> = (seed, failure) => {
      total.schedules += 1
      if (failure !== undefined) console.error(describeCeremonyFailure(failure))
      if (seed % 100 === 0) console.log(`${seed} of ${to} schedules of ${members} members`)
    }
    const { failures, rushed } = await runCeremonySeeds({ size: members, from, to, onSeed })
    total.failed += failures.length
    total.rushed = { keys: total.rushed.keys + rushed.keys, ones: total.rushed.ones + rushed.ones }
  }
  const isBiased = deviation(total.rushed) >= 4
  if (isBiased) console.error(`the key's last bit is biased: ${total.rushed.ones} of ${total.rushed.keys} end in a 1`)
  console.log(JSON.stringify(total))
  return total.failed > 0 || isBiased ? 1 : 0
}

async function main(): Promise<number> {
  const size = values.members === undefined ? undefined : membersOf(values.members)
  if (values.upkeep) return upkeep(size)
  if (values.rotation) return rotation()
  if (values.ceremony) return ceremony(size)
  const crypto = values.bls ? await realCrypto() : undefined
  const storm = values.storm ? 'long' : 'short'
  const flags = `${values.bls ? ' --bls' : ''}${values.storm ? ' --storm' : ''}`
  if (values.seed !== undefined) {
    const seed = count('seed', values.seed)
    const members = size ?? (seed % 2 === 0 ? 4 : 7)
    const violations = await runSeed({ seed, size: members, crypto: crypto ?? hashCrypto(), storm, trace: (line) => console.log(line) })
    if (violations.length > 0) console.error(describeFailure({ seed, size: members, violations }, flags))
    return violations.length > 0 ? 1 : 0
  }
  const seeds = count('seeds', values.seeds ?? '10000')
  const started = performance.now()
  const seconds = (): number => Math.round((performance.now() - started) / 100) / 10
  const failures = await runSeeds({
    from,
    to: seeds,
    storm,
    ...(size !== undefined && { size }),
    ...(crypto !== undefined && { crypto: () => crypto }),
    onSeed: (seed, failure) => {
      if (failure !== undefined) console.error(describeFailure(failure, flags))
      if (seed % 1_000 === 0) console.log(`${seed} of ${seeds} schedules, ${seconds()} s`)
    },
  })
  console.log(JSON.stringify({ schedules: seeds + 1 - from, failed: failures.length, seconds: seconds() }))
  return failures.length > 0 ? 1 : 0
}

process.exitCode = await main()
