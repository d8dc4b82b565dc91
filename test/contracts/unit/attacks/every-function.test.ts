import assert from 'node:assert/strict'
import { type BaseContract, type FunctionFragment, Interface, type ParamType, parseEther } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { withinGas } from '../../../support/gas-bounds.ts'
import { type NetworkLife, startLife } from '../../../support/network-life.ts'

/** EIP-7825: most gas of a transaction. */
const MAX_TRANSACTION_GAS = 16_777_216n
/** Elements of each list, bytes of each string: more than any honest call has. */
const LENGTHS = { none: 0, some: 3, many: 300 } as const
/** What the compiler reverts with for a failed check of its own. */
const PANIC = '0x4e487b71'
/** Sums that overflow for amounts and periods beyond all there can be: the call is refused, and it was its caller's alone. */
const OVERFLOWS = [
  'periods.proveSeed',
  'periods.strike',
  'withdrawalQueue.requestWithdrawal',
  'withdrawalQueue.requestWithdrawalWithPermit',
  'wrappedBondEther.deposit',
  'wrappedBondEther.depositWithPermit',
  'wrappedBondEther.mint',
]
const OVERFLOW = `${PANIC}${'11'.padStart(64, '0')}`
const GUARDS = /^(Not|WrongVoteState|OutOfOrder)/

type Fill = 'zeros' | 'ones' | 'maxima'

/** A value of a type, lists of the given length. */
function sampleOf(type: ParamType, fill: Fill, length: number): unknown {
  if (type.arrayChildren !== null) {
    const count = type.arrayLength === null || type.arrayLength === -1 ? length : type.arrayLength
    return Array.from({ length: count }, () => sampleOf(type.arrayChildren as ParamType, fill, Math.min(length, 3)))
  }
  if (type.components !== null) return type.components.map((each) => sampleOf(each, fill, length))
  if (type.type === 'address') return `0x${{ zeros: '00', ones: '01', maxima: 'ff' }[fill].repeat(20)}`
  if (type.type === 'bool') return fill !== 'zeros'
  if (type.type === 'string') return 'x'.repeat(length)
  if (type.type === 'bytes') return `0x${{ zeros: '00', ones: '01', maxima: 'ff' }[fill].repeat(length)}`
  const bytes = /^bytes(\d+)$/.exec(type.type)?.[1]
  if (bytes !== undefined) return `0x${{ zeros: '00', ones: '01', maxima: 'ff' }[fill].repeat(Number(bytes))}`
  const [, sign = '', bits = '256'] = /^(u?)int(\d*)$/.exec(type.type) ?? []
  if (fill === 'zeros') return 0n
  // Enums are uint8 in an ABI: their own check is part of what is called.
  return fill === 'ones' ? 1n : 2n ** BigInt(Number(bits) - (sign === 'u' ? 0 : 1)) - 1n
}

