import type { PublicKey } from '../../../../operator/core/ids.ts'
import { type CeremonyOutcome, runCeremonySeed } from './run.ts'

/** Seeds by the command: n = 4, 7 and 24. */
export const FULL = [
  [4, 5_000],
  [7, 2_000],
  [24, 50],
] as const

export type CeremonyFailure = { readonly seed: number; readonly size: number; readonly violations: readonly string[] }

/** Of the keys that a member rushed to bias: how many there were, and how many end in a 1. */
export type Bits = { readonly keys: number; readonly ones: number }

export type CeremonySeeds = {
  readonly size: number
  readonly from: number
  readonly to: number
  readonly onSeed?: (seed: number, failure: CeremonyFailure | undefined) => void
}

/** Runs seeds one after the other. */
export async function runCeremonySeeds({ size, from, to, onSeed }: CeremonySeeds): Promise<{
  readonly failures: readonly CeremonyFailure[]
  readonly rushed: Bits
}> {
  const failures: CeremonyFailure[] = []
  const rushed: PublicKey[] = []
  for (let seed = from; seed <= to; seed++) {
    const { violations, fates, groupKey }: CeremonyOutcome = await runCeremonySeed({ seed, size })
    const failure = violations.length > 0 ? { seed, size, violations } : undefined
    if (failure !== undefined) failures.push(failure)
    if (groupKey !== undefined && [...fates.values()].includes('rushes to bias the key')) rushed.push(groupKey)
    onSeed?.(seed, failure)
  }
  return { failures, rushed: { keys: rushed.length, ones: rushed.filter(endsInOne).length } }
}

const endsInOne = (key: PublicKey): boolean => Number.parseInt(key.slice(-1), 16) % 2 === 1

/** Standard deviations by which the ones differ from a half: beyond 4 a fair coin gets once in 15,000 times. */
export function deviation({ keys, ones }: Bits): number {
  return keys === 0 ? 0 : Math.abs(ones - keys / 2) / (Math.sqrt(keys) / 2)
}

/** What broke, and how to see it again. */
export function describeCeremonyFailure({ seed, size, violations }: CeremonyFailure): string {
  const command = `npm run simulate -- --ceremony --members ${size} --seed ${seed}`
  return `seed ${seed} of ${size} members broke:\n  ${violations.slice(0, 5).join('\n  ')}\n  replay: ${command}`
}
