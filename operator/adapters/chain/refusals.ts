import { ethText, ethTexts } from '../../core/amounts.ts'

type Args = Readonly<Record<string, unknown>>

/** A contract's custom error by name and arguments. */
export type CustomError = { readonly name: string; readonly args: Args }

const wei = (value: unknown): bigint => BigInt(String(value))

/** Least and actual amount of wei, to put into a sentence. */
const amounts = ({ expectedAtLeast, actual }: Args): readonly [string, string] => ethTexts(wei(expectedAtLeast), wei(actual))

const GWEI = 10n ** 9n
/** Of `Status` in IBlockProducers. */
const GONE = 3n
const timeText = (seconds: unknown): string => (wei(seconds) === 0n ? 'none so far' : new Date(Number(wei(seconds)) * 1000).toISOString())
/**
 * What the refusals that a person can meet mean, and what to do about them. Errors that only operators' programs meet are not
 * here: they are told by name and values.
 */
const SENTENCES: Readonly<Record<string, (args: Args) => string>> = {
  DepositTooSmall(args) {
    const [least, actual] = amounts(args)
    return `a deposit is at least ${least}, this one is ${actual}: deposit more`
  },
  AmountTooSmall(args) {
    const [least, actual] = amounts(args)
    return `a withdrawal request is for at least ${least} of bETH, this one is for ${actual}: ask for more, or for "all"`
  },
  InsufficientShares: ({ account }) =>
    `${account} holds less bETH than that: see how much with "stake balance", or ask for "all" of it with "stake withdraw --amount all"`,
  ERC20InsufficientAllowance: ({ spender }) => `${spender} may not take that much bETH: approve it first`,
  RequestUnknown: ({ requestId, last }) =>
    `there is no withdrawal request ${requestId}: ${wei(last) === 0n ? 'none has been made yet' : `the last one is ${last}`}`,
  NotRequestOwner: ({ requestId, expected }) =>
    `withdrawal request ${requestId} belongs to ${expected}: claim it with the key of that account`,
  NotFinalized: ({ requestId, lastFinalized }) =>
    `withdrawal request ${requestId} is not finalized yet (finalized so far: ${
      wei(lastFinalized) === 0n ? 'none' : `up to ${lastFinalized}`
    }): try again after the next report; "stake request --request ${requestId}" tells`,
  AlreadyClaimed: ({ requestId }) => `withdrawal request ${requestId} was claimed already: nothing is left to do`,
  ClaimFailed: ({ requestId, receiver }) =>
    `${receiver}, the owner of request ${requestId}, does not take ETH: transfer the request to an account that does`,
  BondTooSmall(args) {
    const [least, actual] = amounts(args)
    return `a bond is at least ${least}, this one is ${actual}: register with "--bond ${least.replace(' ETH', '')}" or more`
  },
  OperatorTaken: ({ operator, by }) =>
    `operator ${operator} is registered already, as producer ${by}: run it, or make keys in another folder`,
  SigningKeyTaken: ({ by }) =>
    `the signing key is registered already, by producer ${by}: make keys in another folder with "openpools keys"`,
  InvalidProofOfPossession: () =>
    'the proof that the signing key is yours is not valid: register with the data folder that "openpools keys" made',
  PeerAddressLength: ({ atMost, actual }) => `an address is at most ${atMost} bytes long, this one is ${actual}: give a shorter --address`,
  ProducerUnknown: ({ producerId }) => `there is no producer ${producerId}`,
  NotOwner: ({ expected, actual }) => `only the producer's owner, ${expected}, may do this, not ${actual}: use the key of that account`,
  ProducerOut: ({ producerId }) =>
    `producer ${producerId} leaves already, or was slashed: see how far it is with "openpools exit --status"`,
  NotLeaving({ producerId, status }) {
    return wei(status) === GONE
      ? `producer ${producerId} has taken its bond already: nothing is left to do`
      : `producer ${producerId} has not asked to leave: run "openpools exit" first`
  },
  SeatsHeldStill: ({ producerId }) =>
    `producer ${producerId} still answers for seats: wait until they are handed over and their tails end; "openpools exit --status" tells`,
  ListedStill: ({ producerId }) =>
    `producer ${producerId} is in the list of this period still: wait until the next period's list is frozen`,
  NotSettled: ({ producerId, needed, settledThrough }) =>
    `the points of producer ${producerId} are settled through ${timeText(settledThrough)}, and have to be through ${timeText(needed)}: keep the operator running, it settles them with each finalized report`,
  InDebt: ({ producerId, points }) =>
    `producer ${producerId} owes ${points} points: later points repay them, or the owner's CDT with "openpools exit --withdraw --repay"`,
  NoRate: () => 'points have no worth in CDT before a report with points is finalized: wait for the next one',
  NothingWrong: ({ poolId, reported }) =>
    `the balance of pool ${poolId} is right: it had ${ethText(wei(reported) * GWEI)} at the reference`,
  ArrivalsRight: ({ kind, arrivals }) =>
    `the arrivals of ${wei(kind) === 0n ? 'staker' : 'bond'} pools are right: ${ethText(wei(arrivals))}`,
  CertificateRight: () => 'every bit of the certificate has a valid signature behind it',
  NotDisputable: ({ commitmentId }) => `commitment ${commitmentId} is finalized or dropped: it cannot be disputed any more`,
  NotInWindow: ({ commitmentId }) => `the window of commitment ${commitmentId} is not open: only then can it be voted on`,
  VoteNotOpen: ({ commitmentId }) =>
    `no vote on commitment ${commitmentId} is open: until a third of all producers ask for one, only ballots against it count`,
  VoteOver: ({ deadline }) => `the vote ended at ${timeText(deadline)}`,
  InvalidBallots: () => 'the signature is not that of these producers over this ballot',
  NotInConflict: () => 'the two messages are not in conflict: nothing is proven by them',
  NotSameSigner: ({ first, second }) => `the two messages are of different signers, ${first} and ${second}`,
  SignerUnknown: ({ signer }) => `${signer} is no producer's operator`,
  AlreadyOut: ({ producerId }) => `producer ${producerId} was slashed already: one fault slashes once`,
  FaultKnown: ({ poolId }) => `a fault of pool ${poolId} is proven already: one fault slashes once`,
  ParameterOutOfRange: ({ name, value, least, most }) =>
    `parameter ${name} is ${value}, outside ${least} to ${most}: mend deploy/parameters`,
  NotAPowerOfTwo: ({ name, value }) => `parameter ${name} is ${value}, which is no power of two: mend deploy/parameters`,
  AddressMissing: ({ name }) => `the address of ${name} is missing from the deployment`,
  WrongAddress: ({ name, expected, actual }) =>
    `${name} would stand at ${expected}, not at ${actual} as the others were told: the account that deploys must send nothing else meanwhile`,
}

/** A sentence for a person about a contract's refusal: what it means where we know, else the error's name and values. */
export function refusalSentence({ name, args }: CustomError): string {
  const known = SENTENCES[name]
  if (known !== undefined) return `the contract refused: ${known(args)}`
  const values = Object.entries(args).map(([key, value]) => `${key.replace(/_$/, '')} ${String(value)}`)
  return `the contract refused with ${name}${values.length > 0 ? ` (${values.join(', ')})` : ''}`
}
