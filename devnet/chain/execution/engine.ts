import type { electra } from '@lodestar/types'
import { fromHex, toHex } from '@lodestar/utils'
import { type JsonRpc, jsonRpc } from './json-rpc.ts'
import {
  type PayloadJson,
  payloadFromJson,
  payloadToJson,
  requestsFromJson,
  requestsToJson,
  versionedHash,
  withdrawalToJson,
} from './payload.ts'

export type ForkchoiceState = {
  readonly head: Uint8Array
  readonly safe: Uint8Array
  readonly finalized: Uint8Array
}

export type PayloadAttributes = {
  /** Unix seconds. */
  readonly timestamp: number
  readonly prevRandao: Uint8Array
  readonly feeRecipient: Uint8Array
  readonly withdrawals: electra.ExecutionPayload['withdrawals']
  readonly parentBeaconBlockRoot: Uint8Array
}

export type BuiltPayload = {
  readonly payload: electra.ExecutionPayload
  readonly requests: electra.ExecutionRequests
  /** Wei for the fee recipient. */
  readonly value: bigint
  readonly commitments: Uint8Array[]
  readonly proofs: Uint8Array[]
  readonly blobs: Uint8Array[]
}

type PayloadStatus = { readonly status: string; readonly validationError?: string | null }
type BlobsJson = { readonly commitments: string[]; readonly proofs: string[]; readonly blobs: string[] }

/** Header fields of execution block 0 that the beacon chain's genesis needs. */
export type GenesisBlock = {
  readonly hash: string
  readonly stateRoot: string
  readonly receiptsRoot: string
  readonly logsBloom: string
  readonly gasLimit: string
  readonly timestamp: string
  readonly baseFeePerGas: string
}

/** The Engine API as of Prague (execution-apis, engine/prague). */
export class Engine {
  readonly #engine: JsonRpc
  readonly #rpc: JsonRpc

  constructor(urls: { readonly engineUrl: string; readonly executionUrl: string }) {
    this.#engine = jsonRpc(urls.engineUrl)
    this.#rpc = jsonRpc(urls.executionUrl)
  }

  async genesisBlock(): Promise<GenesisBlock> {
    return (await this.#rpc('eth_getBlockByNumber', ['0x0', false])) as GenesisBlock
  }

  /** engine_forkchoiceUpdatedV3; with attributes it starts a payload and answers its id. */
  async forkchoiceUpdated(state: ForkchoiceState, attributes?: PayloadAttributes): Promise<string | null> {
    const answer = (await this.#engine('engine_forkchoiceUpdatedV3', [
      {
        headBlockHash: toHex(state.head),
        safeBlockHash: toHex(state.safe),
        finalizedBlockHash: toHex(state.finalized),
      },
      attributes === undefined
        ? null
        : {
            timestamp: `0x${attributes.timestamp.toString(16)}`,
            prevRandao: toHex(attributes.prevRandao),
            suggestedFeeRecipient: toHex(attributes.feeRecipient),
            withdrawals: attributes.withdrawals.map(withdrawalToJson),
            parentBeaconBlockRoot: toHex(attributes.parentBeaconBlockRoot),
          },
    ])) as { payloadStatus: PayloadStatus; payloadId: string | null }
    expectValid('engine_forkchoiceUpdatedV3', answer.payloadStatus)
    return answer.payloadId
  }

  /** engine_getPayloadV4. The client finishes a payload once: never ask twice for one id. */
  async getPayload(payloadId: string): Promise<BuiltPayload> {
    const answer = (await this.#engine('engine_getPayloadV4', [payloadId])) as {
      executionPayload: PayloadJson
      blockValue: string
      blobsBundle: BlobsJson
      executionRequests: string[]
    }
    return {
      payload: payloadFromJson(answer.executionPayload),
      requests: requestsFromJson(answer.executionRequests),
      value: BigInt(answer.blockValue),
      commitments: answer.blobsBundle.commitments.map(fromHex),
      proofs: answer.blobsBundle.proofs.map(fromHex),
      blobs: answer.blobsBundle.blobs.map(fromHex),
    }
  }

  /** engine_newPayloadV4. Throws when the payload is not VALID, with the client's reason. */
  async newPayload(block: electra.BeaconBlock): Promise<void> {
    const status = (await this.#engine('engine_newPayloadV4', [
      payloadToJson(block.body.executionPayload),
      block.body.blobKzgCommitments.map(versionedHash),
      toHex(block.parentRoot),
      requestsToJson(block.body.executionRequests),
    ])) as PayloadStatus
    expectValid('engine_newPayloadV4', status)
  }
}

function expectValid(method: string, { status, validationError }: PayloadStatus): void {
  if (status !== 'VALID') throw new Error(`${method}: expected status VALID, received ${status}: ${validationError ?? 'no reason given'}`)
}
