import type { Log } from '../log.ts'
import type { AttestationPool } from './attestation-pool.ts'
import type { BeaconChain } from './chain.ts'
import type { LocalDuties } from './local-duties.ts'
import type { BlockProducer } from './producer.ts'
import type { StoredBlock } from './store.ts'
import type { SyncPool } from './sync-pool.ts'

/** When attesters stop waiting for the slot's block (ATTESTATION_DUE_BPS). */
const ATTEST_AT = 1 / 3

/**
 * The heartbeat: at the start of each slot a local proposer's block; when a block is there, or at a third of
 * the slot, the local attestations; after each block, the preparation of the next. An external proposer has
 * until the end of its slot. A slot that could not begin in time stays empty.
 */
export async function runSlots(options: {
  readonly chain: BeaconChain
  readonly duties: LocalDuties
  readonly producer: BlockProducer
  readonly attestations: AttestationPool
  readonly sync: SyncPool
  readonly log: Log
  readonly signal: AbortSignal
}): Promise<void> {
  const { chain, duties, producer, log, signal } = options
  const report = (what: string, slot: number) => (error: unknown) => {
    if (!signal.aborted) log.error(what, { slot, reason: error instanceof Error ? error.message : String(error) })
  }
  let attested = 0
  const attest = (slot: number): void => {
    if (attested >= slot) return
    attested = slot
    try {
      duties.attest(slot)
    } catch (error) {
      report('The local validators could not attest', slot)(error)
    }
  }
  chain.emitter.on('head', (block: StoredBlock) => {
    attest(block.slot)
    chain.serial.run(() => producer.prepare()).catch(report('The next block could not be prepared', block.slot + 1))
  })

  const runSlot = async (slot: number): Promise<void> => {
    options.attestations.prune(slot)
    options.sync.prune(slot)
    const started = Date.now()
    const block = await duties.propose(slot).catch(report('The local block was not accepted', slot))
    const took = Date.now() - started
    await chain.clock.until(slot, ATTEST_AT, signal)
    attest(slot)
    log.verbose('slot', block ? { slot, block: block.rootHex, took, finalized: chain.finalized.slot } : { slot, head: chain.head.slot })
  }

  await chain.serial.run(() => producer.prepare()).catch(report('The next block could not be prepared', 1))
  try {
    for (let slot = 1; ; slot = Math.max(slot + 1, chain.clock.slot)) {
      await chain.clock.until(slot, 0, signal)
      void runSlot(slot).catch(report('The slot was not completed', slot))
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
