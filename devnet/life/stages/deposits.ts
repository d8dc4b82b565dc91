import { formatEther } from 'ethers'
import type { Stage } from '../world.ts'
import { STAKES } from './start-chain.ts'

/** Several people deposit odd amounts, by the stakers' script. */
export const depositsStage: Stage = {
  name: 'people deposit',
  seconds: 60,
  async run(world) {
    const { network, processes, stakers, contracts, facts } = world
    facts.indexStart = await contracts.bondEther.rewardsIndex()
    const outputs = await Promise.all(
      stakers.map(({ keyFile, passwordFile }, at) =>
        processes.run('scripts/stake.ts', [
          'deposit',
          ...['--amount', STAKES[at] ?? '0', '--rpc-url', network.executionUrl, '--directory', network.directory],
          ...['--key-file', keyFile, '--password-file', passwordFile, '--json'],
        ]),
      ),
    )
    facts.deposited = outputs.reduce((sum, output) => sum + BigInt((JSON.parse(output) as { deposited: string }).deposited), 0n)
    return `${stakers.length} stakers, ${formatEther(facts.deposited)} ETH`
  },
}
