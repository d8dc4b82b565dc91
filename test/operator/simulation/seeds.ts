import type { SimCrypto } from './crypto.ts'
import { hashCrypto } from './crypto.ts'
import type { StormLength } from './plan.ts'
import { runSeed } from './run.ts'

export type SeedFailure = { readonly seed: number; readonly size: number; readonly violations: readonly string[] }

export type SeedsOptions = {
  readonly from: number
  readonly to: number
  /** 4 or 7; both in turn when not given. */
  readonly size?: number
  readonly crypto?: () => SimCrypto
  /** For the size; the protocol's when not given. */
  readonly quorumOf?: (size: number) => number
  readonly storm?: StormLength
  readonly onSeed?: (seed: number, failure: SeedFailure | undefined) => void
  /** Stop at the first failure. */
  readonly stopEarly?: boolean
}

/** Runs seeds one after the other. Returns those that broke a rule. */
export async function runSeeds(options: SeedsOptions): Promise<readonly SeedFailure[]> {
  const failures: SeedFailure[] = []
  for (let seed = options.from; seed <= options.to; seed++) {
    const size = options.size ?? (seed % 2 === 0 ? 4 : 7)
    const quorum = options.quorumOf?.(size)
    const violations = await runSeed({
      seed,
      size,
      crypto: (options.crypto ?? hashCrypto)(),
      storm: options.storm ?? 'short',
      ...(quorum !== undefined && { quorum }),
    })
    const failure = violations.length > 0 ? { seed, size, violations } : undefined
    if (failure !== undefined) failures.push(failure)
    options.onSeed?.(seed, failure)
    if (failure !== undefined && options.stopEarly === true) break
  }
  return failures
}

/** What broke, and how to see it again. */
export function describeFailure({ seed, size, violations }: SeedFailure, flags = ''): string {
  const command = `npm run simulate -- --seed ${seed} --members ${size}${flags}`
  return `seed ${seed} broke:\n  ${violations.slice(0, 5).join('\n  ')}\n  replay: ${command}`
}
