import assert from 'node:assert/strict'
import { it } from 'node:test'
import { AbiCoder } from 'ethers'
import { createDecoder } from '../../../../../operator/adapters/chain/decode.ts'
import { INTERFACES } from '../../../../../operator/adapters/chain/interfaces.ts'
import type { Address, Hex, Root } from '../../../../../operator/core/ids.ts'
import { bytesToHex } from '../../../../../operator/core/parse.ts'
import { CONTRACTS, type ContractAddresses } from '../../../../../operator/core/ports/chain.ts'
import { G } from '../../../../../operator/protocol/bls/generators.ts'
import { g1ToEip2537 } from '../../../../../operator/protocol/bls/points.ts'

const addressOf = (at: number): Address => `0x${at.toString(16).padStart(40, '0')}` as Address
const addresses = Object.fromEntries(CONTRACTS.map((name, at) => [name, addressOf(at + 1)])) as ContractAddresses
const at = { blockNumber: 1, blockHash: `0x${'00'.repeat(32)}` as Root, timestamp: 1, logIndex: 0 }
const word = (value: number): Hex => `0x${value.toString(16).padStart(64, '0')}`

/** A log of BlockProducers as the contract would emit it, with bytes where its text goes. */
function logOf(event: string, { indexed, types, values }: { indexed: number; types: string[]; values: unknown[] }) {
  const topic = INTERFACES.blockProducers.getEvent(event)?.topicHash as Hex
  const topics = [topic, ...Array.from({ length: indexed }, (_, i) => word(i + 5))]
  return { address: addresses.blockProducers, topics, data: AbiCoder.defaultAbiCoder().encode(types, values) as Hex, at }
}

it('a peer address that is no text stops nobody: its producer only cannot be reached', () => {
  const decode = createDecoder(addresses)
  const text = (bytes: Uint8Array) => logOf('PeerAddressChanged', { indexed: 1, types: ['bytes'], values: [bytes] })
  assert.deepEqual(decode(text(Buffer.from('/ip4/…')))?.args, { producerId: 5, peerAddress: '/ip4/…' })
  assert.deepEqual(decode(text(Buffer.from([0xff, 0xfe, 0x80])))?.args, { producerId: 5, peerAddress: '' })

  const point =
    g1ToEip2537(G)
      .slice(2)
      .match(/.{64}/g)
      ?.map((digits) => `0x${digits}`) ?? []
  const types = ['tuple(bytes32,bytes32,bytes32,bytes32)', 'bytes', 'uint256']
  const registered = decode(logOf('ProducerRegistered', { indexed: 3, types, values: [point, bytesToHex(Buffer.from([0xc0])), 7n] }))
  assert.deepEqual(
    [registered?.name, registered?.args],
    [
      'BlockProducers.ProducerRegistered',
      {
        producerId: 5,
        owner: addressOf(6),
        operator: addressOf(7),
        signingKey: `0x${Buffer.from(G.serialize()).toString('hex')}`,
        peerAddress: '',
        shares: 7n,
      },
    ],
  )
})
