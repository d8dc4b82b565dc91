import type { Epoch, Slot } from '../core/ids.ts'
import type { BeaconHeaderInfo, BeaconNode } from '../core/ports/beacon.ts'
import type { ChainFollower, Contracts } from '../core/ports/chain.ts'
import type { Store } from '../core/ports/store.ts'
import type { Reference, ReferenceBalance } from '../core/report.ts'
import { POOL_KINDS, type PoolKind } from '../core/vault.ts'
import { decodeReference, encodeReference } from './reference-codec.ts'

export type CapturePorts = {
  readonly beacon: BeaconNode
  readonly chain: ChainFollower
  readonly contracts: Contracts
  readonly store: Store
}

const SPACE = 'report-reference'
const VAULTS = { staker: 'stakerVault', bond: 'bondVault' } as const satisfies Record<PoolKind, string>

const keyOf = (header: BeaconHeaderInfo): string => header.root

/** The block at or before a slot, on the chain that ends in `from`. Undefined when the beacon node does not serve a parent. */
export async function blockAtOrBefore(
  beacon: BeaconNode,
  from: BeaconHeaderInfo,
  slot: Slot,
  signal?: AbortSignal,
): Promise<BeaconHeaderInfo | undefined> {
  let header: BeaconHeaderInfo | undefined = from
  while (header !== undefined && header.slot > slot) header = await beacon.header(header.parentRoot, signal)
  return header
}

/**
 * Reads everything a report of `epoch` will need from the reference block and stores it: beacon nodes forget old states,
 * so this happens while the block is near the head. Repeating it for the same block changes nothing.
 */
export async function captureReference(
  ports: CapturePorts,
  epoch: Epoch,
  header: BeaconHeaderInfo,
  signal?: AbortSignal,
): Promise<Reference | undefined> {
  const known = loadReference(ports.store, header)
  if (known !== undefined) return known
  const payload = await ports.beacon.executionPayload(header.root, signal)
  if (payload === undefined) return undefined
  const keys = [...ports.chain.view().head.pools.values()].flatMap(({ publicKey }) => (publicKey === undefined ? [] : [publicKey]))
  const validators = keys.length === 0 ? [] : await ports.beacon.validators(keys, header.stateRoot, signal)
  const balances = new Map(
    validators.map(({ publicKey, balance, status }): readonly [typeof publicKey, ReferenceBalance] => [
      publicKey,
      // The Beacon API calls a validator whose activation_eligibility_epoch is far-future "pending_initialized".
      { balance, eligible: status !== 'pending_initialized' },
    ]),
  )
  const arrivals = { staker: 0n, bond: 0n }
  for (const [at, kind] of POOL_KINDS.entries()) {
    // By the payload's hash: the execution client may be on another branch than the beacon node for a moment.
    const held = await ports.contracts.balance(ports.contracts.addresses[VAULTS[kind]], payload)
    const collected = await ports.contracts.read({ contract: 'stakingPool', method: 'collected', args: [at] }, payload)
    arrivals[kind] = held + BigInt(String(collected))
  }
  const reference = { epoch, header, executionBlock: payload.number, timestamp: payload.timestamp, balances, arrivals }
  ports.store.put(SPACE, keyOf(header), encodeReference(reference))
  return reference
}

/** What was captured for a block, if anything. */
export function loadReference(store: Store, header: BeaconHeaderInfo): Reference | undefined {
  const text = store.get(SPACE, keyOf(header))
  return text === undefined ? undefined : decodeReference(text)
}

/** Forgets references older than an epoch. */
export function forgetReferences(store: Store, before: Epoch): void {
  for (const [key, text] of store.list(SPACE)) if (decodeReference(text).epoch < before) store.delete(SPACE, key)
}
