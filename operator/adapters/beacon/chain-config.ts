import { type BeaconConfig, chainConfigFromJson, createBeaconConfig } from '@lodestar/config'
import { hexToBytes } from '../../core/parse.ts'
import { BeaconError, type ChainSpec } from '../../core/ports/beacon.ts'

const NEVER = '18446744073709551615'
const FORKS = ['ALTAIR', 'BELLATRIX', 'CAPELLA', 'DENEB', 'ELECTRA', 'FULU', 'GLOAS', 'HEZE']

/**
 * The fork schedule and constants of the served chain. A fork that the node does not list is one it does not have: it must
 * not fall back to mainnet's epoch. The blob schedule matters to gossip only. Throws `BeaconError` MALFORMED.
 */
export function beaconConfigOf(spec: ChainSpec): BeaconConfig {
  const unscheduled = Object.fromEntries(FORKS.map((fork) => [`${fork}_FORK_EPOCH`, NEVER]))
  try {
    const config = chainConfigFromJson({ ...unscheduled, ...spec.values, BLOB_SCHEDULE: [] })
    return createBeaconConfig(config, hexToBytes(spec.genesisValidatorsRoot))
  } catch (error) {
    throw new BeaconError('MALFORMED', `the beacon node's spec cannot be read: ${String(error)}`, {}, { cause: error })
  }
}
