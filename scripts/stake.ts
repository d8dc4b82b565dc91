import { Command, InvalidArgumentError } from 'commander'
import { transact } from '../operator/adapters/chain/transact.ts'
import { parseAddress, parseAmount } from '../operator/app/cli/flags.ts'
import { print } from '../operator/app/cli/print.ts'
import { runProgram, speakAs } from '../operator/app/cli/voice.ts'
import { ethText, ethTexts } from '../operator/core/amounts.ts'
import type { Address } from '../operator/core/ids.ts'
import { IBondEther__factory } from '../typechain-types/factories/contracts/interfaces/IBondEther__factory.js'
import { IStakingPool__factory } from '../typechain-types/factories/contracts/interfaces/IStakingPool__factory.js'
import { IWithdrawalQueue__factory } from '../typechain-types/factories/contracts/interfaces/IWithdrawalQueue__factory.js'
import { requestText } from './support/request-text.ts'
import {
  type ConnectionFlags,
  connect,
  connectWallet,
  eventOf,
  StakerError,
  type WalletFlags,
  withConnection,
  withWallet,
} from './support/staker.ts'

const RAY = 10n ** 27n

/** MIN_REQUEST of WithdrawalQueue, which could tell only after the approval has cost its gas. */
const LEAST_REQUEST = 10n ** 9n

const ALL = 'all'

/** The number of a withdrawal request, as typed. */
function parseRequestId(text: string): string {
  if (/^[1-9]\d{0,18}$/.test(text)) return text
  throw new InvalidArgumentError('Expected the number of a withdrawal request, from 1.')
}

const parseAmountOrAll = (text: string): bigint | typeof ALL => (text === ALL ? ALL : parseAmount(text))

/** Prints a sentence for a person or, with --json, one object (amounts as decimal strings of wei). */
function say(flags: ConnectionFlags, sentence: string, data: object): void {
  print({ json: flags.json === true, text: [sentence], data })
}

const exampleOf = (command: string): string =>
  [
    '',
    'Example:',
    `  stake ${command} --rpc-url http://127.0.0.1:8545 --directory 0x… \\`,
    '    --key-file key.json --password-file password',
  ].join('\n')

const program = speakAs(new Command('stake')).description(
  [
    'For stakers: deposit ETH for bETH, see what it is worth, and get it back.',
    '',
    'Getting out takes two steps: "withdraw" queues a request; when a finalized report has covered it, "claim" pays it.',
    'Every flag can be an environment variable: OPENPOOLS_RPC_URL, OPENPOOLS_DIRECTORY, OPENPOOLS_KEY_FILE, OPENPOOLS_PASSWORD_FILE.',
  ].join('\n'),
)

withWallet(program.command('deposit').description('deposit ETH, get bETH at the rewards index of the moment'))
  .requiredOption('--amount <eth>', 'amount in ETH, such as 1.5', parseAmount)
  .addHelpText('after', exampleOf('deposit --amount 1.5'))
  .action(async (flags: WalletFlags & { readonly amount: bigint }) => {
    const value = flags.amount
    const { wallet, deployment } = await connectWallet(flags)
    const receipt = await transact(
      wallet,
      await IStakingPool__factory.connect(deployment.addresses.stakingPool, wallet).deposit.populateTransaction({ value }),
    )
    const balance = await IBondEther__factory.connect(deployment.addresses.bondEther, wallet).balanceOf(wallet.address)
    say(flags, `deposited ${ethText(value)}; ${wallet.address} now holds ${ethText(balance)} as bETH`, {
      address: wallet.address,
      deposited: value,
      balance,
      gasUsed: receipt.gasUsed,
      transaction: receipt.hash,
    })
  })

withConnection(program.command('balance').description("an account's bETH, its shares and its withdrawal requests"))
  .requiredOption('--address <address>', 'whose', parseAddress)
  .addHelpText('after', '\nExample:\n  stake balance --address 0x… --rpc-url http://127.0.0.1:8545 --directory 0x…')
  .action(async (flags: ConnectionFlags & { readonly address: Address }) => {
    const { provider, deployment } = await connect(flags)
    const token = IBondEther__factory.connect(deployment.addresses.bondEther, provider)
    const [balance, shares, index] = await Promise.all([
      token.balanceOf(flags.address),
      token.sharesOf(flags.address),
      token.rewardsIndex(),
    ])
    const sentence = `${flags.address} holds ${ethText(balance)} as bETH (${shares} shares at index ${Number((index * 10n ** 9n) / RAY) / 1e9})`
    say(flags, sentence, { address: flags.address, balance, shares, index })
  })

