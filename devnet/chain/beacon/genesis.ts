import { createHash } from 'node:crypto'
import { type BeaconConfig, type ChainConfig, createBeaconConfig, createChainForkConfig } from '@lodestar/config'
import { FAR_FUTURE_EPOCH, ForkSeq, MIN_ACTIVATION_BALANCE, UNSET_DEPOSIT_REQUESTS_START_INDEX } from '@lodestar/params'
import {
  type CachedBeaconStateElectra,
  createCachedBeaconState,
  createPubkeyCache,
  getActiveValidatorIndices,
  getEffectiveBalanceIncrementsZeroed,
  getNextSyncCommittee,
} from '@lodestar/state-transition'
import { type electra, ssz } from '@lodestar/types'
import { fromHex } from '@lodestar/utils'
import type { GenesisBlock } from '../execution/engine.ts'

const ETHER_PER_ACTIVATION = MIN_ACTIVATION_BALANCE / 1_000_000_000

/**
 * Beacon state at slot 0 in Electra, with the given public keys active and 32 ETH each, and with the
 * execution client's block 0 as its latest payload. No deposit is outstanding: the deposit contract
 * starts empty, so the validators that come in are all from deposit requests (EIP-6110).
 */
export function genesisState(options: {
  readonly chainConfig: Partial<ChainConfig>
  readonly genesisTime: number
  readonly pubkeys: readonly Uint8Array[]
  readonly block: GenesisBlock
}): { readonly config: BeaconConfig; readonly state: CachedBeaconStateElectra } {
  const forkConfig = createChainForkConfig(options.chainConfig)
  const state = ssz.electra.BeaconState.defaultValue()
  const blockHash = fromHex(options.block.hash)

  state.genesisTime = options.genesisTime
  state.fork = { previousVersion: forkConfig.DENEB_FORK_VERSION, currentVersion: forkConfig.ELECTRA_FORK_VERSION, epoch: 0 }
  state.latestBlockHeader.bodyRoot = ssz.electra.BeaconBlockBody.hashTreeRoot(ssz.electra.BeaconBlockBody.defaultValue())
  state.eth1Data.blockHash = blockHash
  state.randaoMixes = state.randaoMixes.map(() => blockHash)
  state.validators = options.pubkeys.map(activeValidator)
  state.balances = options.pubkeys.map(() => MIN_ACTIVATION_BALANCE)
  state.previousEpochParticipation = options.pubkeys.map(() => 0)
  state.currentEpochParticipation = options.pubkeys.map(() => 0)
  state.inactivityScores = options.pubkeys.map(() => 0)
  state.genesisValidatorsRoot = ssz.phase0.Validators.hashTreeRoot(state.validators)
  state.latestExecutionPayloadHeader = payloadHeader(options.block)
  state.depositRequestsStartIndex = UNSET_DEPOSIT_REQUESTS_START_INDEX

  const view = ssz.electra.BeaconState.toViewDU(state)
  const increments = getEffectiveBalanceIncrementsZeroed(options.pubkeys.length).fill(ETHER_PER_ACTIVATION)
  const { syncCommittee } = getNextSyncCommittee(ForkSeq.electra, view, getActiveValidatorIndices(view, 0), increments)
  view.currentSyncCommittee = ssz.altair.SyncCommittee.toViewDU(syncCommittee)
  view.nextSyncCommittee = ssz.altair.SyncCommittee.toViewDU(syncCommittee)
  view.commit()

  const config = createBeaconConfig(options.chainConfig, state.genesisValidatorsRoot)
  return { config, state: createCachedBeaconState(view, { config, pubkeyCache: createPubkeyCache() }) }
}

function activeValidator(pubkey: Uint8Array): electra.BeaconState['validators'][number] {
  // BLS withdrawal credentials: the sweep never touches these validators.
  const withdrawalCredentials = new Uint8Array(createHash('sha256').update(pubkey).digest())
  withdrawalCredentials[0] = 0
  return {
    pubkey,
    withdrawalCredentials,
    effectiveBalance: MIN_ACTIVATION_BALANCE,
    slashed: false,
    activationEligibilityEpoch: 0,
    activationEpoch: 0,
    exitEpoch: FAR_FUTURE_EPOCH,
    withdrawableEpoch: FAR_FUTURE_EPOCH,
  }
}

function payloadHeader(block: GenesisBlock): electra.ExecutionPayloadHeader {
  const header = ssz.electra.ExecutionPayloadHeader.defaultValue()
  return {
    ...header,
    stateRoot: fromHex(block.stateRoot),
    receiptsRoot: fromHex(block.receiptsRoot),
    logsBloom: fromHex(block.logsBloom),
    gasLimit: Number(block.gasLimit),
    timestamp: Number(block.timestamp),
    baseFeePerGas: BigInt(block.baseFeePerGas),
    blockHash: fromHex(block.hash),
    transactionsRoot: ssz.bellatrix.Transactions.hashTreeRoot([]),
    withdrawalsRoot: ssz.capella.Withdrawals.hashTreeRoot([]),
  }
}
