import { Command } from 'commander'
import { toAddress } from '../operator/core/parse.ts'
import { IBondEther__factory } from '../typechain-types/factories/contracts/interfaces/IBondEther__factory.js'
import { IStakingPool__factory } from '../typechain-types/factories/contracts/interfaces/IStakingPool__factory.js'
import { IWithdrawalQueue__factory } from '../typechain-types/factories/contracts/interfaces/IWithdrawalQueue__factory.js'
import {
  type ConnectionFlags,
  connect,
  connectWallet,
  eth,
  eventOf,
  parseAmount,
  parseRequestId,
  print,
  runProgram,
  transact,
  type WalletFlags,
  withConnection,
  withWallet,
} from './support/staker.ts'

const RAY = 10n ** 27n

const program = new Command('stake').description(
  [
    'For stakers: deposit ETH for bETH, see what it is worth, and get it back.',
    '',
    'Getting out takes two steps: "withdraw" queues a request; when a finalized report has covered it, "claim" pays it.',
    'Every flag can be an environment variable: OPENPOOLS_RPC_URL, OPENPOOLS_DIRECTORY, OPENPOOLS_KEY_FILE, OPENPOOLS_PASSWORD_FILE.',
  ].join('\n'),
)

withWallet(program.command('deposit').description('deposit ETH, get bETH at the rewards index of the moment'))
  .requiredOption('--amount <eth>', 'amount in ETH, such as 1.5')
  .action(async (flags: WalletFlags & { readonly amount: string }) => {
    const value = parseAmount(flags.amount)
    const { wallet, deployment } = await connectWallet(flags)
    const receipt = await transact(
      wallet,
      await IStakingPool__factory.connect(deployment.addresses.stakingPool, wallet).deposit.populateTransaction({ value }),
    )
    const balance = await IBondEther__factory.connect(deployment.addresses.bondEther, wallet).balanceOf(wallet.address)
    print(flags, `deposited ${eth(value)}; ${wallet.address} now holds ${eth(balance)} as bETH`, {
      address: wallet.address,
      deposited: value,
      balance,
      gasUsed: receipt.gasUsed,
      transaction: receipt.hash,
    })
  })

withConnection(program.command('balance').description("an account's bETH, its shares and its withdrawal requests"))
  .requiredOption('--address <address>', 'whose', toAddress)
  .action(async (flags: ConnectionFlags & { readonly address: string }) => {
    const { provider, deployment } = await connect(flags)
    const token = IBondEther__factory.connect(deployment.addresses.bondEther, provider)
    const [balance, shares, index] = await Promise.all([
      token.balanceOf(flags.address),
      token.sharesOf(flags.address),
      token.rewardsIndex(),
    ])
    const sentence = `${flags.address} holds ${eth(balance)} as bETH (${shares} shares at index ${Number((index * 10n ** 9n) / RAY) / 1e9})`
    print(flags, sentence, { address: flags.address, balance, shares, index })
  })

withWallet(program.command('withdraw').description('queue a request to turn bETH into ETH'))
  .requiredOption('--amount <eth>', 'amount in ETH, or "all"')
  .action(async (flags: WalletFlags & { readonly amount: string }) => {
    const { wallet, deployment } = await connectWallet(flags)
    const token = IBondEther__factory.connect(deployment.addresses.bondEther, wallet)
    const queue = IWithdrawalQueue__factory.connect(deployment.addresses.withdrawalQueue, wallet)
    const amount = flags.amount === 'all' ? await token.balanceOf(wallet.address) : parseAmount(flags.amount)
    if ((await token.allowance(wallet.address, deployment.addresses.withdrawalQueue)) < amount) {
      await transact(wallet, await token.approve.populateTransaction(deployment.addresses.withdrawalQueue, amount))
    }
    const receipt = await transact(wallet, await queue.requestWithdrawal.populateTransaction(amount))
    const requested = eventOf(receipt, queue.interface, { contract: deployment.addresses.withdrawalQueue, name: 'WithdrawalRequested' })
    const requestId = BigInt(requested.args.requestId)
    print(flags, `request ${requestId} for ${eth(amount)} is queued; "claim --request ${requestId}" pays it once it is finalized`, {
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
    const state = request.claimed
      ? 'claimed'
      : request.finalized
        ? `ready to be claimed: ${eth(request.claimable)}`
        : 'waiting for a finalized report'
    print(flags, `request ${flags.request} of ${request.owner} for ${eth(request.amount)}: ${state}`, {
      requestId: flags.request,
      owner: request.owner,
      amount: request.amount,
      finalized: request.finalized,
      claimed: request.claimed,
      claimable: request.claimable,
    })
  })

withWallet(program.command('claim').description('pay a finalized request to its owner'))
  .requiredOption('--request <id>', 'its number', parseRequestId)
  .action(async (flags: WalletFlags & { readonly request: string }) => {
    const { wallet, deployment } = await connectWallet(flags)
    const queue = IWithdrawalQueue__factory.connect(deployment.addresses.withdrawalQueue, wallet)
    const receipt = await transact(wallet, await queue.claimWithdrawal.populateTransaction(flags.request))
    const claimed = eventOf(receipt, queue.interface, { contract: deployment.addresses.withdrawalQueue, name: 'WithdrawalClaimed' })
    const amount = BigInt(claimed.args.amount)
    print(flags, `request ${flags.request} paid ${eth(amount)} to ${wallet.address}`, {
      requestId: flags.request,
      amount,
      gasUsed: receipt.gasUsed,
      transaction: receipt.hash,
    })
  })

await runProgram(program)
