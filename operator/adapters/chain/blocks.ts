import type { Address, Hex, Root } from '../../core/ids.ts'
import { ParseError, toAddress, toRoot } from '../../core/parse.ts'
import { ChainError } from '../../core/ports/chain.ts'

/** What following the chain needs of a block. `timestamp` in seconds. */
export type BlockRef = {
  readonly number: number
  readonly hash: Root
  readonly parentHash: Root
  readonly timestamp: number
  readonly baseFeePerGas: bigint
  readonly gasLimit: bigint
  /** Undefined from a client that leaves it out. */
  readonly logsBloom: Hex | undefined
}

/** A log as JSON-RPC gives it; its block's timestamp is not part of it. */
export type ServedLog = {
  readonly address: Address
  readonly topics: readonly Hex[]
  readonly data: Hex
  readonly blockNumber: number
  readonly blockHash: Root
  readonly logIndex: number
  readonly transactionHash: Root
}

/** Throws `ChainError` MALFORMED. */
export function parseBlock(answer: unknown): BlockRef {
  return parse('block', answer, (json) => ({
    number: quantity(json.number),
    hash: toRoot(json.hash),
    parentHash: toRoot(json.parentHash),
    timestamp: quantity(json.timestamp),
    baseFeePerGas: BigInt(String(json.baseFeePerGas ?? '0x0')),
    gasLimit: BigInt(String(json.gasLimit)),
    logsBloom: json.logsBloom === undefined ? undefined : hex(json.logsBloom),
  }))
}

/** Throws `ChainError` MALFORMED. */
export function parseLogs(answer: unknown): readonly ServedLog[] {
  if (!Array.isArray(answer)) throw new ChainError('MALFORMED', `expected a list of logs, got ${JSON.stringify(answer)?.slice(0, 120)}`)
  return answer.map((entry) =>
    parse('log', entry, (json) => ({
      address: toAddress(json.address),
      topics: (json.topics as unknown[]).map(toRoot),
      data: hex(json.data),
      blockNumber: quantity(json.blockNumber),
      blockHash: toRoot(json.blockHash),
      logIndex: quantity(json.logIndex),
      transactionHash: toRoot(json.transactionHash),
    })),
  )
}

/** Who sent a transaction. Throws `ChainError` MALFORMED. */
export function parseSender(answer: unknown): Address {
  return parse('transaction', answer, (json) => toAddress(json.from))
}

function quantity(value: unknown): number {
  const number = typeof value === 'string' && /^0x[0-9a-fA-F]+$/.test(value) ? Number(value) : Number.NaN
  if (!Number.isSafeInteger(number)) throw new ParseError('NOT_AN_ID', `expected a quantity, got ${String(value).slice(0, 80)}`)
  return number
}

function hex(value: unknown): Hex {
  if (typeof value !== 'string' || !/^0x([0-9a-fA-F]{2})*$/.test(value)) throw new ParseError('NOT_HEX', 'expected bytes as hex')
  return value.toLowerCase() as Hex
}

function parse<T>(what: string, answer: unknown, read: (json: Readonly<Record<string, unknown>>) => T): T {
  try {
    return read(answer as Readonly<Record<string, unknown>>)
  } catch (cause) {
    throw new ChainError('MALFORMED', `expected a ${what}, got ${JSON.stringify(answer)?.slice(0, 200)}`, {}, { cause })
  }
}
