import { createHash } from 'node:crypto'
import { type electra, ssz } from '@lodestar/types'
import { fromHex, toHex } from '@lodestar/utils'

/** ExecutionPayloadV3 of the Engine API: byte strings and quantities in hex. */
export type PayloadJson = Readonly<Record<string, string>> & {
  readonly transactions: readonly string[]
  readonly withdrawals: readonly WithdrawalJson[]
}

export type WithdrawalJson = {
  readonly index: string
  readonly validatorIndex: string
  readonly address: string
  readonly amount: string
}

const quantity = (value: number | bigint): string => `0x${value.toString(16)}`

export function withdrawalToJson(withdrawal: electra.ExecutionPayload['withdrawals'][number]): WithdrawalJson {
  return {
    index: quantity(withdrawal.index),
    validatorIndex: quantity(withdrawal.validatorIndex),
    address: toHex(withdrawal.address),
    amount: quantity(withdrawal.amount),
  }
}

/** Engine API JSON → consensus type. */
export function payloadFromJson(json: PayloadJson): electra.ExecutionPayload {
  const text = (key: string): string => {
    const value = json[key]
    if (value === undefined) throw new Error(`The execution payload has no field ${key}`)
    return value
  }
  const bytes = (key: string): Uint8Array => fromHex(text(key))
  const number = (key: string): number => Number(text(key))
  return {
    parentHash: bytes('parentHash'),
    feeRecipient: bytes('feeRecipient'),
    stateRoot: bytes('stateRoot'),
    receiptsRoot: bytes('receiptsRoot'),
    logsBloom: bytes('logsBloom'),
    prevRandao: bytes('prevRandao'),
    blockNumber: number('blockNumber'),
    gasLimit: number('gasLimit'),
    gasUsed: number('gasUsed'),
    timestamp: number('timestamp'),
    extraData: bytes('extraData'),
    baseFeePerGas: BigInt(text('baseFeePerGas')),
    blockHash: bytes('blockHash'),
    transactions: json.transactions.map(fromHex),
    withdrawals: json.withdrawals.map((withdrawal) => ({
      index: Number(withdrawal.index),
      validatorIndex: Number(withdrawal.validatorIndex),
      address: fromHex(withdrawal.address),
      amount: BigInt(withdrawal.amount),
    })),
    blobGasUsed: BigInt(text('blobGasUsed')),
    excessBlobGas: BigInt(text('excessBlobGas')),
  }
}

/** Consensus type → Engine API JSON. */
export function payloadToJson(payload: electra.ExecutionPayload): Record<string, unknown> {
  return {
    parentHash: toHex(payload.parentHash),
    feeRecipient: toHex(payload.feeRecipient),
    stateRoot: toHex(payload.stateRoot),
    receiptsRoot: toHex(payload.receiptsRoot),
    logsBloom: toHex(payload.logsBloom),
    prevRandao: toHex(payload.prevRandao),
    blockNumber: quantity(payload.blockNumber),
    gasLimit: quantity(payload.gasLimit),
    gasUsed: quantity(payload.gasUsed),
    timestamp: quantity(payload.timestamp),
    extraData: toHex(payload.extraData),
    baseFeePerGas: quantity(payload.baseFeePerGas),
    blockHash: toHex(payload.blockHash),
    transactions: payload.transactions.map((transaction) => toHex(transaction)),
    withdrawals: payload.withdrawals.map(withdrawalToJson),
    blobGasUsed: quantity(payload.blobGasUsed),
    excessBlobGas: quantity(payload.excessBlobGas),
  }
}

// The lists of execution requests in the order of their type byte (EIP-7685).
const { DepositRequests, WithdrawalRequests, ConsolidationRequests } = ssz.electra

/** EIP-7685 request list (type byte, then SSZ) → consensus type. */
export function requestsFromJson(requests: readonly string[]): electra.ExecutionRequests {
  const result: electra.ExecutionRequests = { deposits: [], withdrawals: [], consolidations: [] }
  for (const request of requests) {
    const bytes = fromHex(request)
    const data = bytes.subarray(1)
    if (bytes[0] === 0) result.deposits = DepositRequests.deserialize(data)
    else if (bytes[0] === 1) result.withdrawals = WithdrawalRequests.deserialize(data)
    else if (bytes[0] === 2) result.consolidations = ConsolidationRequests.deserialize(data)
    else throw new Error(`Unknown execution request type ${bytes[0]}; expected 0, 1 or 2 (EIP-7685)`)
  }
  return result
}

/** Consensus type → EIP-7685 request list; empty lists are left out. */
export function requestsToJson(requests: electra.ExecutionRequests): string[] {
  const typed = (type: number, data: Uint8Array): string => toHex(Uint8Array.of(type, ...data))
  const lists: string[] = []
  if (requests.deposits.length > 0) lists.push(typed(0, DepositRequests.serialize(requests.deposits)))
  if (requests.withdrawals.length > 0) lists.push(typed(1, WithdrawalRequests.serialize(requests.withdrawals)))
  if (requests.consolidations.length > 0) lists.push(typed(2, ConsolidationRequests.serialize(requests.consolidations)))
  return lists
}

/** kzg_to_versioned_hash (EIP-4844). */
export function versionedHash(commitment: Uint8Array): string {
  const hash = createHash('sha256').update(commitment).digest()
  hash[0] = 1
  return toHex(hash)
}
