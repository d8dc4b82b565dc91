import { Command, InvalidArgumentError, Option } from 'commander'
import { openWallet } from '../operator/adapters/chain/wallet.ts'
import { beaconUrl, directory, flag, json, parsePath, rpcUrl } from '../operator/app/cli/flags.ts'
import { print } from '../operator/app/cli/print.ts'
import { runProgram, speakAs } from '../operator/app/cli/voice.ts'
import { exactEth } from '../operator/core/amounts.ts'
import type { Address } from '../operator/core/ids.ts'
import { toPoolId } from '../operator/core/parse.ts'
import type { Call } from '../operator/core/ports/chain.ts'
import { POOL_KINDS, type PoolKind } from '../operator/core/vault.ts'
import { arrivalsDispute } from './dispute/arrivals.ts'
import { type BalanceFinding, balanceDispute, examineBalances } from './dispute/balance.ts'
import { certificateDispute, forgedIn, readCertificates } from './dispute/certificate.ts'
import { type Court, openCourt, rule, standingOf } from './dispute/court.ts'
import { DisputeError } from './dispute/errors.ts'
import { EVIDENCE, type EvidenceKind, readEvidence } from './dispute/evidence.ts'
import { openReferenceStates } from './dispute/reference-states.ts'
import { BALLOTS, type Ballot, ballotOf, openSigningKey } from './dispute/vote.ts'

type Flags = {
  readonly rpcUrl: string
  readonly directory: Address
  readonly keyFile?: string
  readonly passwordFile?: string
  readonly dryRun?: true
  readonly json?: true
}
type OfCommitment = Flags & { readonly commitment: number }

function parseNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a whole number from 1.')
}

const program = speakAs(new Command('dispute')).description(
  [
    'Shows the contracts what is wrong: a lying report (balance, arrivals, certificate), or evidence of a slashable fault; and votes',
    'on reports. Proofs are built from a beacon node and an execution client. Whoever is right is paid, a wrong proof costs its gas.',
    '',
    'With --dry-run nothing is sent: it says what would be shown, and whether the contract would uphold it.',
  ].join('\n'),
)

function command(name: string, description: string, example: string): Command {
  return program
    .command(name)
    .description(description)
    .addOption(rpcUrl())
    .addOption(directory())
    .addOption(flag('--key-file <file>', 'encrypted key file (Web3 secret storage) of who pays the gas').argParser(parsePath))
    .addOption(flag('--password-file <file>', 'file with its password').argParser(parsePath))
    .option('--dry-run', 'send nothing; say whether it would be upheld')
    .addOption(json())
    .addHelpText('after', `\nExample:\n  dispute ${name} ${example} --rpc-url http://127.0.0.1:8545 --directory 0x… --dry-run`)
}

const ofCommitment = (name: string, description: string, example: string): Command =>
  command(name, description, `--commitment 3 ${example}`).requiredOption('--commitment <id>', 'the commitment, by its number', parseNumber)

/** The files of the wallet that pays, undefined for a dry run. Asked before anything else is done. */
function payerOf({ keyFile, passwordFile, dryRun }: Flags): { readonly keyFile: string; readonly passwordFile: string } | undefined {
  if (dryRun) return undefined
  if (keyFile !== undefined && passwordFile !== undefined) return { keyFile, passwordFile }
  throw new InvalidArgumentError('who pays the gas? Give --key-file and --password-file, or --dry-run to send nothing')
}

type Shown = { readonly text: string; readonly data: object; readonly call: Call }

/** Opens the court, lets something be shown, and says what came of it. Ends with status 1 when it is not upheld. */
async function bring(flags: Flags, show: (court: Court) => Promise<Shown>): Promise<void> {
  const payer = payerOf(flags)
  const court = await openCourt(flags)
  const wallet = payer && (await openWallet(payer, court.provider))
  const { text, data, call } = await show(court)
  const ruling = await rule(court, call, wallet)
  const outcome = ruling.upheld
    ? ruling.transaction === null
      ? `would be upheld, for ${ruling.gas} gas; nothing was sent`
      : `upheld (transaction ${ruling.transaction}, ${ruling.gas} gas)`
    : `${flags.dryRun ? 'would be refused' : 'refused'}: ${ruling.reason}`
  print({ json: flags.json === true, text: [text, outcome], data: { ...data, ...ruling } })
  if (!ruling.upheld) process.exitCode = 1
}

const gwei = (amount: bigint): string => `${exactEth(amount * 10n ** 9n)} ETH`
const balanceText = ({ poolId, posted, actual }: BalanceFinding): string =>
  `pool ${poolId}: posted ${gwei(posted)}, at the reference it had ${gwei(actual)}`

