import { notABeaconNode, servesJsonRpc } from '../operator/adapters/endpoint-kinds.ts'
import { fetchReasonOf } from '../operator/core/errors.ts'
import { DeployError } from './errors.ts'
import type { BeaconFacts, LayoutRow } from './parameters/types.ts'

export interface BeaconChain {
  readonly facts: BeaconFacts
  readonly layouts: readonly LayoutRow[]
  /** Of the execution chain that the deposit contract is on. */
  readonly depositChainId: bigint
}

const FAR_FUTURE = 2n ** 64n - 1n
/** Forks whose states have the generalized indices below. */
const KNOWN_FORKS = ['ELECTRA', 'FULU'] as const
const GINDICES = { forkGindex: 269n, validatorsGindex: 75n, balancesGindex: 76n, randaoMixesGindex: 77n } as const

/**
 * What a beacon node says of its chain: the facts a deployment fixes, and a layout row for each known fork that is
 * scheduled. Standard Beacon API: `/eth/v1/config/spec` and `/eth/v1/beacon/genesis`.
 * @throws DeployError when the node can't be reached, lacks a value, or has no fork whose states we know.
 */
export async function readBeaconChain(beaconUrl: string, signal?: AbortSignal): Promise<BeaconChain> {
  const spec = await getData(beaconUrl, '/eth/v1/config/spec', signal)
  const genesis = await getData(beaconUrl, '/eth/v1/beacon/genesis', signal)
  return {
    facts: {
      genesisTime: integer(genesis, 'genesis_time'),
      secondsPerSlot: integer(spec, 'SECONDS_PER_SLOT'),
      slotsPerEpoch: integer(spec, 'SLOTS_PER_EPOCH'),
      epochsPerHistoricalVector: integer(spec, 'EPOCHS_PER_HISTORICAL_VECTOR'),
      shardCommitteePeriod: integer(spec, 'SHARD_COMMITTEE_PERIOD'),
      genesisForkVersion: text(spec, 'GENESIS_FORK_VERSION'),
      genesisValidatorsRoot: text(genesis, 'genesis_validators_root'),
      ejectionBalance: integer(spec, 'EJECTION_BALANCE'),
      depositContract: text(spec, 'DEPOSIT_CONTRACT_ADDRESS'),
    },
    layouts: layoutsOf(spec),
    depositChainId: integer(spec, 'DEPOSIT_CHAIN_ID'),
  }
}

/** Rows of the known forks that are scheduled, oldest first; of forks that start together only the last is ever seen. */
export function layoutsOf(spec: ReadonlyMap<string, unknown>): readonly LayoutRow[] {
  const rows = new Map<bigint, LayoutRow>()
  for (const fork of KNOWN_FORKS) {
    if (!spec.has(`${fork}_FORK_EPOCH`)) continue
    const firstEpoch = integer(spec, `${fork}_FORK_EPOCH`)
    if (firstEpoch === FAR_FUTURE) continue
    rows.set(firstEpoch, { firstEpoch, forkVersion: text(spec, `${fork}_FORK_VERSION`), ...GINDICES })
  }
  if (rows.size === 0)
    throw new DeployError('NO_KNOWN_FORK', `expected one of the forks ${KNOWN_FORKS.join(', ')} to be scheduled, got none`)
  return [...rows.values()]
}

async function getData(beaconUrl: string, path: string, signal?: AbortSignal): Promise<ReadonlyMap<string, unknown>> {
  const url = new URL(path, beaconUrl)
  let response: Response
  try {
    response = await fetch(url, signal === undefined ? {} : { signal })
  } catch (cause) {
    const message = `no beacon node answers at ${url.origin}: ${fetchReasonOf(cause)}`
    throw new DeployError('BEACON_NODE_UNREACHABLE', message, { url: String(url) }, { cause })
  }
  const body: unknown = await response.json().catch(() => undefined)
  if (!response.ok || body === undefined) {
    if (await servesJsonRpc(beaconUrl)) throw new DeployError('BAD_ARGUMENT', notABeaconNode(beaconUrl))
    const message = `expected ${url} to answer with JSON, got HTTP ${response.status}`
    throw new DeployError('BEACON_NODE_UNREACHABLE', message, { url: String(url), status: response.status })
  }
  const data = typeof body === 'object' && body !== null && 'data' in body ? body.data : undefined
  if (typeof data !== 'object' || data === null) {
    throw new DeployError('BEACON_FACT_MISSING', `expected ${url} to answer with an object "data"`, { url: String(url) })
  }
  return new Map(Object.entries(data))
}

function text(values: ReadonlyMap<string, unknown>, key: string): string {
  const value = values.get(key)
  if (typeof value !== 'string')
    throw new DeployError('BEACON_FACT_MISSING', `expected the beacon node to give ${key}, got ${typeof value}`, { key })
  return value
}

function integer(values: ReadonlyMap<string, unknown>, key: string): bigint {
  const value = text(values, key)
  if (!/^\d+$/.test(value))
    throw new DeployError('BEACON_FACT_MISSING', `expected ${key} to be a whole number, got ${value}`, { key, value })
  return BigInt(value)
}
