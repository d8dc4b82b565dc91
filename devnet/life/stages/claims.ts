import { formatEther } from 'ethers'
import { until } from '../wait.ts'
import type { Stage } from '../world.ts'

/** The beacon chain sends the ETH, reports bring it in, the stakers claim. */
export const claimsStage: Stage = {
  name: 'ETH comes back, stakers claim',
  seconds: 200,
  async run(world, signal) {
    const { contracts, network, processes, facts, requests } = world
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
      facts.claimed += BigInt((JSON.parse(output) as { amount: string }).amount)
    }
    return `${requests.length} requests paid, ${formatEther(facts.claimed)} ETH`
  },
}
