import { join } from 'node:path'
import { JsonRpcProvider } from 'ethers'
import { startChain } from '../../chain/start-chain.ts'
import { BeaconApi } from '../beacon-api.ts'
import { DutyWatch } from '../duty-watch.ts'
import { Heads } from '../heads.ts'
import { createOperator } from '../operators.ts'
import { createPerson } from '../people.ts'
import type { Ethereum, Ground, Stage } from '../world.ts'

const OPERATORS = 7
/** Of the chain's prefunded accounts. */
const MNEMONIC = 'test test test test test test test test test test test junk'
/** Deposits of the people, ETH: odd amounts, more than 64 in sum. */
export const STAKES = ['20.37', '17.5', '30.013', '8.25'] as const
const FIRST_OWNER = 1
const FIRST_STAKER = 20
const POLL_MS = 250

/** The keys of everybody, then the chain: keys need no block, and once there is a chain its slots count. */
export const startChainStage: Stage<Ground, Ethereum> = {
  name: 'a local Ethereum starts',
  seconds: 120,
  async run(world) {
    const { screen, processes, folder, slotSeconds, memory, deaths, atEnd } = world
    const person = (name: string, place: number) => createPerson({ name, mnemonic: MNEMONIC, place, folder })
    const stakers = await Promise.all(STAKES.map((_, at) => person(`staker-${at + 1}`, FIRST_STAKER + at)))
    const owners = await Promise.all(Array.from({ length: OPERATORS }, (_, at) => person(`owner-${at + 1}`, FIRST_OWNER + at)))
    screen.status(`${OPERATORS} block producers make their keys`)
    const operators = await Promise.all(owners.map((owner, at) => createOperator({ name: `operator-${at + 1}`, owner, folder, processes })))
    screen.status('execution client and beacon chain')
    const chain = await startChain({ slotSeconds, dataDir: join(folder, 'chain') })
    atEnd(() => chain.stop())
    deaths.watch({ name: 'the chain', process: chain, isExpected: () => false })
    if (chain.mnemonic !== MNEMONIC) throw new Error('the chain has prefunded the accounts of another mnemonic')
    memory.watch('beacon', chain.pid)
    memory.watch('execution', chain.executionPid)
    const beacon = new BeaconApi(chain.beaconUrl)
    const provider = new JsonRpcProvider(chain.executionUrl, chain.chainId, {
      staticNetwork: true,
      pollingInterval: POLL_MS,
      batchMaxCount: 1,
    })
    atEnd(() => provider.destroy())
    const spec = (await (await fetch(`${chain.beaconUrl}/eth/v1/config/spec`)).json()) as { readonly data: Record<string, string> }
    const slotsPerEpoch = Number(spec.data.SLOTS_PER_EPOCH)
    const duties = new DutyWatch(beacon, slotsPerEpoch)
    const heads = new Heads(beacon)
    heads.each(({ slot }) => duties.catchUp(slot))
    return {
      added: { chain, beacon, provider, slotsPerEpoch, heads, duties, operators, stakers },
      summary: `chain ${chain.chainId}, ${slotSeconds} s slots, ${slotsPerEpoch} slots an epoch`,
    }
  },
}
