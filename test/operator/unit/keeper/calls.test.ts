import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call, Contracts } from '../../../../operator/core/ports/chain.ts'
import type { BeaconProver, ValidatorArgs } from '../../../../operator/core/ports/prover.ts'
import { prepare } from '../../../../operator/keeper/calls.ts'
import type { CallPorts } from '../../../../operator/keeper/types.ts'
import { address, epoch, key, pool } from '../protocol/state/support.ts'

const FAR_FUTURE = 2n ** 64n - 1n
const vaults = { stakerVault: address(0xa1), bondVault: address(0xb2) }
const credentials = (vault: string, type = '01') => `0x${type}${'00'.repeat(11)}${vault.slice(2)}` as const

/** Ports that know one staker pool, and this validator under its key. */
function ports(validator: Partial<ValidatorArgs>): CallPorts {
  const known = { withdrawalCredentials: credentials(vaults.stakerVault), slashed: false, exitEpoch: FAR_FUTURE, ...validator }
  const read = async ({ method, args }: Call): Promise<unknown> => {
    if (method === 'pool') return { kind: 0n }
    assert.equal(method, 'withdrawalCredentials')
    return credentials(args[0] === 0 ? vaults.stakerVault : vaults.bondVault)
  }
  const prover = { validator: async () => ({ timestamp: 1, state: {}, proof: { validator: known } }) }
  return {
    contracts: { addresses: vaults, read } as unknown as Contracts,
    prover: prover as unknown as BeaconProver,
    beacon: {} as CallPorts['beacon'],
    maxExitFee: 10n ** 16n,
  }
}
const methodFor = async (validator: Partial<ValidatorArgs>) => {
  const prepared = await prepare({ kind: 'fund-pool', id: 'fund-pool/1', poolId: pool(1), publicKey: key(1) }, ports(validator))
  return 'calls' in prepared ? prepared.calls.map(({ method }) => method) : prepared.wait
}

test('a validator with the protocol’s own credentials is funded', async () => {
  assert.deepEqual(await methodFor({}), ['fundPool'])
})

test('all pools that there is ETH for beyond withdrawals are requested together', async () => {
  const ether = 10n ** 18n
  const request = async (unreserved: bigint, demand: bigint) => {
    const read = async ({ method }: Call): Promise<unknown> => (method === 'demand' ? demand : unreserved)
    const contracts = { read } as unknown as Contracts
    const prepared = await prepare({ kind: 'request-pool', id: 'request-pool/0' }, { ...ports({}), contracts })
    return 'calls' in prepared ? { methods: prepared.calls.map(({ method }) => method), together: prepared.together } : prepared.wait
  }
  assert.deepEqual(await request(100n * ether, 4n * ether), { methods: ['requestPool', 'requestPool', 'requestPool'], together: true })
  assert.deepEqual(await request(100n * ether, 5n * ether), { methods: ['requestPool', 'requestPool'], together: true })
  assert.equal(await request(100n * ether, 69n * ether), '100 ETH are unreserved, withdrawals ask for 69 ETH')
  assert.equal(await request(31n * ether, 0n), '31 ETH are unreserved, withdrawals ask for 0 ETH')
})

test('A01 any other credentials are front-run ones: a stranger’s, the other kind’s vault, another type', async () => {
  for (const foreign of [credentials(address(0xee)), credentials(vaults.bondVault), credentials(vaults.stakerVault, '02')]) {
    assert.deepEqual(await methodFor({ withdrawalCredentials: foreign }), ['reportFrontRun'])
  }
})

test('A05 a validator slashed or exiting before it was funded is abandoned', async () => {
  assert.deepEqual(await methodFor({ slashed: true }), ['abandonPool'])
  assert.deepEqual(await methodFor({ exitEpoch: 9n }), ['abandonPool'])
})

/** What the keeper does about a validator to be forced out when the beacon chain asks this fee, in wei. */
const forceAt = (fee: bigint) => {
  const known = ports({})
  const contracts = {
    ...known.contracts,
    read: async ({ method }: Call): Promise<unknown> => (method === 'exitFee' ? fee : { kind: 0n }),
  } as unknown as Contracts
  const beacon = { validators: async () => [{ exitEpoch: Infinity }] } as unknown as CallPorts['beacon']
  return prepare(
    { kind: 'force-exit', id: 'force-exit/1', poolId: pool(1), publicKey: key(1), deadline: epoch(9) },
    { ...known, contracts, beacon },
  )
}

test('a forced exit pays the beacon chain’s fee up to the operator’s limit, and waits above it', async () => {
  for (const fee of [1n, 10n ** 16n]) {
    const prepared = await forceAt(fee)
    assert.deepEqual('calls' in prepared && prepared.calls.map(({ method, value }) => [method, value]), [
      ['forceExit', fee],
      ['proveStall', undefined],
    ])
  }
  const above = await forceAt(10n ** 16n + 1n)
  assert.match(
    'wait' in above ? above.wait : '',
    /asks 0\.010000000000000001 ETH for a forced exit, more than the 0\.01 ETH that this operator pays/,
  )
})
