import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeError } from 'ethers'
import { INTERFACES } from '../../../../../operator/adapters/chain/interfaces.ts'
import { explain } from '../../../../../operator/adapters/chain/revert.ts'
import type { ContractName } from '../../../../../operator/core/ports/chain.ts'

const ETH = 10n ** 18n
const ACCOUNT = `0x${'ab'.repeat(20)}`
const revert = (data: string): Error =>
  makeError('execution reverted', 'CALL_EXCEPTION', {
    action: 'call',
    data,
    reason: null,
    transaction: { to: null, data: '0x' },
    invocation: null,
    revert: null,
  })
const refusal = (contract: ContractName, name: string, args: readonly unknown[]): string =>
  explain(revert(INTERFACES[contract].encodeErrorResult(name, args)))

test('refusals are sentences with amounts in ETH and what to do', () => {
  assert.equal(
    refusal('blockProducers', 'BondTooSmall', [24n * ETH, 2n * ETH]),
    'the contract refused: a bond is at least 24 ETH, this one is 2 ETH: register with "--bond 24" or more',
  )
  assert.match(refusal('stakingPool', 'DepositTooSmall', [ETH / 100n, 1n]), /at least 0\.01 ETH, this one is 1 wei: deposit more$/)
  assert.match(refusal('withdrawalQueue', 'RequestUnknown', [9n, 0n]), /no withdrawal request 9: none has been made yet$/)
  assert.match(refusal('withdrawalQueue', 'NotFinalized', [9n, 7n]), /request 9 is not finalized yet \(finalized so far: up to 7\)/)
  assert.match(refusal('directory', 'ParameterOutOfRange', ['vaultSize', 3n, 4n, 128n]), /parameter vaultSize is 3, outside 4 to 128/)
})

test('why a bond is not handed over yet', () => {
  assert.match(refusal('blockProducers', 'NotLeaving', [3n, 1n]), /producer 3 has not asked to leave: run "openpools exit" first$/)
  assert.match(refusal('blockProducers', 'NotLeaving', [3n, 3n]), /producer 3 has taken its bond already/)
  const unsettled = refusal('blockProducers', 'NotSettled', [3n, 1_800_000_000n, 0n])
  assert.match(unsettled, /settled through none so far, and have to be through 2027-01-15T08:00:00\.000Z: keep the operator running/)
})

test('everything that a person’s command can be refused for has its sentence', () => {
  const met: readonly (readonly [ContractName, readonly string[]])[] = [
    ['stakingPool', ['DepositTooSmall']],
    ['bondEther', ['InsufficientShares']],
    ['withdrawalQueue', ['AmountTooSmall', 'RequestUnknown', 'NotRequestOwner', 'NotFinalized', 'AlreadyClaimed', 'ClaimFailed']],
    ['blockProducers', ['BondTooSmall', 'OperatorTaken', 'SigningKeyTaken', 'InvalidProofOfPossession', 'PeerAddressLength']],
    [
      'blockProducers',
      ['ProducerUnknown', 'NotOwner', 'ProducerOut', 'NotLeaving', 'SeatsHeldStill', 'ListedStill', 'NotSettled', 'InDebt'],
    ],
    ['rewards', ['NoRate']],
    ['disputes', ['NothingWrong', 'ArrivalsRight', 'CertificateRight', 'NotDisputable']],
    ['votes', ['NotInWindow', 'VoteNotOpen', 'VoteOver', 'InvalidBallots']],
    ['slashing', ['NotInConflict', 'NotSameSigner', 'SignerUnknown', 'AlreadyOut', 'FaultKnown']],
    ['directory', ['ParameterOutOfRange', 'NotAPowerOfTwo', 'AddressMissing', 'WrongAddress']],
  ]
  const example = (type: string): unknown =>
    type === 'string' ? 'name' : type === 'address' ? ACCOUNT : type === 'bytes32' ? `0x${'00'.repeat(32)}` : 5n
  for (const [contract, names] of met) {
    for (const name of names) {
      const inputs = INTERFACES[contract].getError(name)?.inputs
      assert.ok(inputs, `${contract} has no error ${name} any more`)
      const sentence = refusal(
        contract,
        name,
        inputs.map(({ type }) => example(type)),
      )
      assert.match(sentence, /^the contract refused: \S.*/)
      assert.doesNotMatch(sentence, /undefined|refused with|\d{13,}/)
    }
  }
})

test('an unknown refusal is told by name and values, other errors without a dump', () => {
  assert.equal(refusal('exits', 'DrawPending', [3n]), 'the contract refused with DrawPending (drawId 3)')
  assert.equal(explain(revert('0x')), 'the contract refused, without a reason')
  const unknown = makeError('could not coalesce error', 'UNKNOWN_ERROR', { error: { message: 'sender is not an EOA' } } as never)
  assert.equal(explain(unknown), 'the execution client refused: sender is not an EOA')
  assert.equal(explain(new Error('first\nsecond')), 'first')
})
