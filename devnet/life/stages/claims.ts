import { formatEther } from 'ethers'
import { until } from '../wait.ts'
import type { AfterWithdrawals, Claims, Stage } from '../world.ts'

/** The beacon chain sends the ETH, reports bring it in, the stakers claim. */
export const claimsStage: Stage<AfterWithdrawals, Claims> = {
  name: 'ETH comes back, stakers claim',
  seconds: 200,
  async run(world, signal) {
    const { contracts, network, processes, requests } = world
    let claimed = 0n
    await until(async () => {
      const last = await contracts.withdrawalQueue.lastFinalizedId()
      world.screen.status(`requests finalized: ${last} of ${requests.length}`)
      return last >= BigInt(requests.length) ? true : undefined
    }, signal)
    for (const { person, requestId } of requests) {
      const output = await processes.run('scripts/stake.ts', [
        'claim',
        ...['--request', requestId, '--rpc-url', network.executionUrl, '--directory', network.directory],
        ...['--key-file', person.keyFile, '--password-file', person.passwordFile, '--json'],
      ])
      claimed += BigInt((JSON.parse(output) as { amount: string }).amount)
    }
    const summary = `${requests.length} requests paid, ${formatEther(claimed)} ETH`
    return { added: { claimed }, summary }
  },
}