describe('A36 every function of every contract, from the ABIs', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let all: readonly (readonly [string, BaseContract])[]

  before(async () => {
    life = await startLife(await network.create())
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('100') })
    await life.makePool()
    const named = life as unknown as Readonly<Record<string, BaseContract>>
    const vaults = ['stakerVault', 'bondVault'] as const
    all = [
      ...Object.keys(life.addresses).flatMap((name) => (named[name] === undefined ? [] : [[name, named[name]] as const])),
      ...(await Promise.all(
        vaults.map(async (name) => [name, await life.ethers.getContractAt('WithdrawalVault', life.addresses[name])] as const),
      )),
    ]
  })
  after(() => life.prover.close())

  const changing = (contract: BaseContract) =>
    contract.interface.fragments.filter(
      (fragment): fragment is FunctionFragment =>
        fragment.type === 'function' && !['view', 'pure'].includes((fragment as FunctionFragment).stateMutability),
    )
  /** A stranger's call with all the gas there may be. @returns '' when it went through, else what it reverted with */
  const call = async (contract: BaseContract, fragment: FunctionFragment, fill: Fill, length: number) => {
    const args = fragment.inputs.map((type) => sampleOf(type, fill, length))
    const data = contract.interface.encodeFunctionData(fragment, args)
    const to = await contract.getAddress()
    const value = fragment.stateMutability === 'payable' ? parseEther('1') : 0n
    try {
      await life.ethers.provider.call({ from: at(life.people, 9).address, to, data, value, gasLimit: MAX_TRANSACTION_GAS })
      return ''
    } catch (error) {
      const { data: raw, message } = error as { readonly data?: string; readonly message: string }
      return typeof raw === 'string' && raw !== '0x' ? raw : message
    }
  }

  it('ends within a transaction’s gas whatever a stranger gives it, and by a check of the compiler only for sums beyond all ether', async () => {
    let calls = 0
    const overflows = new Set<string>()
    for (const [name, contract] of all) {
      for (const fragment of changing(contract)) {
        for (const fill of ['zeros', 'ones', 'maxima'] as const) {
          for (const length of Object.values(LENGTHS)) {
            const outcome = await call(contract, fragment, fill, length)
            const where = `${name}.${fragment.name}, ${fill}, lists of ${length}: ${outcome.slice(0, 100)}`
            assert.ok(!/out of gas/i.test(outcome), where)
            const isOverflow = fill === 'maxima' && outcome === OVERFLOW
            if (isOverflow) overflows.add(`${name}.${fragment.name}`)
            else assert.ok(!outcome.startsWith(PANIC), where)
            calls++
          }
        }
      }
    }
    assert.deepEqual([...overflows].sort(), OVERFLOWS)
    assert.ok(calls > 900, `${calls} calls`)
  })

  it('gives a stranger nothing that is for contracts of the protocol alone', async () => {
    // Those for anybody, by contract; all others must say no to a stranger, whatever it gives.
    const guarded: Readonly<Record<string, readonly string[]>> = {
      bondEther: ['mint', 'redeem', 'coverLoss', 'recognise', 'mintFee'],
      stakingPool: [
        'reserve',
        'release',
        'writeOff',
        'depositToBeacon',
        'bookReport',
        'payWithdrawals',
        'receiveCollected',
        'close',
        'sweep',
      ],
      withdrawalQueue: ['closeBatch', 'receivePaid'],
      stakerVault: ['collect', 'requestExit'],
      bondVault: ['collect', 'requestExit'],
      blockProducers: [
        'forceOut',
        'lockSeats',
        'releaseSeats',
        'holdSeats',
        'unholdSeats',
        'slashSeats',
        'chargeSeats',
        'chargeBond',
        'slashOut',
      ],
      periods: ['queueJoin', 'queueLeave'],
      vaultDraws: ['request'],
      poolRegistry: ['startCeremony', 'cancel', 'bar', 'replaceVault', 'markExiting', 'markClosed'],
      exits: ['drawOne'],
      stateCommitments: ['freeze', 'unfreeze', 'dropDisputed'],
      cdt: ['mint'],
      rewards: ['bookReport'],
      cdtStaking: ['receiveFee'],
      ceremonies: ['open'],
      rotations: ['makeDue', 'startCeremony', 'cancel'],
    }
    for (const [name, methods] of Object.entries(guarded)) {
      const contract = all.find(([each]) => each === name)?.[1]
      assert.ok(contract, name)
      for (const method of methods) {
        const fragment = contract.interface.getFunction(method)
        assert.ok(fragment, `${name}.${method}`)
        for (const fill of ['zeros', 'ones'] as const) {
          const outcome = await call(contract, fragment, fill, LENGTHS.some)
          const error = new Interface(contract.interface.fragments).parseError(outcome)?.name ?? outcome
          assert.match(error, GUARDS, `${name}.${method}: ${error}`)
        }
      }
    }
  })

  it('costs each user the same, however many others there are', async () => {
    const { stakingPool, bondEther, withdrawalQueue } = life
    const costs = async (who: number) => {
      const person = at(life.people, who)
      const gas = async (sent: Promise<{ wait(): Promise<{ readonly gasUsed: bigint } | null> }>) =>
        (await (await sent).wait())?.gasUsed ?? 0n
      const first = await gas(stakingPool.connect(person).deposit({ value: parseEther('2') }))
      await bondEther.connect(person).approve(withdrawalQueue, 2n ** 256n - 1n)
      const request = await gas(withdrawalQueue.connect(person).requestWithdrawal(parseEther('1')))
      const moved = await gas(bondEther.connect(person).transfer(at(life.people, who + 1), parseEther('0.5')))
      return { first, request, moved }
    }
    await costs(1)
    const few = await costs(3)
    for (let i = 0; i < 200; i++) {
      const person = await life.as(`0x${(1_000_000 + i).toString(16).padStart(40, '0')}`)
      await stakingPool.connect(person).deposit({ value: parseEther('0.02') })
      await bondEther.connect(person).approve(withdrawalQueue, 2n ** 256n - 1n)
      await withdrawalQueue.connect(person).requestWithdrawal(parseEther('0.01'))
    }
    const many = await costs(5)
    for (const name of ['first', 'request', 'moved'] as const) {
      const more = many[name] - few[name]
      assert.ok(more <= 3_000n && more >= -3_000n, `${name}: ${few[name]} before, ${many[name]} after`)
    }
    // The whole queue goes on in steps, each within a transaction.
    withinGas(await withdrawalQueue.finalize.estimateGas(64n).catch(() => 0n), MAX_TRANSACTION_GAS)
  })
})
