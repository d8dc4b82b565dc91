import type { ChainConfig } from '@lodestar/config'
import { fromHex } from '@lodestar/utils'
import { CHAIN_ID } from '../execution/constants.ts'
import { DEPOSIT_CONTRACT } from '../execution/genesis.ts'

const GWEI_PER_ETHER = 1_000_000_000

/**
 * The minimal configuration (consensus-specs, configs/minimal) with every fork to Electra at genesis and
 * all waiting times of a validator's life cut to what the specification still allows.
 */
export function chainConfig(options: { readonly slotSeconds: number; readonly validators: number }): Partial<ChainConfig> {
  return {
    CONFIG_NAME: 'local',
    ALTAIR_FORK_EPOCH: 0,
    BELLATRIX_FORK_EPOCH: 0,
    CAPELLA_FORK_EPOCH: 0,
    DENEB_FORK_EPOCH: 0,
    ELECTRA_FORK_EPOCH: 0,
    TERMINAL_TOTAL_DIFFICULTY: 0n,
    MIN_GENESIS_ACTIVE_VALIDATOR_COUNT: options.validators,
    GENESIS_DELAY: 0,
    SECONDS_PER_SLOT: options.slotSeconds,
    SLOT_DURATION_MS: options.slotSeconds * 1000,
    SECONDS_PER_ETH1_BLOCK: options.slotSeconds,
    SHARD_COMMITTEE_PERIOD: 0,
    MIN_VALIDATOR_WITHDRAWABILITY_DELAY: 1,
    // Sixteen validators may enter or leave per epoch. The difference between the two is left for consolidations.
    MIN_PER_EPOCH_CHURN_LIMIT_ELECTRA: 1024 * GWEI_PER_ETHER,
    MAX_PER_EPOCH_ACTIVATION_EXIT_CHURN_LIMIT: 512 * GWEI_PER_ETHER,
    DEPOSIT_CHAIN_ID: CHAIN_ID,
    DEPOSIT_NETWORK_ID: CHAIN_ID,
    DEPOSIT_CONTRACT_ADDRESS: fromHex(DEPOSIT_CONTRACT),
  }
}
