import assert from 'node:assert/strict'
import { expect } from 'chai'
import { network } from 'hardhat'
import { type BeaconStateFixture, type FixtureRequest, randomBeaconState } from '../../../support/beacon-state.ts'
import { randomBytes, randomInt } from '../../../support/randomness.ts'

const REQUESTS: readonly FixtureRequest[] = [
  { fork: 'electra', preset: 'minimal', validators: 21 },
  { fork: 'fulu', preset: 'minimal', validators: 8 },
  { fork: 'electra', preset: 'mainnet', validators: 5 },
  { fork: 'fulu', preset: 'mainnet', validators: 33 },
]

const { ethers } = await network.create()
const proofs = await ethers.deployContract('BeaconProofsHarness')

const randomRoot = () => `0x${randomBytes(32).toString('hex')}`
const refused = (call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(proofs, error)

/** Every branch that differs from `branch` in one sibling. */
function tampered(branch: readonly string[]): string[][] {
  return branch.map((_, at) => branch.map((sibling, i) => (i === at ? randomRoot() : sibling)))
}

function pick<T>(items: readonly T[]): T {
  const item = items[randomInt(items.length)]
  assert.ok(item !== undefined)
  return item
}

for (const request of REQUESTS) {
  describe(`BeaconProofs: ${request.fork}, ${request.preset} preset`, () => {
    let state: BeaconStateFixture

    before(async function () {
      this.timeout(600_000)
      state = await randomBeaconState(request)
    })

    it('has the expected generalized indices', () => {
      const { forkGindex, validatorsGindex, balancesGindex, randaoMixesGindex } = state.row
      assert.deepEqual([forkGindex, validatorsGindex, balancesGindex, randaoMixesGindex], [269n, 75n, 76n, 77n])
    })

    it('proves the state of a block', async () => {
      const { stateRoot } = await proofs.verifyState(state.blockRoot, state.stateProof, state.row)
      assert.equal(stateRoot, state.stateProof.header.stateRoot)
    })

    it('proves every validator, its balance and the mixes', async () => {
      const { stateRoot } = state.stateProof.header
      for (const { proof, gindex, root } of state.validators) {
        assert.equal(await proofs.validatorGindex(state.row.validatorsGindex, proof.index), gindex)
        assert.equal(await proofs.validatorRoot(proof.validator), root)
        await proofs.verifyValidator(stateRoot, proof, state.row)
      }
      for (const { proof, gindex, balance } of state.balances) {
        assert.equal(await proofs.balanceGindex(state.row.balancesGindex, proof.index), gindex)
        assert.equal((await proofs.verifyBalance(stateRoot, proof, state.row)).balance, balance)
      }
      for (const { proof, gindex, epoch } of state.mixes) {
        assert.equal(await proofs.randaoMixGindex(state.row.randaoMixesGindex, epoch, state.vectorLength), gindex)
        await proofs.verifyRandaoMix(stateRoot, proof, epoch, state.vectorLength, state.row)
      }
    })

    it('A05 refuses a header that differs in any field', async () => {
      const { header, forkBranch } = state.stateProof
      const others = [
        { ...header, slot: header.slot + 1n },
        { ...header, proposerIndex: header.proposerIndex + 1n },
        { ...header, parentRoot: randomRoot() },
        { ...header, stateRoot: randomRoot() },
        { ...header, bodyRoot: randomRoot() },
      ]
      for (const other of others) {
        await refused(proofs.verifyState(state.blockRoot, { header: other, forkBranch }, state.row), 'HeaderMismatch')
      }
      await refused(proofs.verifyState(randomRoot(), state.stateProof, state.row), 'HeaderMismatch')
    })

    it('A05 A48 refuses another fork version, or a fork not proven', async () => {
      const row = { ...state.row, forkVersion: '0x06000000' }
      await expect(proofs.verifyState(state.blockRoot, state.stateProof, row))
        .to.be.revertedWithCustomError(proofs, 'ForkVersionNotProven')
        .withArgs('0x06000000')
      for (const forkBranch of tampered(state.stateProof.forkBranch)) {
        await refused(proofs.verifyState(state.blockRoot, { ...state.stateProof, forkBranch }, state.row), 'ForkVersionNotProven')
      }
      const forkBranch = state.stateProof.forkBranch.slice(1)
      await refused(proofs.verifyState(state.blockRoot, { ...state.stateProof, forkBranch }, state.row), 'BadBranchLength')
      const previous = { ...state.row, forkGindex: 268n }
      await refused(proofs.verifyState(state.blockRoot, state.stateProof, previous), 'ForkVersionNotProven')
      await refused(proofs.verifyState(state.blockRoot, state.stateProof, { ...state.row, forkGindex: 0n }), 'BadBranchLength')
    })

    it('A05 refuses a validator that differs in any field', async () => {
      const { proof } = pick(state.validators)
      const { validator } = proof
      const others = [
        { ...validator, pubkeyRoot: randomRoot() },
        { ...validator, withdrawalCredentials: randomRoot() },
        { ...validator, effectiveBalance: validator.effectiveBalance + 1n },
        { ...validator, slashed: !validator.slashed },
        { ...validator, activationEligibilityEpoch: validator.activationEligibilityEpoch - 1n },
        { ...validator, activationEpoch: validator.activationEpoch ^ 1n },
        { ...validator, exitEpoch: validator.exitEpoch ^ 1n },
        { ...validator, withdrawableEpoch: validator.withdrawableEpoch ^ (1n << 63n) },
      ]
      for (const other of others) {
        const call = proofs.verifyValidator(state.stateProof.header.stateRoot, { ...proof, validator: other }, state.row)
        await refused(call, 'LeafNotProven')
      }
    })

    it('A05 refuses any other index, gindex, state root or branch', async () => {
      const { stateRoot } = state.stateProof.header
      const { row, vectorLength } = state
      const { proof } = pick(state.validators)
      const [{ proof: balance }, { proof: mix, epoch }] = [pick(state.balances), pick(state.mixes)]

      await refused(proofs.verifyValidator(stateRoot, { ...proof, index: proof.index ^ 1n }, row), 'LeafNotProven')
      await refused(proofs.verifyBalance(stateRoot, { ...balance, index: balance.index + 4n }, row), 'LeafNotProven')
      await refused(proofs.verifyRandaoMix(stateRoot, mix, epoch + 1n, vectorLength, row), 'LeafNotProven')

      await refused(proofs.verifyValidator(stateRoot, proof, { ...row, validatorsGindex: 74n }), 'LeafNotProven')
      await refused(proofs.verifyBalance(stateRoot, balance, { ...row, balancesGindex: 75n }), 'LeafNotProven')
      await refused(proofs.verifyRandaoMix(stateRoot, mix, epoch, vectorLength, { ...row, randaoMixesGindex: 78n }), 'LeafNotProven')
      await refused(proofs.verifyValidator(stateRoot, proof, { ...row, validatorsGindex: 150n }), 'BadBranchLength')

      await refused(proofs.verifyValidator(randomRoot(), proof, row), 'LeafNotProven')
      await refused(proofs.verifyBalance(randomRoot(), balance, row), 'LeafNotProven')
      await refused(proofs.verifyRandaoMix(randomRoot(), mix, epoch, vectorLength, row), 'LeafNotProven')

      await refused(proofs.verifyBalance(stateRoot, { ...balance, leaf: randomRoot() }, row), 'LeafNotProven')
      await refused(proofs.verifyRandaoMix(stateRoot, { ...mix, mix: randomRoot() }, epoch, vectorLength, row), 'LeafNotProven')

      for (const branch of tampered(proof.branch)) {
        await refused(proofs.verifyValidator(stateRoot, { ...proof, branch }, row), 'LeafNotProven')
      }
      for (const branch of tampered(balance.branch)) {
        await refused(proofs.verifyBalance(stateRoot, { ...balance, branch }, row), 'LeafNotProven')
      }
      for (const branch of tampered(mix.branch)) {
        await refused(proofs.verifyRandaoMix(stateRoot, { ...mix, branch }, epoch, vectorLength, row), 'LeafNotProven')
      }
    })

    it('A05 refuses a branch of another length: an inner node is no leaf', async () => {
      const { stateRoot } = state.stateProof.header
      const { proof } = pick(state.validators)
      const { proof: balance } = pick(state.balances)
      const { proof: mix, epoch } = pick(state.mixes)
      for (const cut of [proof.branch.slice(1), [...proof.branch, randomRoot()], []]) {
        await refused(proofs.verifyValidator(stateRoot, { ...proof, branch: cut }, state.row), 'BadBranchLength')
      }
      for (const cut of [balance.branch.slice(1), [randomRoot(), ...balance.branch]]) {
        await refused(proofs.verifyBalance(stateRoot, { ...balance, branch: cut }, state.row), 'BadBranchLength')
      }
      await refused(
        proofs.verifyRandaoMix(stateRoot, { ...mix, branch: mix.branch.slice(1) }, epoch, state.vectorLength, state.row),
        'BadBranchLength',
      )
      const half = state.vectorLength / 2n
      await refused(proofs.verifyRandaoMix(stateRoot, mix, epoch, half, state.row), 'BadBranchLength')
    })
  })
}

describe('BeaconProofs: indices', () => {
  const LIMIT = 2n ** 40n

  it('A05 stay inside their list or vector', async () => {
    const last = await proofs.validatorGindex(75, LIMIT - 1n)
    assert.equal(last, 150n * LIMIT + LIMIT - 1n)
    assert.equal(await proofs.balanceGindex(76, LIMIT - 1n), (152n * LIMIT) / 4n + LIMIT / 4n - 1n)
    for (const index of [LIMIT, LIMIT * 2n, 2n ** 64n - 1n]) {
      await expect(proofs.validatorGindex(75, index)).to.be.revertedWithCustomError(proofs, 'IndexTooLarge').withArgs(index)
      await expect(proofs.balanceGindex(76, index)).to.be.revertedWithCustomError(proofs, 'IndexTooLarge').withArgs(index)
    }
    assert.equal(await proofs.randaoMixGindex(77, 64 * 7 + 5, 64), 77n * 64n + 5n)
    for (const length of [0, 3, 65_535, 65_537]) await refused(proofs.randaoMixGindex(77, 1, length), 'BadVectorLength')
  })
})

describe('BeaconProofs: gas', () => {
  it('stays within budget', async () => {
    const state = await randomBeaconState({ fork: 'electra', preset: 'mainnet', validators: 9 })
    const { stateRoot } = state.stateProof.header
    const { proof: mix, epoch } = pick(state.mixes)
    const { used } = await proofs.verifyState(state.blockRoot, state.stateProof, state.row)
    const validator = await proofs.verifyValidator(stateRoot, pick(state.validators).proof, state.row)
    const { used: balance } = await proofs.verifyBalance(stateRoot, pick(state.balances).proof, state.row)
    const randao = await proofs.verifyRandaoMix(stateRoot, mix, epoch, state.vectorLength, state.row)
    console.log(`      state ${used}, validator ${validator}, balance ${balance}, mix ${randao}`)
    assert.ok(used < 8_000n && validator < 24_000n && balance < 19_000n && randao < 10_000n)
  }).timeout(600_000)
})
