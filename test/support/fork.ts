import { JsonRpcProvider } from 'ethers'
import { network } from 'hardhat'
import type { NetworkConnection } from 'hardhat/types/network'

/** A chain in this process that begins with the present state of the one behind an RPC. Throws when it cannot be forked. */
export async function forkNetwork(url: string): Promise<NetworkConnection> {
  try {
    // Under the chain's own id: signatures that its contracts judge bind it.
    const { chainId } = await new JsonRpcProvider(url).getNetwork()
    const connection = await network.create({ override: { chainId: Number(chainId), forking: { enabled: true, url } } })
    // Of blocks before the fork Hardhat would have to be told which rules they followed: people act on this one.
    await connection.ethers.provider.send('evm_mine', [])
    return connection
  } catch (error) {
    throw new Error(
      `expected an Ethereum RPC that can be forked at FORK_URL, with the state of its latest block: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    )
  }
}