withWallet(program.command('withdraw').description('queue a request to turn bETH into ETH'))
  .requiredOption('--amount <eth>', 'amount in ETH, or "all"', parseAmountOrAll)
  .addHelpText('after', exampleOf('withdraw --amount all'))
  .action(async (flags: WalletFlags & { readonly amount: bigint | typeof ALL }) => {
    const { wallet, deployment } = await connectWallet(flags)
    const token = IBondEther__factory.connect(deployment.addresses.bondEther, wallet)
    const queue = IWithdrawalQueue__factory.connect(deployment.addresses.withdrawalQueue, wallet)
    const balance = await token.balanceOf(wallet.address)
    const amount = flags.amount === ALL ? balance : flags.amount
    if (balance === 0n)
      throw new StakerError('NOTHING_HELD', `${wallet.address} holds no bETH: deposit first, or use the key that holds it`)
    if (amount > balance) {
      const [held, asked] = ethTexts(balance, amount)
      throw new StakerError(
        'TOO_MUCH',
        `${wallet.address} holds ${held} as bETH, less than the ${asked} asked for: ask for less, or for "all"`,
      )
    }
    if (amount < LEAST_REQUEST) {
      const [least, asked] = ethTexts(LEAST_REQUEST, amount)
      throw new StakerError('TOO_LITTLE', `a withdrawal request is for at least ${least} of bETH, this one is for ${asked}: ask for more`)
    }
    if ((await token.allowance(wallet.address, deployment.addresses.withdrawalQueue)) < amount) {
      await transact(wallet, await token.approve.populateTransaction(deployment.addresses.withdrawalQueue, amount))
    }
    const receipt = await transact(wallet, await queue.requestWithdrawal.populateTransaction(amount))
    const requested = eventOf(receipt, queue.interface, { contract: deployment.addresses.withdrawalQueue, name: 'WithdrawalRequested' })
    const requestId = BigInt(requested.args.requestId)
    say(flags, `request ${requestId} for ${ethText(amount)} is queued; "claim --request ${requestId}" pays it once it is finalized`, {
      requestId,
      amount,
      gasUsed: receipt.gasUsed,
      transaction: receipt.hash,
    })
  })

withConnection(program.command('request').description('what has become of a withdrawal request'))
  .requiredOption('--request <id>', 'its number', parseRequestId)
  .action(async (flags: ConnectionFlags & { readonly request: string }) => {
    const { provider, deployment } = await connect(flags)
    const request = await IWithdrawalQueue__factory.connect(deployment.addresses.withdrawalQueue, provider).request(flags.request)
    say(flags, requestText(flags.request, request), {
      requestId: flags.request,
      owner: request.claimed ? null : request.owner,
      amount: request.amount,
      finalized: request.finalized,
      claimed: request.claimed,
      claimable: request.claimable,
    })
  })

withWallet(program.command('claim').description('pay a finalized request to its owner'))
  .requiredOption('--request <id>', 'its number', parseRequestId)
  .addHelpText('after', exampleOf('claim --request 1'))
  .action(async (flags: WalletFlags & { readonly request: string }) => {
    const { wallet, deployment } = await connectWallet(flags)
    const queue = IWithdrawalQueue__factory.connect(deployment.addresses.withdrawalQueue, wallet)
    const receipt = await transact(wallet, await queue.claimWithdrawal.populateTransaction(flags.request))
    const claimed = eventOf(receipt, queue.interface, { contract: deployment.addresses.withdrawalQueue, name: 'WithdrawalClaimed' })
    const amount = BigInt(claimed.args.amount)
    say(flags, `request ${flags.request} paid ${ethText(amount)} to ${wallet.address}`, {
      requestId: flags.request,
      amount,
      gasUsed: receipt.gasUsed,
      transaction: receipt.hash,
    })
  })

await runProgram(program)
// Nothing is left to do; a provider's sockets would keep the process for a while.
process.exit(0)
