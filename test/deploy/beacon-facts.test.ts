import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { readBeaconChain } from '../../deploy/beacon-facts.ts'
import { DeployError, type DeployErrorCode } from '../../deploy/errors.ts'

const FAR_FUTURE = '18446744073709551615'
const SPEC = {
  SECONDS_PER_SLOT: '12',
  SLOTS_PER_EPOCH: '32',
  EPOCHS_PER_HISTORICAL_VECTOR: '65536',
  SHARD_COMMITTEE_PERIOD: '256',
  GENESIS_FORK_VERSION: '0x00000000',
  EJECTION_BALANCE: '16000000000',
  DEPOSIT_CONTRACT_ADDRESS: '0x00000000219ab540356cBB839Cbe05303d7705Fa',
  DEPOSIT_CHAIN_ID: '1',
  ELECTRA_FORK_EPOCH: '364032',
  ELECTRA_FORK_VERSION: '0x05000000',
  FULU_FORK_EPOCH: '411392',
  FULU_FORK_VERSION: '0x06000000',
}
const GENESIS = {
  genesis_time: '1606824023',
  genesis_validators_root: '0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95',
}

describe('readBeaconChain', () => {
  let server: Server | undefined

  afterEach(() => {
    server?.close()
    server = undefined
  })

  /** A beacon node that knows these two answers. */
  const node = async (spec: unknown, genesis: unknown = GENESIS, status = 200): Promise<string> => {
    server = createServer(({ url }, response) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ data: url === '/eth/v1/config/spec' ? spec : genesis }))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const refused = async (url: string, code: DeployErrorCode) =>
    assert.rejects(readBeaconChain(url), (error) => error instanceof DeployError && error.code === code)

  it('reads mainnet’s facts and a row for each scheduled fork', async () => {
    const { facts, layouts, depositChainId } = await readBeaconChain(await node(SPEC))
    assert.equal(facts.genesisTime, 1_606_824_023n)
    assert.equal(facts.epochsPerHistoricalVector, 65_536n)
    assert.equal(facts.genesisValidatorsRoot, GENESIS.genesis_validators_root)
    assert.equal(facts.ejectionBalance, 16_000_000_000n)
    assert.equal(depositChainId, 1n)
    assert.deepEqual(
      layouts.map(({ firstEpoch, forkVersion }) => [firstEpoch, forkVersion]),
      [
        [364_032n, '0x05000000'],
        [411_392n, '0x06000000'],
      ],
    )
  })

  it('leaves out a fork that is not scheduled, or never seen because the next starts with it', async () => {
    const later = await readBeaconChain(await node({ ...SPEC, FULU_FORK_EPOCH: FAR_FUTURE }))
    assert.equal(later.layouts.length, 1)
    server?.close()
    const together = await readBeaconChain(await node({ ...SPEC, ELECTRA_FORK_EPOCH: '0', FULU_FORK_EPOCH: '0' }))
    assert.deepEqual(
      together.layouts.map(({ forkVersion }) => forkVersion),
      ['0x06000000'],
    )
  })

  it('names what is missing or wrong', async () => {
    const { SECONDS_PER_SLOT: _, ...without } = SPEC
    await refused(await node(without), 'BEACON_FACT_MISSING')
    server?.close()
    await refused(await node({ ...SPEC, SLOTS_PER_EPOCH: 'many' }), 'BEACON_FACT_MISSING')
    server?.close()
    await refused(await node(null), 'BEACON_FACT_MISSING')
    server?.close()
    await refused(await node({ ...SPEC, ELECTRA_FORK_EPOCH: FAR_FUTURE, FULU_FORK_EPOCH: FAR_FUTURE }), 'NO_KNOWN_FORK')
    server?.close()
    await refused(await node(SPEC, GENESIS, 503), 'BEACON_NODE_UNREACHABLE')
    await refused('http://127.0.0.1:9', 'BEACON_NODE_UNREACHABLE')
  })
})
