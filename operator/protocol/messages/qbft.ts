import { keccak256 } from 'ethers/crypto'
import type { Root } from '../../core/ids.ts'
import type { QbftInstance, Statement } from '../qbft/types.ts'
import { STATEMENT_TYPES } from '../qbft/types.ts'
import { ByteWriter } from './bytes.ts'

/** EIP-712 type of every QBFT statement; judged by PoolRegistry's domain. */
export const QBFT_TYPE =
  'QbftMessage(uint32 poolId,uint64 slot,uint8 duty,uint8 messageType,uint32 round,bytes32 value,uint32 preparedRound,bytes32 preparedValue)'

const TYPE_HASH = keccak256(new TextEncoder().encode(QBFT_TYPE))
const WORD = 32
const PREFIX = new Uint8Array([0x19, 0x01])

function word(buffer: Buffer, index: number, value: number): void {
  buffer.writeBigUInt64BE(BigInt(value), index * WORD + 24)
}

/**
 * EIP-712 digest of a statement: keccak256(0x1901 ‖ domainSeparator ‖ hashStruct). Hand-laid words, because a wallet's
 * generic encoder takes ten times as long; a test holds the two equal.
 */
export function qbftDigest(domainSeparator: Root, instance: QbftInstance, statement: Statement): Root {
  const words = Buffer.alloc(9 * WORD)
  words.write(TYPE_HASH.slice(2), 0, 'hex')
  word(words, 1, instance.poolId)
  word(words, 2, instance.slot)
  word(words, 3, instance.duty)
  word(words, 4, STATEMENT_TYPES.indexOf(statement.type) + 1)
  word(words, 5, statement.round)
  words.write(statement.value.slice(2), 6 * WORD, 'hex')
  word(words, 7, statement.preparedRound)
  words.write(statement.preparedValue.slice(2), 8 * WORD, 'hex')
  const struct = keccak256(words) as Root
  return keccak256(new ByteWriter(66).raw(PREFIX).hex(domainSeparator).hex(struct).done()) as Root
}
