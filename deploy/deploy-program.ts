import { Command } from 'commander'
import { connectProvider } from '../operator/adapters/chain/wallet.ts'
import { beaconUrl, flag, rpcUrl } from '../operator/app/cli/flags.ts'
import { speakAs } from '../operator/app/cli/voice.ts'
import { openAccount } from './account.ts'
import { type BeaconChain, readBeaconChain } from './beacon-facts.ts'
import { deployOpenPools } from './deploy.ts'
import { DeployError } from './errors.ts'
import { devnet } from './parameters/devnet.ts'
import { mainnet } from './parameters/mainnet.ts'
import type { NetworkChoices } from './parameters/types.ts'

const NETWORKS: Readonly<Record<string, NetworkChoices>> = { devnet, mainnet }
/** Epochs that producers have to register before period 0, when no epoch is given. */
const REGISTRATION_EPOCHS = 5n

type Flags = {
  readonly rpcUrl: string
  readonly beaconUrl: string
  readonly keyFile: string
  readonly passwordFile?: string
  readonly network: string
  readonly firstPeriod?: string
}

/** `deploy`: deploys all contracts. */
export function deployProgram(): Command {
  return speakAs(new Command('deploy'))
    .description(
      [
        'Deploys all Open Pools contracts and prints their addresses as one JSON object on stdout; progress goes to stderr.',
        'Nobody can change anything afterwards: the parameters are fixed for ever. What the chain itself fixes (genesis, forks,',
        'presets, the deposit contract) is read from the beacon node, the rest is the chosen network’s file in deploy/parameters.',
        '',
        '"deploy verify" checks what stands there: whether every contract is this source’s, with which parameters.',
        'Each flag can be an environment variable instead: --rpc-url is OPENPOOLS_RPC_URL, and so on.',
      ].join('\n'),
    )
    .addOption(rpcUrl())
    .addOption(beaconUrl())
    .addOption(
      flag(
        '--key-file <file>',
        'wallet of a funded account that sends nothing else meanwhile: encrypted JSON, or a bare key in hex',
      ).makeOptionMandatory(),
    )
    .addOption(flag('--password-file <file>', 'file with the password of an encrypted wallet'))
    .addOption(flag('--network <name>', 'set of parameters').choices(Object.keys(NETWORKS)).default('devnet'))
    .addOption(flag('--first-period <epoch>', `epoch at which period 0 starts (default: ${REGISTRATION_EPOCHS} epochs from now)`))
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  deploy --rpc-url http://127.0.0.1:8545 --beacon-url http://127.0.0.1:5052 --network devnet \\',
        '    --key-file deployer.json --password-file deployer.password',
        '  deploy verify --rpc-url http://127.0.0.1:8545 --directory 0x…',
      ].join('\n'),
    )
    .action(deploy)
}

async function deploy(flags: Flags): Promise<void> {
  const choices = NETWORKS[flags.network]
  if (choices === undefined) throw new DeployError('BAD_ARGUMENT', `expected a known network, got ${flags.network}`)
  const account = await openAccount(flags)
  const chain = await readBeaconChain(flags.beaconUrl)
  const firstPeriod = parseFirstPeriod(flags.firstPeriod, chain)
  const provider = await connectProvider(flags.rpcUrl)
  try {
    const { chainId } = await provider.getNetwork()
    if (chainId !== chain.depositChainId) {
      const message = `the beacon node is of chain ${chain.depositChainId}, the execution client of chain ${chainId}: check --beacon-url and --rpc-url`
      throw new DeployError('WRONG_CHAIN', message)
    }
    const { addresses, contracts } = await deployOpenPools({
      signer: account.connect(provider),
      parameters: { ...chain.facts, ...choices, firstPeriod },
      layouts: chain.layouts,
      onDeployed: ({ name, address, gasUsed }) => console.error(`${name} ${address} (${gasUsed} gas)`),
    })
    const gas = contracts.reduce((sum, { gasUsed }) => sum + gasUsed, 0n)
    console.error(`total ${gas} gas; the directory, ${addresses.directory}, is all that others need to know`)
    console.log(JSON.stringify(addresses, null, 2))
  } finally {
    provider.destroy()
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
