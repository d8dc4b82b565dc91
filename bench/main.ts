import { Argument, Command, InvalidArgumentError } from 'commander'
import { speakAs } from '../operator/app/cli/voice.ts'
import { benchDkg } from './dkg.ts'
import { benchDuty } from './duty.ts'
import { benchMemory } from './memory.ts'
import { benchQbft } from './qbft.ts'
import { type BenchResult, tableOf } from './support/figures.ts'
import { describeMachine } from './support/machine.ts'

type Amounts = { readonly ceremonies: number; readonly duties: number; readonly decisions: number; readonly slots: number }

const BENCHES: Readonly<Record<string, (amounts: Amounts) => readonly (() => Promise<BenchResult>)[]>> = {
  dkg: ({ ceremonies: runs }) => [() => benchDkg({ size: 4, runs }), () => benchDkg({ size: 7, runs })],
  'dkg-12': ({ ceremonies: runs }) => [() => benchDkg({ size: 12, runs })],
  // Of 24 members, in as many processes: it takes some minutes and 4 GB.
  'dkg-24': () => [() => benchDkg({ size: 24, runs: 3 })],
  duty: ({ duties }) => [() => benchDuty({ duties })],
  memory: ({ slots }) => [() => benchMemory({ slots })],
  qbft: ({ decisions }) => [() => benchQbft({ size: 4, decisions }), () => benchQbft({ size: 7, decisions })],
}

const ON_REQUEST: readonly string[] = ['dkg-12', 'dkg-24']

function parseCount(text: string): number {
  const count = Number(text)
  if (Number.isSafeInteger(count) && count > 0) return count
  throw new InvalidArgumentError(`expected a whole number from 1, got ${text}`)
}

const program = speakAs(new Command('bench'))
  .description(
    [
      'Measures, on this machine: DKG and duties of vaults whose members are processes of their own, QBFT alone, and what stays in memory.',
      'Nothing else should run meanwhile: the load when it began is printed with the figures.',
    ].join('\n'),
  )
  .addArgument(
    new Argument('[names...]', `what to measure; everything but ${ON_REQUEST.join(' and ')} when not given`).choices(Object.keys(BENCHES)),
  )
  .option('--ceremonies <n>', 'DKGs of each size', parseCount, 12)
  .option('--duties <n>', 'attestations', parseCount, 200)
  .option('--decisions <n>', 'QBFT decisions of each size', parseCount, 500)
  .option('--slots <n>', 'slots to live through for memory', parseCount, 20_000)
  .option('--json', 'one JSON object in the place of tables')
  .action(async (names: readonly string[], options: Amounts & { readonly json?: true }) => {
    const machine = await describeMachine()
    const { cpu, cores, memoryGb, node, load, fsyncMs } = machine
    if (options.json === undefined)
      console.log(`${cores} × ${cpu}, ${memoryGb} GB, Node ${node}; load ${load}, a synced write ${fsyncMs} ms\n`)
    const results: BenchResult[] = []
    for (const [name, runsOf] of Object.entries(BENCHES)) {
      if (names.length > 0 ? !names.includes(name) : ON_REQUEST.includes(name)) continue
      for (const run of runsOf(options)) {
        const result = await run()
        results.push(result)
        if (options.json === undefined) console.log(`${tableOf(result)}\n`)
      }
    }
    if (options.json) console.log(JSON.stringify({ machine, results }))
  })

await program.parseAsync().catch((error: unknown) => {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
