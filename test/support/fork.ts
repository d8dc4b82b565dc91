import { network } from 'hardhat'
import type { NetworkConnection } from 'hardhat/types/network'

/** A chain in this process that begins with the present state of the one behind an RPC. Throws when it cannot be forked. */
export async function forkNetwork(url: string): Promise<NetworkConnection> {
  try {
    const connection = await network.create({ override: { forking: { enabled: true, url } } })
    await connection.ethers.provider.getBlockNumber()
    return connection
  } catch (error) {
    throw new Error(
      `expected an Ethereum RPC that can be forked at FORK_URL, with the state of its latest block: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    )
  }
}
