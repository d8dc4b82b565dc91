import { encodeRlp, keccak256, toBeArray, toBeHex } from 'ethers'

/** EIP-1186 proof of an account and some of its slots. Numbers as the RPC has them: quantities in hex. */
export type AccountProof = {
  readonly balance: string
  readonly storageHash: string
  readonly accountProof: string[]
  readonly storageProof: readonly { readonly key: string; readonly value: string; readonly proof: string[] }[]
}

/** Anything that asks a node. */
export type Rpc = { send(method: string, parameters: unknown[]): Promise<unknown> }

type RpcBlock = { readonly hash: string; readonly stateRoot: string; readonly timestamp: string } & Readonly<Record<string, string>>

const HEADER_FIELDS = [
  'parentHash',
  'sha3Uncles',
  'miner',
  'stateRoot',
  'transactionsRoot',
  'receiptsRoot',
  'logsBloom',
  'difficulty',
  'number',
  'gasLimit',
  'gasUsed',
  'timestamp',
  'extraData',
  'mixHash',
  'nonce',
  'baseFeePerGas',
  'withdrawalsRoot',
  'blobGasUsed',
  'excessBlobGas',
  'parentBeaconBlockRoot',
  'requestsHash',
] as const
const QUANTITIES = new Set<string>([
  'difficulty',
  'number',
  'gasLimit',
  'gasUsed',
  'timestamp',
  'baseFeePerGas',
  'blobGasUsed',
  'excessBlobGas',
])

/** RLP of a block's header, as the node's own fields make it; throws unless it has the block's hash. */
export async function headerOf(provider: Rpc, blockNumber: bigint) {
  const block = (await provider.send('eth_getBlockByNumber', [`0x${blockNumber.toString(16)}`, false])) as RpcBlock
  const fields = HEADER_FIELDS.map((name) => {
    const value = block[name]
    if (value === undefined) throw new Error(`expected a header with ${name}, got none`)
    return QUANTITIES.has(name) ? toBeArray(BigInt(value)) : value
  })
  const header = encodeRlp(fields)
  if (keccak256(header) !== block.hash) throw new Error(`expected the header of ${block.hash}, got that of ${keccak256(header)}`)
  return { header, hash: keccak256(header), stateRoot: block.stateRoot, timestamp: BigInt(block.timestamp) }
}

/** `eth_getProof` at a block. */
export async function proofAt(
  provider: Rpc,
  { address, slots, blockNumber }: { readonly address: string; readonly slots: readonly bigint[]; readonly blockNumber: bigint },
): Promise<AccountProof> {
  const keys = slots.map((slot) => toBeHex(slot, 32))
  return (await provider.send('eth_getProof', [address, keys, `0x${blockNumber.toString(16)}`])) as AccountProof
}
