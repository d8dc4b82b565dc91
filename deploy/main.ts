import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { JsonRpcProvider, Wallet } from 'ethers'
import { OpenPoolsError, reasonOf } from '../operator/core/errors.ts'
import { type BeaconChain, readBeaconChain } from './beacon-facts.ts'
import { deployOpenPools } from './deploy.ts'
import { DeployError } from './errors.ts'
import { devnet } from './parameters/devnet.ts'
import { mainnet } from './parameters/mainnet.ts'
import type { NetworkChoices } from './parameters/types.ts'

const NETWORKS: Readonly<Record<string, NetworkChoices>> = { devnet, mainnet }
/** Between two looks for a receipt. */
const POLLING_MS = 500
/** Epochs that producers have to register before period 0, when no epoch is given. */
const REGISTRATION_EPOCHS = 5n

interface Options {
  readonly rpcUrl: string
  readonly beaconUrl: string
  readonly keyFile: string
  readonly network: string
  readonly firstPeriod?: string
}

const program = new Command('deploy')
  .description('Deploys all Open Pools contracts and prints their addresses as JSON. The parameters are fixed for ever.')
  .requiredOption('--rpc-url <url>', 'JSON-RPC of the execution client')
  .requiredOption('--beacon-url <url>', 'Beacon API of a node of the same chain: genesis, forks and presets are read from it')
  .requiredOption('--key-file <file>', 'file with the private key (hex) of a funded account that sends nothing else meanwhile')
  .addOption(new Option('--network <name>', 'set of parameters').choices(Object.keys(NETWORKS)).default('devnet'))
  .option('--first-period <epoch>', `epoch at which period 0 starts (default: ${REGISTRATION_EPOCHS} epochs from now)`)

try {
  program.parse()
  await run(program.opts<Options>())
} catch (error) {
  console.error(`deploy: ${error instanceof OpenPoolsError ? `${error.code}: ` : ''}${reasonOf(error)}`)
  process.exitCode = 1
}

async function run({ rpcUrl, beaconUrl, keyFile, network, firstPeriod }: Options): Promise<void> {
  const choices = NETWORKS[network]
  if (choices === undefined) throw new DeployError('BAD_ARGUMENT', `expected a known network, got ${network}`)
  const chain = await readBeaconChain(beaconUrl)
  const provider = new JsonRpcProvider(rpcUrl, undefined, { staticNetwork: true, pollingInterval: POLLING_MS })
  try {
    const { chainId } = await provider.getNetwork()
    if (chainId !== chain.depositChainId) {
      throw new DeployError('WRONG_CHAIN', `expected chain ${chain.depositChainId} as the beacon node does, got ${chainId} from ${rpcUrl}`)
    }
    const signer = readKey(keyFile).connect(provider)
    const parameters = { ...chain.facts, ...choices, firstPeriod: parseFirstPeriod(firstPeriod, chain) }
    const { addresses, contracts } = await deployOpenPools({
      signer,
      parameters,
      layouts: chain.layouts,
      onDeployed: ({ name, address, gasUsed }) => console.error(`${name} ${address} (${gasUsed} gas)`),
    })
    const gas = contracts.reduce((sum, { gasUsed }) => sum + gasUsed, 0n)
    console.error(`total ${gas} gas`)
    console.log(JSON.stringify(addresses, null, 2))
  } finally {
    provider.destroy()
  }
}

function readKey(file: string): Wallet {
  const text = readFileSync(file, 'utf8').trim()
  try {
    return new Wallet(text)
  } catch {
    throw new DeployError('BAD_ARGUMENT', `expected ${file} to hold a private key of 32 bytes in hex`, { file })
  }
}

function parseFirstPeriod(given: string | undefined, { facts }: BeaconChain): bigint {
  const seconds = BigInt(Math.floor(Date.now() / 1_000)) - facts.genesisTime
  const now = seconds < 0n ? 0n : seconds / (facts.secondsPerSlot * facts.slotsPerEpoch)
  if (given === undefined) return now + REGISTRATION_EPOCHS
  if (!/^\d+$/.test(given) || BigInt(given) <= now) {
    throw new DeployError('BAD_ARGUMENT', `expected --first-period to be an epoch after ${now}, got ${given}`, { given })
  }
  return BigInt(given)
}