ofCommitment('balance', 'show a posted balance that is not the pool’s at the reference', '--beacon-url http://127.0.0.1:5052')
  .addOption(beaconUrl())
  .option('--pool <id>', 'which pool; else all are compared, and the first wrong one is shown', parseNumber)
  .action(async (flags: OfCommitment & { readonly beaconUrl: string; readonly pool?: number }) => {
    await bring(flags, async (court) => {
      const inputs = { court, states: await openReferenceStates(flags.beaconUrl), commitmentId: flags.commitment }
      const findings = await examineBalances(inputs).catch((error: unknown) => {
        const isGone = error instanceof DisputeError && error.code === 'MISSING'
        throw isGone ? new DisputeError('MISSING', `${error.message} (${standingOf(court, flags.commitment)})`, error.data) : error
      })
      const wrong = findings.filter(({ posted, actual }) => posted !== actual)
      const [first] = flags.pool === undefined ? wrong : findings.filter(({ poolId }) => poolId === flags.pool)
      if (first === undefined && flags.pool === undefined) {
        throw new DisputeError('NOTHING_WRONG', `all ${findings.length} balances posted so far are right: nothing to show`)
      }
      const poolId = first?.poolId ?? toPoolId(flags.pool)
      const call = await balanceDispute({ ...inputs, poolId })
      const text = first === undefined ? `pool ${poolId}` : balanceText(first)
      return { text, data: { wrong: wrong.length, shown: first ?? null }, call }
    })
  })

ofCommitment('arrivals', 'show arrivals that are not what a withdrawal vault had and gave at the reference', '--kind staker')
  .addOption(new Option('--kind <kind>', 'whose vault; else both are compared').choices(POOL_KINDS))
  .action(async (flags: OfCommitment & { readonly kind?: PoolKind }) => {
    await bring(flags, async (court) => {
      const kinds = flags.kind === undefined ? POOL_KINDS : [flags.kind]
      const all = await Promise.all(kinds.map((kind) => arrivalsDispute({ court, commitmentId: flags.commitment, kind })))
      const found = all.find(({ finding }) => finding.committed !== finding.actual) ?? (flags.kind === undefined ? undefined : all[0])
      if (found === undefined) throw new DisputeError('NOTHING_WRONG', 'the arrivals of both kinds are right: nothing to show')
      const { kind, committed, actual } = found.finding
      const text = `${kind} pools: committed ${exactEth(committed)} ETH, at the reference ${exactEth(actual)} ETH had arrived`
      return { text, data: found.finding, call: found.call }
    })
  })

ofCommitment(
  'certificate',
  'show a certificate of the published set that has a bit with no valid signature behind it',
  '--set certificates',
)
  .requiredOption('--set <file>', 'the whole set: as operators serve it, or as a JSON list', parsePath)
  .action(async (flags: OfCommitment & { readonly set: string }) => {
    await bring(flags, async (court) => {
      const set = readCertificates(flags.set)
      const certificate = forgedIn(court, set)
      const { poolId, slot, dutyType } = certificate
      const text = `the certificate of pool ${poolId}, slot ${slot}, duty type ${dutyType} claims members that did not sign it`
      return {
        text,
        data: { poolId, slot, dutyType },
        call: certificateDispute({ court, commitmentId: flags.commitment, set, certificate }),
      }
    })
  })

ofCommitment(
  'vote',
  'cast ballots of producers whose signing keys are at hand',
  '--ballot wrong --signing-key-file d/signer/signing-key.json',
)
  .addOption(new Option('--ballot <ballot>', '"wrong" slashes whoever signed the report').choices(BALLOTS).makeOptionMandatory())
  .requiredOption('--signing-key-file <files...>', 'EIP-2335 files, one for each voter: signer/signing-key.json of a data folder')
  .addOption(flag('--signing-password-file <file>', 'file with their password').argParser(parsePath).makeOptionMandatory())
  .action(
    async (
      flags: OfCommitment & { readonly ballot: Ballot; readonly signingKeyFile: readonly string[]; readonly signingPasswordFile: string },
    ) => {
      await bring(flags, async (court) => {
        const keys = await Promise.all(flags.signingKeyFile.map((path) => openSigningKey(path, flags.signingPasswordFile)))
        const { voters, call } = await ballotOf({ court, commitmentId: flags.commitment, ballot: flags.ballot, keys })
        return { text: `"${flags.ballot}" by producers ${voters.join(', ')}`, data: { ballot: flags.ballot, voters }, call }
      })
    },
  )

command('evidence', 'show evidence of a slashable fault to Slashing', '--kind qbft --file evidence.json')
  .addOption(new Option('--kind <kind>', 'of what').choices(Object.keys(EVIDENCE)).makeOptionMandatory())
  .requiredOption(
    '--file <file>',
    'JSON object with the arguments of the contract’s function by name (docs/contracts/Slashing.md)',
    parsePath,
  )
  .action(async (flags: Flags & { readonly kind: EvidenceKind; readonly file: string }) => {
    await bring(flags, async () => {
      const call = readEvidence(flags.file, flags.kind)
      return { text: `evidence of ${flags.kind} in ${flags.file}`, data: { kind: flags.kind }, call }
    })
  })

await runProgram(program)
// Nothing is left to do; a provider's sockets would keep the process for a while.
process.exit(process.exitCode)
