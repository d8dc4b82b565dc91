import type { Hex } from '../../core/ids.ts'
import { toRoot } from '../../core/parse.ts'
import { BeaconError, type ChainSpec } from '../../core/ports/beacon.ts'
import { notABeaconNode, servesJsonRpc } from '../endpoint-kinds.ts'
import { getData } from './rest.ts'

const TIMEOUT_MS = 10_000
/** Codes of errors after which somebody did answer. */
const ANSWERED: ReadonlySet<string> = new Set(['REFUSED', 'NOT_FOUND', 'MALFORMED'])

/** What tells one chain from another, as /eth/v1/beacon/genesis serves it. */
export type Genesis = { readonly time: string; readonly validatorsRoot: string; readonly forkVersion: string }

/**
 * Reads the chain's parameters from any standard beacon node: /eth/v1/config/spec and /eth/v1/beacon/genesis. Uses no
 * Lodestar module, so that the preset can be set from the result. Throws `BeaconError`.
 */
export async function loadBeaconSpec(url: string, signal?: AbortSignal): Promise<ChainSpec> {
  const [served, genesis] = await Promise.all([
    getData({ url, path: '/eth/v1/config/spec', timeoutMs: TIMEOUT_MS }, signal),
    loadGenesis({ url, timeoutMs: TIMEOUT_MS }, signal),
  ]).catch(async (error: unknown) => {
    const answered = error instanceof BeaconError && ANSWERED.has(error.code)
    if (answered && (await servesJsonRpc(url))) throw new BeaconError('WRONG_ENDPOINT', notABeaconNode(url), {}, { cause: error })
    throw error
  })
  const values = plainValues(served)
  const slotMs = values.SLOT_DURATION_MS
  return {
    // The spec endpoint calls it PRESET_BASE; a chain of its own name may be based on any preset, mainnet unless said.
    presetBase: values.PRESET_BASE ?? 'mainnet',
    genesisTimeMs: numberOf('genesis_time', genesis.time) * 1000,
    genesisValidatorsRoot: toRoot(genesis.validatorsRoot),
    genesisForkVersion: genesis.forkVersion as Hex,
    slotDurationMs: slotMs === undefined ? required(values, 'SECONDS_PER_SLOT') * 1000 : numberOf('SLOT_DURATION_MS', slotMs),
    slotsPerEpoch: required(values, 'SLOTS_PER_EPOCH'),
    epochsPerHistoricalVector: required(values, 'EPOCHS_PER_HISTORICAL_VECTOR'),
    depositChainId: BigInt(required(values, 'DEPOSIT_CHAIN_ID')),
    values,
  }
}

export async function loadGenesis(
  { url, timeoutMs }: { readonly url: string; readonly timeoutMs: number },
  signal?: AbortSignal,
): Promise<Genesis> {
  const data = plainValues(await getData({ url, path: '/eth/v1/beacon/genesis', timeoutMs }, signal))
  const { genesis_time: time, genesis_validators_root: validatorsRoot, genesis_fork_version: forkVersion } = data
  if (time === undefined || !/^0x[0-9a-f]{64}$/i.test(validatorsRoot ?? '') || !/^0x[0-9a-f]{8}$/i.test(forkVersion ?? '')) {
    throw new BeaconError('MALFORMED', `expected genesis time, validators root and fork version, got ${JSON.stringify(data)}`)
  }
  return { time, validatorsRoot: String(validatorsRoot).toLowerCase(), forkVersion: String(forkVersion).toLowerCase() }
}

function plainValues(served: unknown): Record<string, string> {
  if (typeof served !== 'object' || served === null) {
    throw new BeaconError('MALFORMED', `expected an object of values, got ${String(served).slice(0, 80)}`)
  }
  const plain = Object.entries(served).filter(([, value]) => typeof value === 'string' || typeof value === 'number')
  return Object.fromEntries(plain.map(([key, value]) => [key, String(value)]))
}

function required(values: Readonly<Record<string, string>>, key: string): number {
  return numberOf(key, values[key])
}

function numberOf(key: string, text: string | undefined): number {
  if (text === undefined || !/^\d+$/.test(text)) {
    throw new BeaconError('MALFORMED', `expected ${key} as a decimal number, got ${text ?? 'nothing'}`, { key })
  }
  return Number(text)
}
