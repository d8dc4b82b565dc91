import type { MemberIndex } from '../operator/core/ids.ts'
import { toPoolId } from '../operator/core/parse.ts'
import type { CeremonyContext, CeremonySecrets } from '../operator/core/ports/ceremony.ts'
import { thresholdOf } from '../operator/core/vault.ts'
import { resultOf } from '../operator/protocol/dkg/result.ts'
import { createCeremonySecrets } from '../operator/signer/ceremony-secrets.ts'
import type { CeremonyState } from '../operator/signer/ceremony-state.ts'
import { CeremonyError } from '../operator/signer/errors.ts'
import { type BenchResult, figure } from './support/figures.ts'
import { ADDRESSES } from './vault/ceremonies.ts'
import { BenchVault, type CeremonyRun } from './vault/vault.ts'

const WARM_UP = 2
/** As on mainnet: nothing may wait for a slot to pass. */
const SLOT_MS = 12_000

/** The secret half of a ceremony with a memory for a disk. */
function diskless(): CeremonySecrets {
  let held: CeremonyState | undefined
  const states = {
    find: () => held,
    get: () => {
      if (held === undefined) throw new CeremonyError('NOT_BEGUN', 'not begun')
      return held
    },
    save: (_: CeremonyContext, state: CeremonyState) => {
      held = state
    },
    keep: (_: CeremonyContext, state: CeremonyState) => {
      held = state
    },
    erase: () => {},
  }
  return createCeremonySecrets(states, { list: () => [], get: () => undefined, remove: () => {}, add: async () => {} })
}

type Party = { readonly context: CeremonyContext; readonly secrets: CeremonySecrets }

/** What one member must calculate in any case: deal, verify all dealings, reveal, verify all reveals, sign. */
async function floorOf(size: number, runs: number): Promise<readonly number[]> {
  const qualified = Array.from({ length: size }, (_, at) => (at + 1) as MemberIndex)
  const place = { chainId: 1n, contract: ADDRESSES.poolRegistry, poolId: toPoolId(1), kind: 'dkg', round: 0 } as const
  const samples: number[] = []
  for (let run = -WARM_UP; run < runs; run++) {
    const parties: readonly Party[] = qualified.map((self) => ({
      context: { ...place, size, threshold: thresholdOf(size), self },
      secrets: diskless(),
    }))
    let spent = 0
    /** Everybody does a step; the time of the first one counts. */
    const all = async <T>(step: (party: Party) => Promise<T>): Promise<readonly T[]> => {
      const done: T[] = []
      for (const party of parties) {
        const start = performance.now()
        done.push(await step(party))
        if (party === parties[0]) spent += performance.now() - start
      }
      return done
    }
    const joinKeys = await all(({ secrets, context }) => secrets.begin(context))
    const dealings = await all(({ secrets, context }) => secrets.deal(context, joinKeys))
    await all(async ({ secrets, context }) => {
      for (const dealing of dealings) await secrets.open(context, dealing)
    })
    const reveals = await all(({ secrets, context }) => secrets.reveal(context, qualified))
    await all(async ({ secrets, context }) => {
      const { transcriptRoot } = resultOf({ context, dealings, qualified, reveals })
      await secrets.sign(context, transcriptRoot)
    })
    if (run >= 0) samples.push(spent)
  }
  return samples
}

/** DKG among processes of their own over loopback, beside its cryptographic floor. */
export async function benchDkg({ size, runs }: { readonly size: number; readonly runs: number }): Promise<BenchResult> {
  const vault = await BenchVault.start({ size, slotMs: SLOT_MS })
  const ceremonies: CeremonyRun[] = []
  try {
    for (let run = -WARM_UP; run < runs; run++) {
      const ceremony = await vault.ceremony()
      if (run >= 0) ceremonies.push(ceremony)
    }
  } finally {
    await vault.close()
  }
  return {
    name: `dkg-${size}`,
    title: `DKG of ${size} members, each a process, over loopback`,
    figures: [
      figure(
        'draw → result signed by a member',
        ceremonies.flatMap(({ signedMs }) => signedMs),
      ),
      figure(
        'draw → result signed by all',
        ceremonies.map(({ allSignedMs }) => allSignedMs),
      ),
      figure(
        'draw → registration sent',
        ceremonies.map(({ publishedMs }) => publishedMs),
      ),
      figure(
        'CPU of a member',
        ceremonies.flatMap(({ cpuMs }) => cpuMs),
      ),
      figure('floor: what a member must calculate', await floorOf(size, runs)),
    ],
    notes: [
      'Shipped pipeline, key folders with fsync, libp2p; the chain tells of the draw at once and takes the registration.',
      'The floor is one process without disk or network: deal, verify all dealings, reveal, verify all reveals, sign.',
    ],
  }
}
