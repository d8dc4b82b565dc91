import { parseArgs } from 'node:util'
import { hashCrypto, realCrypto } from './crypto.ts'
import { runSeed } from './run.ts'

// npm run simulate -- [--seeds 10000] [--seed N] [--members 4|7] [--bls]
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    members: { type: 'string' },
    bls: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(`Runs vaults of shipped duty services on a simulated clock, network and chain.
  --seeds N     how many schedules (10000)
  --seed N      replay one schedule, with everything its members log
  --members N   4 or 7 (both, alternating)
  --bls         real BLS and secp256k1 signatures instead of keyed hashes`)
} else {
  process.exitCode = await simulate()
}

async function simulate(): Promise<number> {
  const only = values.seed === undefined ? undefined : Number(values.seed)
  const seeds = only === undefined ? Array.from({ length: Number(values.seeds) }, (_, i) => i + 1) : [only]
  const started = performance.now()
  let failed = 0
  for (const seed of seeds) {
    const size = values.members === undefined ? (seed % 2 === 0 ? 4 : 7) : Number(values.members)
    const crypto = values.bls ? await realCrypto() : hashCrypto()
    const trace = only === undefined ? {} : { trace: (line: string) => console.log(line) }
    const violations = await runSeed({ seed, size, crypto, ...trace })
    if (violations.length > 0) {
      failed += 1
      const flags = `--seed ${seed} --members ${size}${values.bls ? ' --bls' : ''}`
      console.error(`seed ${seed} broke:\n  ${violations.slice(0, 5).join('\n  ')}\n  replay: npm run simulate -- ${flags}`)
    }
    if (seed % 1_000 === 0) console.log(`${seed} schedules, ${failed} failed, ${((performance.now() - started) / 1_000).toFixed(1)} s`)
  }
  const seconds = (performance.now() - started) / 1_000
  console.log(JSON.stringify({ schedules: seeds.length, failed, seconds: Number(seconds.toFixed(1)) }))
  return failed === 0 ? 0 : 1
}
