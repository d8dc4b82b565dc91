import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type BenchResult, figure } from './support/figures.ts'
import type { SoakSample } from './vault/soak.ts'

const SOAK = fileURLToPath(new URL('./vault/soak.ts', import.meta.url))

/** What stays in use after each tenth of so many slots, everything collected that can be. */
export async function soak(slots: number): Promise<readonly SoakSample[]> {
  const flags = ['--expose-gc', '--disable-warning=ExperimentalWarning', '--import', import.meta.resolve('tsx')]
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, SOAK, String(slots)])
  return JSON.parse(stdout) as readonly SoakSample[]
}

/** Memory that the duties of a vault of four leave behind, over many slots. */
export async function benchMemory({ slots }: { readonly slots: number }): Promise<BenchResult> {
  const samples = await soak(slots)
  const settled = samples.slice(samples.length >> 1)
  const [first, last] = [settled[0], settled.at(-1)]
  if (first === undefined || last === undefined) throw new Error('expected samples, got none')
  const bytes = ((last.heapMb - first.heapMb) * 2 ** 20) / (last.slots - first.slots)
  return {
    name: 'memory',
    title: `Memory: four duty services in one process over ${slots} slots, eight pools, a duty each slot`,
    figures: [
      figure(
        'heap in use',
        samples.map(({ heapMb }) => heapMb),
        'MB',
      ),
    ],
    notes: [`over the second half: ${bytes.toFixed(0)} bytes a slot; ${last.duties} duties of each member done`],
  }
}
