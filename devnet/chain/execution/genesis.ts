import { createHash } from 'node:crypto'
import { HDNodeWallet, Mnemonic } from 'ethers'
import { ACCOUNT_BALANCE_WEI, ACCOUNTS, CHAIN_ID, GAS_LIMIT, MNEMONIC } from './constants.ts'
import systemContracts from './system-contracts.json' with { type: 'json' }

type Account = {
  readonly balance: string
  readonly nonce?: string
  readonly code?: string
  readonly storage?: Readonly<Record<string, string>>
}

export const DEPOSIT_CONTRACT = systemContracts.depositContract.address

const word = (value: number | bigint): string => `0x${value.toString(16).padStart(64, '0')}`

/** Depth of the deposit contract's Merkle tree (DEPOSIT_CONTRACT_TREE_DEPTH). */
const DEPOSIT_TREE_DEPTH = 32
/** First storage slot of the deposit contract's `zero_hashes` array. */
const ZERO_HASHES_SLOT = 33

/** Storage that the deposit contract's constructor would have written: `zero_hashes[1..31]`. */
function depositContractStorage(): Record<string, string> {
  const storage: Record<string, string> = {}
  let hash = Buffer.alloc(32)
  for (let height = 1; height < DEPOSIT_TREE_DEPTH; height++) {
    hash = createHash('sha256').update(hash).update(hash).digest()
    storage[word(ZERO_HASHES_SLOT + height)] = `0x${hash.toString('hex')}`
  }
  return storage
}

function prefundedAccounts(): Record<string, Account> {
  const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(MNEMONIC), "m/44'/60'/0'/0")
  const balance = `0x${ACCOUNT_BALANCE_WEI.toString(16)}`
  return Object.fromEntries(Array.from({ length: ACCOUNTS }, (_, i) => [root.deriveChild(i).address.toLowerCase(), { balance }]))
}

/**
 * Genesis file in geth's format with every fork to Prague active from block 0 and the system contracts
 * in place: EIP-4788, EIP-2935, EIP-7002, EIP-7251 and the deposit contract (EIP-6110).
 * @param timestamp unix seconds of block 0
 */
export function executionGenesis(timestamp: number): Record<string, unknown> {
  const { depositContract, ...predeployed } = systemContracts
  const alloc: Record<string, Account> = {
    ...prefundedAccounts(),
    [depositContract.address]: { balance: '0x0', nonce: '0x1', code: depositContract.code, storage: depositContractStorage() },
  }
  for (const { address, code } of Object.values(predeployed)) alloc[address] = { balance: '0x0', nonce: '0x1', code }
  const fromGenesis = [
    'homestead',
    'eip150',
    'eip155',
    'eip158',
    'byzantium',
    'constantinople',
    'petersburg',
    'istanbul',
    'berlin',
    'london',
    'mergeNetsplit',
  ]
  return {
    config: {
      chainId: CHAIN_ID,
      ...Object.fromEntries(fromGenesis.map((fork) => [`${fork}Block`, 0])),
      terminalTotalDifficulty: 0,
      terminalTotalDifficultyPassed: true,
      shanghaiTime: 0,
      cancunTime: 0,
      pragueTime: 0,
      depositContractAddress: depositContract.address,
      blobSchedule: {
        cancun: { target: 3, max: 6, baseFeeUpdateFraction: 3338477 },
        prague: { target: 6, max: 9, baseFeeUpdateFraction: 5007716 },
      },
    },
    nonce: '0x0',
    timestamp: `0x${timestamp.toString(16)}`,
    extraData: '0x',
    gasLimit: `0x${GAS_LIMIT.toString(16)}`,
    difficulty: '0x0',
    mixHash: word(0),
    coinbase: `0x${'00'.repeat(20)}`,
    alloc,
    number: '0x0',
    gasUsed: '0x0',
    parentHash: word(0),
    baseFeePerGas: '0x3b9aca00',
    excessBlobGas: '0x0',
    blobGasUsed: '0x0',
  }
}
