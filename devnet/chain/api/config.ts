import type { Endpoints } from '@lodestar/api'
import type { ApplicationMethods } from '@lodestar/api/server'
import { chainConfigToJson, specValuesToJson } from '@lodestar/config'
import * as params from '@lodestar/params'
import type { ApiContext } from './context.ts'

/** Constants that are neither in the preset nor in the configuration but belong into the spec answer. */
const CONSTANTS = {
  ...Object.fromEntries(Object.entries(params).filter(([name]) => name.startsWith('DOMAIN_'))),
  GENESIS_SLOT: params.GENESIS_SLOT,
  GENESIS_EPOCH: params.GENESIS_EPOCH,
  FAR_FUTURE_EPOCH: params.FAR_FUTURE_EPOCH,
  BLS_WITHDRAWAL_PREFIX: params.BLS_WITHDRAWAL_PREFIX,
  ETH1_ADDRESS_WITHDRAWAL_PREFIX: params.ETH1_ADDRESS_WITHDRAWAL_PREFIX,
  COMPOUNDING_WITHDRAWAL_PREFIX: params.COMPOUNDING_WITHDRAWAL_PREFIX,
  TARGET_AGGREGATORS_PER_COMMITTEE: params.TARGET_AGGREGATORS_PER_COMMITTEE,
  TARGET_AGGREGATORS_PER_SYNC_SUBCOMMITTEE: params.TARGET_AGGREGATORS_PER_SYNC_SUBCOMMITTEE,
  SYNC_COMMITTEE_SUBNET_COUNT: params.SYNC_COMMITTEE_SUBNET_COUNT,
}

/** What the network is. */
export function configMethods({ chain }: ApiContext): ApplicationMethods<Endpoints['config']> {
  const { config } = chain
  // The spec answer never changes, and every client asks for it at its start.
  const spec = { ...params.presetToJson(params.activePreset), ...chainConfigToJson(config), ...specValuesToJson(CONSTANTS) }
  return {
    async getDepositContract() {
      return { data: { chainId: config.DEPOSIT_CHAIN_ID, address: config.DEPOSIT_CONTRACT_ADDRESS } }
    },

    async getForkSchedule() {
      const forks = config.forksAscendingEpochOrder.filter((fork) => Number.isFinite(fork.epoch))
      const data = forks.map((fork) => ({ previousVersion: fork.prevVersion, currentVersion: fork.version, epoch: fork.epoch }))
      return { data }
    },

    async getSpec() {
      return { data: spec }
    },
  }
}
