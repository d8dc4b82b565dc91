import { ethTexts } from '../core/amounts.ts'
import type { Epoch, PublicKey } from '../core/ids.ts'
import type { Pool } from '../core/network.ts'
import type { Call } from '../core/ports/chain.ts'
import type { PoolKind } from '../core/vault.ts'
import { type CallPorts, type Inputs, one, type Prepared } from './types.ts'

type Standing = { readonly poolId: Pool['id']; readonly kind: PoolKind; readonly publicKey: PublicKey }

/** The end of the network, when nothing was reported for too long: every validator is forced out, what comes back is gathered. */
export type WindDownTask =
  | { readonly kind: 'start-wind-down'; readonly id: string }
  | { readonly kind: 'wind-down-exits'; readonly id: string; readonly epoch: Epoch; readonly pools: readonly Standing[] }
  | { readonly kind: 'gather'; readonly id: string }

/** Each request raises the beacon chain's fee for the next ones (EIP-7002): some at a time, each epoch. */
const EXITS_AN_EPOCH = 4
/** Wei from which on gathering is worth its gas; anybody may gather less. */
const LEAST_GATHERED = 10n ** 18n

export function windDownTasks({ state, parameters, epoch, nowSeconds }: Inputs): readonly WindDownTask[] {
  const pools = [...state.pools.values()]
  if (!state.aftermath.woundDown) {
    const { genesisTime, firstPeriod, windDownAfter, slotsPerEpoch, secondsPerSlot } = parameters
    const epochSeconds = slotsPerEpoch * secondsPerSlot
    const reports = state.deeds.flatMap((deed) => (deed.kind === 'report' ? [deed.timestamp] : []))
    const firstDeposit = Math.min(...pools.flatMap(({ registeredAt }) => registeredAt ?? []))
    const since = Math.max(genesisTime + firstPeriod * epochSeconds, Number.isFinite(firstDeposit) ? firstDeposit : 0, reports.at(-1) ?? 0)
    return nowSeconds > since + windDownAfter * epochSeconds ? [{ kind: 'start-wind-down', id: 'start-wind-down' }] : []
  }
  const standing = pools.flatMap(({ id: poolId, kind, phase, publicKey }) =>
    publicKey === undefined || phase === 'closed' ? [] : [{ poolId, kind, publicKey }],
  )
  return [
    ...(standing.length === 0 ? [] : [{ kind: 'wind-down-exits', id: `wind-down-exits/${epoch}`, epoch, pools: standing } as const]),
    { kind: 'gather', id: `gather/${epoch}` },
  ]
}

export async function prepareWindDown(task: WindDownTask, ports: CallPorts, signal?: AbortSignal): Promise<Prepared> {
  switch (task.kind) {
    case 'start-wind-down':
      return one('windDown', 'start', [])
    case 'wind-down-exits':
      return prepareExits(task, ports, signal)
    case 'gather': {
      const gather: Call = { contract: 'windDown', method: 'gather', args: [] }
      return { calls: BigInt(String(await ports.contracts.read(gather))) < LEAST_GATHERED ? [] : [gather] }
    }
  }
}

async function prepareExits(
  { epoch, pools }: Extract<WindDownTask, { kind: 'wind-down-exits' }>,
  { beacon, contracts, maxExitFee }: CallPorts,
  signal?: AbortSignal,
): Promise<Prepared> {
  const keys = pools.map(({ publicKey }) => publicKey)
  const validators = new Map((await beacon.validators(keys, 'head', signal)).map((validator) => [validator.publicKey, validator]))
  // The beacon chain drops requests for validators that are too young.
  const old = epoch - contracts.parameters.shardCommitteePeriod
  const due = pools.filter(({ publicKey }) => {
    const validator = validators.get(publicKey)
    return validator !== undefined && validator.exitEpoch === Infinity && validator.activationEpoch <= old
  })
  const calls: Call[] = []
  for (const { poolId, kind } of due.slice(0, EXITS_AN_EPOCH)) {
    const vault = kind === 'staker' ? 'stakerVault' : 'bondVault'
    const fee = BigInt(String(await contracts.read({ contract: vault, method: 'exitFee', args: [] })))
    if (fee > maxExitFee) {
      const [asked, most] = ethTexts(fee, maxExitFee)
      return { wait: `the beacon chain asks ${asked} for a forced exit, more than the ${most} that this operator pays (--max-exit-fee)` }
    }
    // The fee may rise until the call is included; the contract gives back what is too much.
    const value = 2n * fee < maxExitFee ? 2n * fee : maxExitFee
    calls.push({ contract: 'windDown', method: 'forceExit', args: [poolId], value })
  }
  return { calls }
}
