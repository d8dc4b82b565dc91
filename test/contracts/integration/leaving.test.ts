import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encryptKeystoreJson, parseEther } from 'ethers'
import { network } from 'hardhat'
import { explain } from '../../../operator/adapters/chain/revert.ts'
import { type ExitOutcome, type ExitRequest, leave } from '../../../operator/app/exit.ts'
import type { Leaving } from '../../../operator/app/leaving.ts'
import { leavingTable } from '../../../operator/app/leaving-table.ts'
import type { Address } from '../../../operator/core/ids.ts'
import { toProducerId } from '../../../operator/core/parse.ts'
import { g1, newKey, proofOfPossession } from '../../support/block-producers.ts'
import { openPools } from '../../support/open-pools.ts'
import { randomWallet } from '../../support/randomness.ts'
import { serveRpc } from '../../support/rpc-server.ts'

const connection = await network.create()
const { networkHelpers, ethers } = connection
const PASSWORD = 'correct horse battery staple'
const STAKER = 0n

describe('A producer leaves by command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'open-pools-leave-'))
  const files = { keyFile: join(folder, 'owner.json'), passwordFile: join(folder, 'password') }
  const others = { ...files, keyFile: join(folder, 'other.json') }
  let server: Awaited<ReturnType<typeof serveRpc>>
  let pools: Awaited<ReturnType<typeof openPools>>
  let owner: string
  let settle: (through: bigint, debt: bigint) => Promise<unknown>
  let request: ExitRequest
  /** What has to be settled. */
  let needed: bigint

  const look = (changes: Partial<ExitRequest> = {}): Promise<ExitOutcome> => leave({ ...request, ...changes }, () => {})
  const refused = async (changes: Partial<ExitRequest>, expected: RegExp): Promise<void> => {
    const reason = await look(changes).then(() => 'nothing was refused', explain)
    assert.match(reason, expected)
  }
  const linesOf = (leaving: Leaving): string => leavingTable(leaving).join('\n')

  before(async () => {
    pools = await openPools(connection)
    const wallet = randomWallet()
    owner = wallet.address
    for (const [path, { address, privateKey }] of [
      [files.keyFile, wallet],
      [others.keyFile, randomWallet()],
    ] as const) {
      await networkHelpers.setBalance(address, parseEther('1000'))
      writeFileSync(path, await encryptKeystoreJson({ address, privateKey }, PASSWORD, { scrypt: { N: 1_024 } }))
    }
    writeFileSync(files.passwordFile, PASSWORD)
    const key = newKey()
    const operator = randomWallet().address
    const possession = proofOfPossession(pools.judgeOf('blockProducers'), { owner, operator, key })
    const registry = pools.blockProducers.connect(await pools.as(owner))
    await registry.register(operator, g1(key.toPublicKey()), possession, '/ip4/127.0.0.1', { value: parseEther('26') })
    await networkHelpers.setCode(pools.addresses.rewards, await ethers.provider.getCode(await ethers.deployContract('SettlementHarness')))
    for (let others = 0; others < 6; others++) await pools.register()
    const settlement = await ethers.getContractAt('SettlementHarness', pools.addresses.rewards)
    settle = (through, debt) => settlement.set(1n, through, debt)
    await pools.toEpoch(pools.parameters.firstPeriod)
    await pools.periods.freeze(100)
    const draws = pools.blockProducers.connect(await pools.as(pools.addresses.vaultDraws))
    await pools.poolRegistry.requestPool()
    await draws.lockSeats(1n, STAKER, [1n])
    server = await serveRpc(connection)
    const directory = pools.addresses.directory.toLowerCase() as Address
    request = { rpcUrl: server.url, directory, producer: { id: toProducerId(1) }, withdraw: false, repay: false, wait: false }
  })
  after(() => {
    server?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('only looks without the owner’s key', async () => {
    const { standing, sent, refusal } = await look()
    assert.deepEqual([standing, sent, refusal?.error], ['active', [], 'NotLeaving'])
    await refused({ producer: { id: toProducerId(9) } }, /^there is no producer 9$/)
  })

  it('A27 is refused to anybody else, and the bond to who has not asked to leave', async () => {
    await refused({ owner: others }, new RegExp(`only the producer's owner, ${owner}, may do this`))
    await refused({ owner: files, withdraw: true }, /producer 1 has not asked to leave: run "openpools exit" first$/)
  })

  it('asks once, and shows what follows however often it is called', async () => {
    const first = await look({ owner: files })
    assert.deepEqual([first.standing, first.sent.map(({ what }) => what)], ['leaving', ['exit']])
    const again = await look({ owner: files })
    assert.deepEqual([again.standing, again.sent], ['leaving', []])
    assert.match(linesOf(again), /^Producer 1 is leaving; bond 26 ETH\.$/m)
    assert.match(linesOf(again), /^ {2}open +list +in the list until/m)
  })

  it('A27 refuses the bond while a seat is live, in its tail, or not settled', async () => {
    const seats = pools.blockProducers.connect(await pools.as(pools.addresses.poolRegistry))
    const live = await look()
    assert.match(linesOf(live), /^ {2}open +seats +pool 1: each vault hands its key to another/m)
    await refused({ owner: files, withdraw: true }, /producer 1 still answers for seats/)
    await seats.releaseSeats(1n, STAKER, [1n], BigInt(await pools.now()))
    const tail = await look()
    const until = tail.seats[0]?.until ?? 0
    assert.equal(until > (await pools.now()), true)
    assert.match(linesOf(tail), /^ {2}done +seats +none left\n {2}open +tails +pool 1: answers for them until 20/m)
    await networkHelpers.time.increaseTo(until)
    await refused({ owner: files, withdraw: true }, /in the list of this period still/)
    await pools.periods.freeze(100)
    const unsettled = await look()
    assert.equal(unsettled.refusal?.error, 'NotSettled')
    needed = BigInt(unsettled.settleThrough ?? 0)
    assert.equal(unsettled.settleThrough, Math.max(until, unsettled.listedUntil ?? 0))
    assert.match(linesOf(unsettled), /^ {2}open +points +no report settled yet, to be settled up to 20/m)
  })

  it('refuses the bond while there is debt', async () => {
    await settle(needed, 300n)
    await refused({ owner: files, withdraw: true }, /producer 1 owes 300 points: later points repay them/)
    assert.match(linesOf(await look()), /^ {2}open +debt +300 points/m)
  })

  it('waits, tells what changes, and takes the bond', async () => {
    const shown: string[] = []
    const taking = leave({ ...request, owner: files, withdraw: true, wait: true }, (leaving) => {
      shown.push(leaving.refusal?.error ?? '')
      void settle(needed, 0n)
    })
    const { standing, sent, bond } = await taking
    assert.deepEqual([standing, sent.map(({ what }) => what), bond, shown], ['gone', ['withdraw'], 0n, ['InDebt']])
    assert.equal((await pools.bondEther.balanceOf(owner)) > parseEther('25.9'), true)
    const again = await look({ owner: files, withdraw: true })
    assert.deepEqual([again.sent, leavingTable(again)], [[], ['Producer 1 has left, and has its bond.']])
  })
})
