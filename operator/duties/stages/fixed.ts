import type { Epoch, Slot, ValidatorIndex } from '../../core/ids.ts'
import type { DutyStages } from '../pipeline.ts'
import { DutyError } from '../reasons.ts'
import { pause } from '../time.ts'
import type { ExitDuty, RandaoDuty } from '../types.ts'
import type { StagePorts } from './ports.ts'
import { broadcasting, signing } from './ports.ts'

// Duties whose value the chain itself says: every member knows it, so only partial signatures are exchanged.

/** The RANDAO reveal of a coming proposal. Its signature stays with the vault: the proposal takes it from `Partials`. */
export function randaoStages(ports: StagePorts): DutyStages<RandaoDuty, Epoch> {
  const { beacon, signer, partials, time } = ports
  return {
    wait: async () => {},
    fetch: async ({ slot }) => time.epochOf(slot),
    agree: async (_, fetch) => ({ value: await fetch(), round: 0 }),
    sign(duty, epoch) {
      const { poolId, round } = duty.pool
      const request = { poolId, round, epoch, purpose: 'randao', signingRoot: beacon.signingRoots.randao(epoch) } as const
      return signing(ports, { duty, request }, (asked) => signer.signRoot(asked))
    },
    share: (duty, signed, signal) => partials.share(duty, signed, signal),
    aggregate: async (duty, signal) => {
      try {
        return await partials.aggregate(duty, signal)
      } catch (cause) {
        throw new DutyError('NO_RANDAO', undefined, { cause })
      }
    },
    broadcast: async () => {},
  }
}

/** A voluntary exit, in the epoch that the chain's request names. */
export function exitStages(ports: StagePorts): DutyStages<ExitDuty, Epoch> {
  const { beacon, signer, partials, time } = ports
  return {
    wait: async () => {},
    fetch: async ({ epoch }) => epoch,
    agree: async (_, fetch) => ({ value: await fetch(), round: 0 }),
    sign(duty, epoch) {
      const { poolId, round, validatorIndex } = duty.pool
      const signingRoot = beacon.signingRoots.exit(epoch, validatorIndex)
      // Signed by whoever has the key now; the epoch that the exit names is of its request.
      const now = time.epochOf(Math.max(0, time.now()) as Slot)
      const request = { poolId, round, epoch: now, purpose: 'exit', signingRoot } as const
      return signing(ports, { duty, request }, (asked) => signer.signRoot(asked))
    },
    share: (duty, signed, signal) => partials.share(duty, signed, signal),
    aggregate: (duty, signal) => partials.aggregate(duty, signal),
    async broadcast({ pool: { validatorIndex } }, epoch, signature, signal) {
      try {
        await broadcasting(() => beacon.publishExit({ epoch, validatorIndex, signature }, signal), time, signal)
      } catch (refusal) {
        await exitedAnyway({ beacon, time, validatorIndex, refusal }, signal)
      }
    },
  }
}

type Refused = Pick<StagePorts, 'beacon' | 'time'> & { readonly validatorIndex: ValidatorIndex; readonly refusal: unknown }

/**
 * All members publish the same exit, and a node refuses it once it has another's, each client in its own words. So the chain is
 * asked, slot by slot until the signal aborts: what it shows is done. Rejects with the refusal when it never does.
 */
async function exitedAnyway({ beacon, time, validatorIndex, refusal }: Refused, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const [validator] = await beacon.validators([validatorIndex], 'head', signal).catch(() => [])
    if (validator !== undefined && validator.exitEpoch !== Infinity) return
    await pause(time.clock, time.slotMs, signal, () => refusal as Error)
  }
  throw refusal
}
