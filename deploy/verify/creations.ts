import { getCreateAddress, type JsonRpcProvider, type TransactionResponse } from 'ethers'

/** Blocks after the directory's in which the rest of a deployment is looked for: all are sent at once. */
const MOST_BLOCKS = 512

/** The transactions that created contracts, by address in lower case; those that are not found are missing. */
export async function findCreations(
  provider: JsonRpcProvider,
  { addresses, fromBlock }: { readonly addresses: readonly string[]; readonly fromBlock: number },
): Promise<ReadonlyMap<string, TransactionResponse>> {
  const wanted = new Set(addresses.map((address) => address.toLowerCase()))
  const found = new Map<string, TransactionResponse>()
  for (let number = fromBlock; number < fromBlock + MOST_BLOCKS && found.size < wanted.size; number++) {
    const block = await provider.getBlock(number, true)
    if (block === null) break
    for (const transaction of block.prefetchedTransactions) {
      if (transaction.to !== null) continue
      const created = getCreateAddress(transaction).toLowerCase()
      if (wanted.has(created)) found.set(created, transaction)
    }
  }
  return found
}
