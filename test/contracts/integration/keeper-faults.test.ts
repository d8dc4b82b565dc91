import assert from 'node:assert/strict'
import { parseEther, Wallet } from 'ethers'
import { network } from 'hardhat'
import type { Address } from '../../../operator/core/ids.ts'
import { toEpoch } from '../../../operator/core/parse.ts'
import { type FaultTask, faultTasks, prepareFault } from '../../../operator/keeper/faults.ts'
import type { CallPorts } from '../../../operator/keeper/types.ts'
import { windDownTasks } from '../../../operator/keeper/wind-down.ts'
import { openCourt, rule } from '../../../scripts/dispute/court.ts'
import { at } from '../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../support/beacon-prover.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../support/network-life.ts'
import { randomWallet } from '../../support/randomness.ts'
import { serveRpc } from '../../support/rpc-server.ts'

const connection = await network.create()
const EXIT = 2n
const EXITING = 5n

/** What the keeper sends, in turn after turn, against the contracts: an exit nobody drew, to its last charge. */
describe('Faults that the keeper settles', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let pool: Pool
  let server: Awaited<ReturnType<typeof serveRpc>>
  const { privateKey, address } = randomWallet()

  before(async () => {
    life = await startLife(connection)
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('100') })
    await life.makePool()
    pool = await life.makePool()
    await life.networkHelpers.setBalance(address, parseEther('10'))
    server = await serveRpc(connection)
  })
  after(async () => {
    server.close()
    await life.prover.close()
  })

  /** Ports of an operator whose beacon node has the test's beacon chain. */
  const ports = (): CallPorts =>
    ({
      beacon: {
        spec: { slotsPerEpoch: SLOTS_PER_EPOCH },
        validators: async (keys: readonly string[]) =>
          keys.flatMap((publicKey) => {
            const known = life.validators.find((validator) => validator.publicKey === publicKey)
            const { exitEpoch = Infinity, withdrawableEpoch = Infinity, slashed = false } = known ?? {}
            return known === undefined ? [] : [{ publicKey, exitEpoch, withdrawableEpoch, slashed }]
          }),
      },
      prover: {
        validator: async (publicKey: string) => {
          assert.equal(publicKey, pool.publicKey)
          const { timestamp, state, validator, balance } = await life.proveValidator(pool)
          const held = BigInt(at(life.validators, pool.index).balance ?? 0)
          return { timestamp, state, header: { slot: Number(state.header.slot) }, proof: validator, balanceProof: balance, balance: held }
        },
      },
    }) as unknown as CallPorts

  const inputs = async () => {
    const court = await openCourt({ rpcUrl: server.url, directory: life.addresses.directory.toLowerCase() as Address })
    const nowSeconds = await life.now()
    return { court, state: court.state, parameters: court.deployment.parameters, epoch: toEpoch(await life.epochNow()), nowSeconds }
  }
  /** One turn at everything that is due. @returns what was sent, refused ones included */
  const turn = async (): Promise<readonly string[]> => {
    const { court, ...seen } = await inputs()
    const sent: string[] = []
    for (const task of faultTasks(seen)) {
      const prepared = await prepareFault(task satisfies FaultTask, ports())
      for (const call of 'calls' in prepared ? prepared.calls : []) {
        const ruling = await rule(court, call, new Wallet(privateKey, court.provider))
        sent.push(ruling.upheld ? call.method : `${call.method}: ${ruling.reason}`)
      }
    }
    return sent
  }

  it('reports the exit once, takes the pool out, shows its balance near the end and charges the loss', async () => {
    assert.deepEqual(await turn(), [], 'nothing is wrong yet')
    const epoch = await life.epochNow()
    const end = epoch + 20
    life.change(pool, { exitEpoch: epoch, withdrawableEpoch: end, balance: FULL, effectiveBalance: FULL })
    assert.deepEqual(await turn(), ['reportExit'])
    assert.deepEqual([(await life.slashing.fault(pool.id)).kind, (await life.poolRegistry.pool(pool.id)).state], [EXIT, EXITING])
    assert.equal((await life.bondEther.balanceOf(address)) > 0n, true, 'the reporter has its fee')
    assert.deepEqual(await turn(), [], 'once')

    await life.toEpoch(end - 8)
    assert.deepEqual(await turn(), ['showBalance'])
    assert.deepEqual(await turn(), [])
    life.change(pool, { balance: FULL - 2_000_000_000 })
    await life.toSlot(end * SLOTS_PER_EPOCH + 1)
    assert.deepEqual(await turn(), ['showBalance'])
    assert.equal((await life.slashing.fault(pool.id)).balance, BigInt(FULL - 2_000_000_000))
    const cover = await life.bondEther.coverShares()
    assert.deepEqual(await turn(), ['settle'], 'that of the withdrawable epoch is final')
    assert.equal((await life.slashing.fault(pool.id)).settled, true)
    assert.equal((await life.bondEther.coverShares()) - cover > parseEther('2.8'), true, '1.5 times 2 ETH, less what was paid before')
    assert.deepEqual(await turn(), [])
  })

  it('A47 starts the wind-down when the contract would have it, and not before', async () => {
    const startable = Number(await life.windDown.startableAt())
    await life.networkHelpers.time.increaseTo(startable - 60)
    assert.deepEqual(windDownTasks(await inputs()), [])
    await life.networkHelpers.time.increaseTo(startable + 1)
    assert.deepEqual(
      windDownTasks(await inputs()).map(({ kind }) => kind),
      ['start-wind-down'],
    )
    await life.windDown.start()
    assert.deepEqual(
      windDownTasks(await inputs()).map(({ kind }) => kind),
      ['wind-down-exits', 'gather'],
    )
  })
})
