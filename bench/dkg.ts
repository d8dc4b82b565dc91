import { floorOf } from './floor.ts'
import { type BenchResult, figure } from './support/figures.ts'
import { BenchVault, type CeremonyRun } from './vault/vault.ts'

/** The floor's loop is warm after as many. */
const WARM_UP = 50
/** As on mainnet: nothing may wait for a slot to pass. */
const SLOT_MS = 12_000

/** DKG among processes of their own over loopback, beside its cryptographic floor. */
export async function benchDkg({ size, runs }: { readonly size: number; readonly runs: number }): Promise<BenchResult> {
  const floor = await floorOf({ size, runs, warmUp: WARM_UP })
  const vault = await BenchVault.start({ size, slotMs: SLOT_MS })
  const ceremonies: CeremonyRun[] = []
  const heldUpMs: number[] = []
  try {
    for (let run = -WARM_UP; run < runs; run++) {
      const ceremony = await vault.ceremony()
      if (run >= 0) ceremonies.push(ceremony)
    }
    for (let run = 0; run < runs; run++) heldUpMs.push(...(await vault.watchedCeremony()))
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
      figure('floor: CPU of what a member must calculate', floor),
      figure('longest hold-up of a member’s event loop, in as many ceremonies more', heldUpMs),
    ],
    notes: [
      'Shipped pipeline, key folders with fsync, libp2p; the chain tells of the draw at once and takes the registration.',
      'The hold-up is by what the member does itself: time in which other processes had the processor is left out.',
      'CPU is that of all threads. The floor is one process without disk or network: join, deal, open all dealings, reveal,',
      'the result, two signatures on it; and of each other member a proof of its join key, a proven reveal, and its ECDSA signatures',
      'on join, dealing, word on the dealings, reveal, prepare and commit. Not in it: who publishes verifies 2n BLS signatures more.',
    ],
  }
}
