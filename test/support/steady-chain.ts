import { network } from 'hardhat'
import { useSeed } from './randomness.ts'

const GENESIS = '2030-01-01T00:00:00Z'

/**
 * A fresh chain on which nothing depends on when or where a test runs: it begins at a fixed date, a block comes a second after
 * the one before unless its time was set, and what test/support makes up follows from the seed.
 */
export async function steadyChain(seed: string) {
  useSeed(seed)
  const connection = await network.create({ override: { initialDate: GENESIS } })
  const { provider } = connection
  const request = provider.request.bind(provider)
  let isTimeSet = false
  provider.request = async (call) => {
    if (call.method === 'evm_setNextBlockTimestamp') isTimeSet = true
    if (call.method === 'eth_sendTransaction') {
      if (!isTimeSet) {
        const latest = (await request({ method: 'eth_getBlockByNumber', params: ['latest', false] })) as { readonly timestamp: string }
        await request({ method: 'evm_setNextBlockTimestamp', params: [Number(latest.timestamp) + 1] })
      }
      isTimeSet = false
    }
    return request(call)
  }
  return connection
}
