import { formatEther } from 'ethers'
import type { Person } from '../people.ts'
import { until } from '../wait.ts'
import type { AfterWithdrawals, Claims, Stage } from '../world.ts'

/** The beacon chain sends the ETH, reports bring it in, the stakers claim. */
export const claimsStage: Stage<AfterWithdrawals, Claims> = {
  name: 'ETH comes back, stakers claim',
  seconds: 200,
  async run(world, signal) {
    const { contracts, network, processes, requests } = world
    /** Each claims as soon as a request is finalized: a person's requests one after the other, people at the same time. */
    const claimAll = async (person: Person): Promise<bigint> => {
      let claimed = 0n
      for (const { requestId } of requests.filter((request) => request.person === person)) {
        await until(async () => {
          const last = await contracts.withdrawalQueue.lastFinalizedId()
          world.screen.status(`requests finalized: ${last} of ${requests.length}`)
          return last >= BigInt(requestId) ? true : undefined
        }, signal)
        const output = await processes.run('scripts/stake.ts', [
          'claim',
          ...['--request', requestId, '--rpc-url', network.executionUrl, '--directory', network.directory],
          ...['--key-file', person.keyFile, '--password-file', person.passwordFile, '--json'],
        ])
        claimed += BigInt((JSON.parse(output) as { amount: string }).amount)
      }
      return claimed
    }
    const people = [...new Set(requests.map(({ person }) => person))]
    const claimed = (await Promise.all(people.map(claimAll))).reduce((sum, amount) => sum + amount, 0n)
    const summary = `${requests.length} requests paid, ${formatEther(claimed)} ETH`
    return { added: { claimed }, summary }
  },
}
