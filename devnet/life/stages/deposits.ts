import { formatEther } from 'ethers'
import { statusOf } from '../operators.ts'
import { until } from '../wait.ts'
import type { Deployed, Deposits, Stage } from '../world.ts'
import { STAKES } from './start-chain.ts'

/** Several people deposit odd amounts, by the stakers' script, while the operators come up and find each other. */
export const depositsStage: Stage<Deployed, Deposits> = {
  name: 'people deposit, operators connect',
  seconds: 120,
  async run(world, signal) {
    const { network, processes, stakers, contracts } = world
    const indexStart = await contracts.bondEther.rewardsIndex()
    const outputs = await Promise.all(
      stakers.map(({ keyFile, passwordFile }, at) =>
        processes.run('scripts/stake.ts', [
          'deposit',
          ...['--amount', STAKES[at] ?? '0', '--rpc-url', network.executionUrl, '--directory', network.directory],
          ...['--key-file', keyFile, '--password-file', passwordFile, '--json'],
        ]),
      ),
    )
    const deposited = outputs.reduce((sum, output) => sum + BigInt((JSON.parse(output) as { deposited: string }).deposited), 0n)
    await until(async () => {
      const statuses = await Promise.all(world.operators.map(statusOf))
      const ready = statuses.filter((status) => status?.ready && status.peersConnected === world.operators.length - 1).length
      world.screen.status(`${formatEther(deposited)} ETH deposited; operators ready: ${ready} of ${world.operators.length}`)
      return ready === world.operators.length ? true : undefined
    }, signal)
    const summary = `${stakers.length} stakers, ${formatEther(deposited)} ETH; ${world.operators.length} operators connected`
    return { added: { deposited, indexStart }, summary }
  },
}
