import { Command, Option } from 'commander'
import { connectProvider } from '../operator/adapters/chain/wallet.ts'
import { directory, json, parseUrl } from '../operator/app/cli/flags.ts'
import { columns, print } from '../operator/app/cli/print.ts'
import { speakAs } from '../operator/app/cli/voice.ts'
import { readBeaconChain } from './beacon-facts.ts'
import { DeployError } from './errors.ts'
import { parameterRows } from './verify/parameters.ts'
import { type Verification, verifyDeployment } from './verify/verify.ts'

type Flags = { readonly rpcUrl: string; readonly directory: string; readonly beaconUrl?: string; readonly json?: true }

/** `deploy verify`: prints a deployment and compares it with this source. */
export function verifyProgram(): Command {
  return speakAs(new Command('deploy verify'))
    .description(
      [
        'Prints every contract of a deployment and its parameters, and checks that it is what this source makes: each contract',
        'was created by this source’s init code with the arguments that follow from the directory, and its code is the compiled',
        'one (immutables masked). Ends with status 1 and says what differs when it is not. Needs no key.',
        'With a beacon node, what the deployment says of its chain (genesis, forks, presets) is compared as well.',
      ].join('\n'),
    )
    .addOption(
      new Option('--rpc, --rpc-url <url>', 'JSON-RPC of an execution client')
        .env('OPENPOOLS_RPC_URL')
        .argParser(parseUrl)
        .makeOptionMandatory(),
    )
    .addOption(directory())
    .addOption(new Option('--beacon-url <url>', 'Beacon API of a node of the same chain').env('OPENPOOLS_BEACON_URL').argParser(parseUrl))
    .addOption(json())
    .addHelpText('after', '\nExample:\n  deploy verify --rpc-url http://127.0.0.1:8545 --directory 0x…')
    .action(verify)
}

async function verify(flags: Flags): Promise<void> {
  const provider = await connectProvider(flags.rpcUrl)
  try {
    const verification = await verifyDeployment(provider, flags.directory)
    const foreign = flags.beaconUrl === undefined ? [] : await differencesFromChain(verification, flags.beaconUrl)
    print({ json: flags.json === true, text: tableOf(verification), data: { ...verification, differencesFromChain: foreign } })
    const faults = [
      ...verification.contracts.flatMap(({ name, faults: some }) => some.map((fault) => `${name}: ${fault}`)),
      ...foreign.map((name) => `parameter ${name} is not the chain’s`),
    ]
    if (faults.length > 0) throw new DeployError('NOT_VERIFIED', `this is not what this source deploys: ${faults.join('; ')}`)
  } finally {
    provider.destroy()
  }
}

/** Parameters that a beacon node gives otherwise. */
async function differencesFromChain({ parameters, layouts, chainId }: Verification, beaconUrl: string): Promise<readonly string[]> {
  const chain = await readBeaconChain(beaconUrl)
  const facts = Object.entries(chain.facts).filter(([name, value]) => !same(parameters[name as keyof typeof parameters], value))
  const rows = layouts.filter(
    (row) => !chain.layouts.some((known) => Object.entries(known).every(([name, value]) => same(row[name as keyof typeof row], value))),
  )
  return [
    ...(chain.depositChainId === chainId ? [] : ['chainId']),
    ...facts.map(([name]) => name),
    ...rows.map(({ forkVersion }) => `layout of fork ${forkVersion}`),
  ]
}

const same = (one: unknown, other: unknown): boolean => String(one).toLowerCase() === String(other).toLowerCase()

function tableOf({ contracts, parameters, layouts, chainId, deploymentBlock }: Verification): readonly string[] {
  const rows = contracts.map(({ name, address, codeHash, faults }) => [
    name,
    address,
    codeHash,
    faults.length === 0 ? 'as compiled' : faults.join('; '),
  ])
  return [
    `chain ${chainId}, deployed at block ${deploymentBlock}`,
    '',
    ...columns([['contract', 'address', 'code hash', ''], ...rows]),
    '',
    ...columns(parameterRows(parameters)),
    '',
    ...columns(layouts.map(({ forkVersion, firstEpoch }) => [`beacon states of fork ${forkVersion}`, `from epoch ${firstEpoch}`])),
  ]
}
