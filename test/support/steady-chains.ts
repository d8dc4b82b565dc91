import type { HardhatPlugin } from 'hardhat/types/plugins'

/** What mines a block, at the time that was set for it or else at one that depends on the machine's clock. */
const MINES = new Set(['eth_sendTransaction', 'eth_sendRawTransaction', 'evm_mine', 'hardhat_mine'])

/**
 * On simulated chains a block comes a second after the one before unless its time was set: what a test shows of deadlines must
 * not depend on how fast the machine is. (`evm_increaseTime` moves the machine's clock, so it moves nothing here.)
 */
export const steadyChains: HardhatPlugin = {
  id: 'open-pools:steady-chains',
  hookHandlers: {
    network: async () => ({
      default: async () => {
        const timed = new WeakSet<object>()
        return {
          async onRequest(context, connection, request, next) {
            if (connection.networkConfig.type !== 'edr-simulated') return next(context, connection, request)
            const { provider } = connection
            if (request.method === 'evm_setNextBlockTimestamp') timed.add(provider)
            else if (request.method === 'evm_revert') timed.delete(provider)
            else if (MINES.has(request.method) && !timed.delete(provider)) {
              const latest = (await provider.request({ method: 'eth_getBlockByNumber', params: ['latest', false] })) as {
                readonly timestamp: string
              }
              await provider.request({ method: 'evm_setNextBlockTimestamp', params: [Number(latest.timestamp) + 1] })
              timed.delete(provider)
            }
            return next(context, connection, request)
          },
        }
      },
    }),
  },
}
