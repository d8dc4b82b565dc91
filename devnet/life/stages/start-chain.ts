import { join } from 'node:path'
import { JsonRpcProvider } from 'ethers'
import { startChain } from '../../chain/start-chain.ts'
import { BeaconApi } from '../beacon-api.ts'
import { DutyWatch } from '../duty-watch.ts'
import { createOperator } from '../operators.ts'
import { createPerson } from '../people.ts'
import type { Stage } from '../world.ts'

const OPERATORS = 7
/** Of the chain's prefunded accounts. */
const MNEMONIC = 'test test test test test test test test test test test junk'
/** Deposits of the people, ETH: odd amounts, more than 64 in sum. */
export const STAKES = ['20.37', '17.5', '30.013', '8.25'] as const
const FIRST_OWNER = 1
const FIRST_STAKER = 20
const POLL_MS = 250

/** The keys of everybody, then the chain: keys need no block, and once there is a chain its slots count. */
export const startChainStage: Stage = {
  name: 'a local Ethereum starts',
  seconds: 120,
  async run(world) {
    const { screen, processes, folder } = world
    const person = (name: string, place: number) => createPerson({ name, mnemonic: MNEMONIC, place, folder })
    world.stakers = await Promise.all(STAKES.map((_, at) => person(`staker-${at + 1}`, FIRST_STAKER + at)))
    const owners = await Promise.all(Array.from({ length: OPERATORS }, (_, at) => person(`owner-${at + 1}`, FIRST_OWNER + at)))
    screen.status(`${OPERATORS} block producers make their keys`)
    world.operators = await Promise.all(owners.map((owner, at) => createOperator({ name: `operator-${at + 1}`, owner, folder, processes })))
    screen.status('execution client and beacon chain')
    world.chain = await startChain({ slotSeconds: world.slotSeconds, dataDir: join(folder, 'chain') })
    const { chain } = world
    if (chain.mnemonic !== MNEMONIC) throw new Error('the chain has prefunded the accounts of another mnemonic')
    world.memory.watch('beacon', chain.pid)
    world.memory.watch('execution', chain.executionPid)
    world.beacon = new BeaconApi(chain.beaconUrl)
    world.provider = new JsonRpcProvider(chain.executionUrl, chain.chainId, {
      staticNetwork: true,
      pollingInterval: POLL_MS,
      batchMaxCount: 1,
    })
    const spec = (await (await fetch(`${chain.beaconUrl}/eth/v1/config/spec`)).json()) as { readonly data: Record<string, string> }
    world.slotsPerEpoch = Number(spec.data.SLOTS_PER_EPOCH)
    world.duties = new DutyWatch(world.beacon, world.slotsPerEpoch)
    return `chain ${chain.chainId}, ${world.slotSeconds} s slots, ${world.slotsPerEpoch} slots an epoch`
  },
}
