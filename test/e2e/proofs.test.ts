// The preset comes before anything of Lodestar's.
import '../../devnet/chain/preset.ts'

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { aggregateSignatures, PublicKey as BlstKey, type SecretKey, Signature } from '@chainsafe/blst'
import { Tree } from '@chainsafe/persistent-merkle-tree'
import { type ApiClient, getClient } from '@lodestar/api'
import { type BeaconConfig, chainConfigFromJson, createBeaconConfig } from '@lodestar/config'
import { DOMAIN_BEACON_ATTESTER, DOMAIN_BEACON_PROPOSER, DOMAIN_DEPOSIT, DOMAIN_RANDAO, SLOTS_PER_EPOCH } from '@lodestar/params'
import { computeDomain, computeSigningRoot, ZERO_HASH } from '@lodestar/state-transition'
import { type electra, type phase0, ssz } from '@lodestar/types'
import {
  AbiCoder,
  type BaseContract,
  Contract,
  type ContractTransactionResponse,
  encryptKeystoreJson,
  HDNodeWallet,
  hexlify,
  JsonRpcProvider,
  NonceManager,
  parseEther,
  ZeroHash,
} from 'ethers'
import { MNEMONIC } from '../../devnet/chain/execution/constants.ts'
import { DEPOSIT_CONTRACT } from '../../devnet/chain/execution/genesis.ts'
import { type BeaconNodeClient, createBeaconNode } from '../../operator/adapters/beacon/node.ts'
import { createProver } from '../../operator/adapters/beacon/prover.ts'
import { loadBeaconSpec } from '../../operator/adapters/beacon/spec.ts'
import type { PublicKey } from '../../operator/core/ids.ts'
import { toEpoch, toPublicKey, toValidatorIndex } from '../../operator/core/parse.ts'
import type { BeaconHeaderArgs, BeaconProver } from '../../operator/core/ports/prover.ts'
import { openState } from '../../operator/protocol/proofs/provable-state.ts'
import { encodeBalances, encodePoints, pageRoot } from '../../operator/protocol/state/pages.ts'
import {
  BeaconProofsHarness__factory,
  BeaconRootsHarness__factory,
  Bls12381Harness__factory,
  DepositDataHarness__factory,
} from '../../typechain-types/index.ts'
import { recordingLog } from '../operator/unit/adapters/support/log.ts'
import { aggregateG2, g1, g2, newKey } from '../support/block-producers.ts'
import { type CapturedState, captureState } from '../support/captured-state.ts'
import { ForkingChain } from '../support/forking-chain.ts'
import { deployLoneVault } from '../support/lone-vault.ts'
import { answer, verdict } from '../support/verdicts.ts'

const VALIDATORS = 16
const FIRST_PERIOD = 16n
/** Of a transaction that was simulated before: this client estimates some too low. */
const GAS = { gasLimit: 8_000_000n }
const STAKER_ACCOUNT = 9
const STRANGER_ACCOUNT = 10
const DEPOSIT_ABI = [
  'function deposit(bytes pubkey, bytes withdrawal_credentials, bytes signature, bytes32 deposit_data_root) payable',
  'function get_deposit_root() view returns (bytes32)',
  'event DepositEvent(bytes pubkey, bytes withdrawal_credentials, bytes amount, bytes signature, bytes index)',
]

type Judgement = (changed: object, place?: object) => Promise<string>

const bytesOf = (hex: string): Uint8Array => Buffer.from(hex.slice(2), 'hex')
const twisted = (hex: string): string => `0x${hex.slice(2, 4) === 'ff' ? '00' : 'ff'}${hex.slice(4)}`

// The operator's prover and the contracts on states, roots, blocks and deposits of a chain that runs.
describe('proofs on the local chain', { timeout: 360_000 }, () => {
  let chain: ForkingChain
  let provider: JsonRpcProvider
  let beacon: BeaconNodeClient
  let api: ApiClient
  let config: BeaconConfig
  let prover: BeaconProver
  let vault: Awaited<ReturnType<typeof deployLoneVault>>
  let proofs: BaseContract
  let roots: BaseContract
  let bls: BaseContract
  let deposits: BaseContract
  const captured: CapturedState[] = []

  const wallet = (index: number) =>
    new NonceManager(HDNodeWallet.fromPhrase(MNEMONIC, undefined, `m/44'/60'/0'/0/${index}`).connect(provider))
  const epochNow = (): number => Math.floor(chain.slot / SLOTS_PER_EPOCH)
  const until = async (what: string, holds: () => boolean | Promise<boolean>, seconds = 90): Promise<void> => {
    for (const deadline = Date.now() + seconds * 1_000; !(await holds()); await sleep(20)) {
      if (Date.now() > deadline) assert.fail(`${what}: not within ${seconds} s, at slot ${chain.slot}`)
    }
  }
  const sent = async (transaction: Promise<ContractTransactionResponse>): Promise<void> => {
    assert.equal((await (await transaction).wait())?.status, 1)
  }
  /** What the beacon node calls its head, the execution client may not yet: the contracts know its parent a moment later. */
  const known = (timestamp: number) => until('the head', async () => ((await provider.getBlock('latest'))?.timestamp ?? 0) >= timestamp)
  async function capture(blockId = 'head'): Promise<CapturedState> {
    const one = (await captureState(beacon, blockId)) ?? assert.fail(`no state before block ${blockId}`)
    await known(one.timestamp)
    return one
  }
  async function proveMix(epoch: number) {
    const proven = (await prover.randaoMix(toEpoch(epoch))) ?? assert.fail('no proof')
    await known(proven.timestamp)
    return proven
  }
  async function proveValidator(publicKey: PublicKey) {
    const proven = (await prover.validator(publicKey)) ?? assert.fail('no proof')
    await known(proven.timestamp)
    return proven
  }
  /** A state of an epoch, if need be one to come. */
  const captureIn = async (epoch: number): Promise<CapturedState> => {
    const start = epoch * SLOTS_PER_EPOCH
    await until(`epoch ${epoch}`, () => chain.slot >= start + SLOTS_PER_EPOCH)
    for (let slot = start + 1; ; slot++) {
      const child = await beacon.header(String(slot))
      const parent = child && (await beacon.header(child.parentRoot))
      if (child === undefined || parent === undefined || parent.slot < start) continue
      const one = await capture(child.root)
      assert.equal(one.epoch, epoch)
      captured.push(one)
      return one
    }
  }

  before(async () => {
    chain = await ForkingChain.start({ slotsBehind: 900, paceMs: 250 })
    provider = new JsonRpcProvider(chain.executionUrl, undefined, { pollingInterval: 50 })
    beacon = createBeaconNode({ url: chain.beaconUrl, spec: await loadBeaconSpec(chain.beaconUrl), log: recordingLog() })
    prover = createProver(beacon, openState)
    const bootstrap = getClient({ baseUrl: chain.beaconUrl }, { config: createBeaconConfig({}, new Uint8Array(32)) })
    const { genesisValidatorsRoot } = (await bootstrap.beacon.getGenesis()).value()
    config = createBeaconConfig(chainConfigFromJson((await bootstrap.config.getSpec()).value()), genesisValidatorsRoot)
    api = getClient({ baseUrl: chain.beaconUrl }, { config })
    vault = await deployLoneVault({ provider, beaconUrl: chain.beaconUrl, firstPeriod: FIRST_PERIOD })
    chain.paceMs = 0
    proofs = await new BeaconProofsHarness__factory(vault.signer).deploy()
    roots = await new BeaconRootsHarness__factory(vault.signer).deploy()
    bls = await new Bls12381Harness__factory(vault.signer).deploy()
    deposits = await new DepositDataHarness__factory(vault.signer).deploy()
    await Promise.all([proofs, roots, bls, deposits].map((harness) => harness.waitForDeployment()))
  })

  after(async () => {
    provider?.destroy()
    await chain?.stop()
  })

  it('A35 take the mix of an epoch from any state after it, the same one, and from none before or beyond the vector', async () => {
    const seedEpoch = Number(await vault.periods.seedEpochOf(0))
    assert.equal(BigInt(seedEpoch), FIRST_PERIOD - 1n)
    const vector = Number(vault.parameters.epochsPerHistoricalVector)
    // A state of the epoch itself: its place in the vector holds a mix that still changes.
    const early = await captureIn(seedEpoch)
    const place = ssz.electra.BeaconState.getPathInfo(['randaoMixes', seedEpoch % vector])
    const tree = new Tree(ssz.electra.BeaconState.deserializeToViewDU(early.bytes).node)
    const still = { mix: hexlify(tree.getRoot(place.gindex)), branch: tree.getSingleProof(place.gindex).map((node) => hexlify(node)) }
    assert.equal(await verdict(vault.periods, 'proveSeed', 0, early.timestamp, early.proof, still), 'SeedNotYetKnown')
    assert.throws(() => early.state.randaoMix(toEpoch(seedEpoch)), { code: 'EPOCH_OUT_OF_VECTOR' })

    const mixes = new Set<string>()
    for (const epoch of [seedEpoch + 1, seedEpoch + 4]) {
      const { timestamp, proof, state } = await captureIn(epoch)
      const randao = state.randaoMix(toEpoch(seedEpoch))
      mixes.add(randao.mix)
      assert.equal(await verdict(vault.periods, 'proveSeed', 0, timestamp, proof, randao), 'accepted')
      const other = state.randaoMix(toEpoch(seedEpoch - 1))
      assert.equal(await verdict(vault.periods, 'proveSeed', 0, timestamp, proof, other), 'LeafNotProven')
      assert.equal(await verdict(vault.periods, 'proveSeed', 0, timestamp, proof, { ...randao, mix: twisted(randao.mix) }), 'LeafNotProven')
      assert.equal(await verdict(vault.periods, 'proveSeed', 0, timestamp + 1, proof, randao), 'HeaderMismatch')
    }
    assert.equal(mixes.size, 1)
    const proven = await proveMix(seedEpoch)
    assert.deepEqual(new Set([proven.proof.mix]), mixes)
    await sent(vault.periods.proveSeed(0, proven.timestamp, proven.state as never, proven.proof as never, GAS))
    assert.equal(await vault.periods.seedOf(0), proven.proof.mix)
  })

  it('A05 take fork, records and balances of states of many epochs, and nothing beside them', async () => {
    const [row] = vault.layouts
    assert.ok(row)
    const coder = AbiCoder.defaultAbiCoder()
    for (const { timestamp, proof, state, bytes } of captured) {
      const blockRoot = (await answer(roots, 'parentRootAt', timestamp)) as string
      const { stateRoot } = proof.header
      const verified = (await answer(proofs, 'verifyState', blockRoot, proof, row)) as { readonly stateRoot: string }
      assert.equal(verified.stateRoot, stateRoot)

      // Another fork, another place of the fork, another header, the block of another time.
      const fork: Judgement = (changed) => verdict(proofs, 'verifyState', blockRoot, proof, { ...row, ...changed })
      assert.equal(await fork({ forkVersion: '0x06000001' }), 'ForkVersionNotProven')
      assert.equal(await fork({ forkGindex: row.forkGindex - 1n }), 'ForkVersionNotProven')
      assert.equal(await fork({ forkGindex: row.forkGindex * 2n }), 'BadBranchLength')
      for (const changed of Object.keys(proof.header) as (keyof BeaconHeaderArgs)[]) {
        const value = proof.header[changed]
        const header = { ...proof.header, [changed]: typeof value === 'number' ? value + 1 : twisted(value) }
        assert.equal(await verdict(proofs, 'verifyState', blockRoot, { ...proof, header }, row), 'HeaderMismatch', changed)
      }
      const another = captured.find((one) => one.timestamp !== timestamp) ?? assert.fail('one state only')
      const elsewhere = await answer(roots, 'parentRootAt', another.timestamp)
      assert.equal(await verdict(proofs, 'verifyState', elsewhere, proof, row), 'HeaderMismatch')

      const { balances } = ssz.electra.BeaconState.deserialize(bytes)
      for (let index = 0; index < VALIDATORS; index += 3) {
        const record = state.validator(toValidatorIndex(index))
        const balance = state.balance(toValidatorIndex(index))
        assert.equal(await verdict(proofs, 'verifyValidator', stateRoot, record, row), 'accepted')
        const told = (await answer(proofs, 'verifyBalance', stateRoot, balance, row)) as { readonly balance: bigint }
        assert.equal(told.balance, BigInt(balances[index] ?? -1))
      }
      const record = state.validator(toValidatorIndex(3))
      const balance = state.balance(toValidatorIndex(3))
      const { validator } = record
      const judgeRecord: Judgement = (changed, place = row) =>
        verdict(proofs, 'verifyValidator', stateRoot, { ...record, ...changed }, place)
      const judgeBalance: Judgement = (changed, place = row) =>
        verdict(proofs, 'verifyBalance', stateRoot, { ...balance, ...changed }, place)
      for (const [field, value] of Object.entries(validator)) {
        const changed = typeof value === 'boolean' ? !value : typeof value === 'bigint' ? (value + 1n) % 2n ** 64n : twisted(value)
        assert.equal(await judgeRecord({ validator: { ...validator, [field]: changed } }), 'LeafNotProven', field)
      }
      assert.equal(await judgeRecord({ index: 4 }), 'LeafNotProven')
      assert.equal(await judgeRecord({ index: 2n ** 40n }), 'IndexTooLarge')
      assert.equal(await judgeRecord({ branch: record.branch.slice(1) }), 'BadBranchLength')
      assert.equal(await judgeRecord({ branch: state.validator(toValidatorIndex(4)).branch }), 'LeafNotProven')
      assert.equal(await judgeRecord({}, { ...row, validatorsGindex: row.balancesGindex }), 'LeafNotProven')
      assert.equal(await judgeBalance({ leaf: twisted(balance.leaf) }), 'LeafNotProven')
      assert.equal(await judgeBalance({ leaf: coder.encode(['uint256'], [0]) }), 'LeafNotProven')
      assert.equal(await judgeBalance({ index: 4 }), 'LeafNotProven')
      assert.equal(await judgeBalance({}, { ...row, balancesGindex: row.validatorsGindex }), 'LeafNotProven')
      assert.equal(await verdict(proofs, 'verifyValidator', another.proof.header.stateRoot, record, row), 'LeafNotProven')
    }
  })

  let key: SecretKey
  let beforeRegistration: CapturedState

  it('draw a vault by the prover’s proof; the key’s deposit is signed as the beacon chain wants it', async () => {
    await sent(vault.stakingPool.connect(wallet(STAKER_ACCOUNT)).deposit({ value: parseEther('32'), ...GAS }))
    if ((await vault.poolRegistry.poolCount()) === 0n) await sent(vault.poolRegistry.requestPool(GAS))
    const { seedEpoch } = await vault.vaultDraws.draw(1)
    await until('the seed', () => epochNow() > Number(seedEpoch))
    await until('a provable seed', async () => (await prover.randaoMix(toEpoch(Number(seedEpoch)))) !== undefined)
    const { timestamp, state, proof } = await proveMix(Number(seedEpoch))
    assert.equal(
      await verdict(vault.vaultDraws, 'selectVaults', timestamp, state, { ...proof, mix: twisted(proof.mix) }, 64),
      'LeafNotProven',
    )
    await sent(vault.vaultDraws.selectVaults(timestamp, state as never, proof as never, 64, GAS))

    beforeRegistration = await capture()
    key = newKey()
    const result = await vault.resultOf({ poolId: 1n, key, beacon })
    const stranger = await vault.resultOf({ poolId: 1n, key: newKey(), beacon })
    const swapped = { ...result, depositSignature: stranger.depositSignature }
    assert.equal(await verdict(vault.poolRegistry, 'completeDkg', 1, swapped), 'InvalidDepositSignature')
    await sent(vault.poolRegistry.completeDkg(1, result, GAS))
  })

  it('A04 refuse a pending deposit in the place of a validator', async () => {
    const publicKey = toPublicKey(hexlify(key.toPublicKey().toBytes()))
    const deposits = ({ bytes }: CapturedState) => ssz.electra.BeaconState.deserializeToViewDU(bytes).pendingDeposits.getAllReadonly()
    const position = (state: CapturedState) => deposits(state).findIndex(({ pubkey }) => hexlify(pubkey) === publicKey)
    let one = await capture()
    // The state captured is that of the head's parent: the deposit's block is the head itself for a slot.
    await until('the pending deposit', async () => {
      if (position(one) < 0) one = await capture()
      return position(one) >= 0
    })
    const view = ssz.electra.BeaconState.deserializeToViewDU(one.bytes)
    const pending = deposits(one)
    const at = position(one)
    assert.equal(await prover.validator(publicKey), undefined)
    const { gindex } = ssz.electra.BeaconState.getPathInfo(['pendingDeposits', at])
    const branch = new Tree(view.node).getSingleProof(gindex).map((node) => hexlify(node))
    const { pubkey, withdrawalCredentials, amount } = pending[at] ?? assert.fail()
    const never = 2n ** 64n - 1n
    const validator = {
      pubkeyRoot: hexlify(ssz.BLSPubkey.hashTreeRoot(pubkey)),
      withdrawalCredentials: hexlify(withdrawalCredentials),
      effectiveBalance: BigInt(amount),
      slashed: false,
      ...{ activationEligibilityEpoch: never, activationEpoch: never, exitEpoch: never, withdrawableEpoch: never },
    }
    const fund = (record: object) => verdict(vault.poolRegistry, 'fundPool', 1, one.timestamp, one.proof, record)
    const full = one.state.validator(toValidatorIndex(0)).branch
    assert.equal(await fund({ index: at, validator, branch }), 'BadBranchLength')
    assert.equal(await fund({ index: at, validator, branch: [...branch, ...full.slice(branch.length)] }), 'LeafNotProven')
    assert.equal(await fund({ index: at, validator, branch: full }), 'LeafNotProven')
    assert.equal(await fund({ index: VALIDATORS, validator, branch: full }), 'LeafNotProven')
  })

  it('A05 fund a pool by its validator’s record alone: no other validator, block, time or older state', async () => {
    const publicKey = toPublicKey(hexlify(key.toPublicKey().toBytes()))
    await until('the validator', async () => (await prover.validator(publicKey)) !== undefined)
    const { timestamp, state, proof } = await proveValidator(publicKey)
    const fund = (changed: { readonly timestamp?: number; readonly state?: object; readonly proof?: object }) =>
      verdict(vault.poolRegistry, 'fundPool', 1, changed.timestamp ?? timestamp, changed.state ?? state, changed.proof ?? proof)
    assert.equal(await fund({}), 'accepted')
    const now = await capture()
    const other = now.state.validator(toValidatorIndex(2))
    assert.equal(await fund({ timestamp: now.timestamp, state: now.proof, proof: other }), 'WrongPublicKey')
    const { pubkeyRoot } = proof.validator
    const disguised = { ...other, validator: { ...other.validator, pubkeyRoot } }
    assert.equal(await fund({ timestamp: now.timestamp, state: now.proof, proof: disguised }), 'LeafNotProven')
    assert.equal(await fund({ proof: { ...proof, index: proof.index - 1 } }), 'LeafNotProven')
    const foreign = { ...proof.validator, withdrawalCredentials: `0x01${'00'.repeat(11)}${'ab'.repeat(20)}` }
    assert.equal(await fund({ proof: { ...proof, validator: foreign } }), 'LeafNotProven')
    assert.equal(await verdict(vault.poolRegistry, 'reportFrontRun', 1, timestamp, state, proof), 'CredentialsAreOurs')
    assert.equal(await fund({ timestamp: beforeRegistration.timestamp }), 'HeaderMismatch')
    assert.equal(await fund({ timestamp: beforeRegistration.timestamp, state: beforeRegistration.proof }), 'ProofTooOld')
    assert.equal(await fund({ timestamp: timestamp + 3_600 }), 'RootUnavailable')
    assert.equal(await fund({ state: { ...state, forkBranch: state.forkBranch.toReversed() } }), 'ForkVersionNotProven')
  })

  it('verify the chain’s own deposits, blocks and votes, and only as they are', async () => {
    const contract = new Contract(DEPOSIT_CONTRACT, DEPOSIT_ABI, provider)
    const events = await contract.queryFilter('DepositEvent')
    assert.ok(events.length >= 1)
    const made = events.map((event) => {
      assert.ok('args' in event)
      const [pubkey, withdrawalCredentials, amount, signature] = [...event.args].map((value) => bytesOf(String(value)))
      assert.ok(pubkey && withdrawalCredentials && amount && signature)
      return { pubkey, withdrawalCredentials, amount: Number(Buffer.from(amount).readBigUInt64LE()), signature }
    })
    const [first] = made
    assert.ok(first)
    for (const data of made) {
      const args = [data.pubkey, data.withdrawalCredentials, data.amount] as const
      assert.equal(await answer(deposits, 'dataRoot', ...args, data.signature), hexlify(ssz.phase0.DepositData.hashTreeRoot(data)))
    }
    assert.equal(await contract.getFunction('get_deposit_root').staticCall(), hexlify(depositRoot(made)))
    const { genesisForkVersion } = vault.parameters
    const signingRoot = await answer(deposits, 'signingRoot', first.pubkey, first.withdrawalCredentials, first.amount, genesisForkVersion)
    const domain = computeDomain(DOMAIN_DEPOSIT, config.GENESIS_FORK_VERSION, ZERO_HASH)
    assert.equal(signingRoot, hexlify(computeSigningRoot(ssz.phase0.DepositMessage, first, domain)))
    await verifies({ keys: [BlstKey.fromBytes(first.pubkey)], root: bytesOf(String(signingRoot)), signature: first.signature })

    const state = ssz.electra.BeaconState.deserialize((await capture()).bytes)
    const keyOf = (index: number): BlstKey => BlstKey.fromBytes(state.validators[index]?.pubkey ?? new Uint8Array())
    const head = chain.slot
    for (const slot of [head - 1, head - 6]) {
      const { message, signature } = (await api.beacon.getBlockV2({ blockId: slot })).value() as electra.SignedBeaconBlock
      const root = computeSigningRoot(ssz.electra.BeaconBlock, message, config.getDomain(slot, DOMAIN_BEACON_PROPOSER, slot))
      const proposer = keyOf(message.proposerIndex)
      await verifies({ keys: [proposer], root, signature })
      const epoch = Math.floor(slot / SLOTS_PER_EPOCH)
      const randao = computeSigningRoot(ssz.Epoch, epoch, config.getDomain(slot, DOMAIN_RANDAO, slot))
      await verifies({ keys: [proposer], root: randao, signature: message.body.randaoReveal })
      const [vote] = message.body.attestations
      assert.ok(vote)
      const voters = (await api.beacon.getEpochCommittees({ stateId: slot, slot: vote.data.slot })).value()
      const members = voters.flatMap(({ validators }) => validators)
      assert.equal(members.length, vote.aggregationBits.bitLen)
      const present = members.filter((_, at) => vote.aggregationBits.get(at))
      const voteDomain = config.getDomain(slot, DOMAIN_BEACON_ATTESTER, vote.data.slot)
      const voteRoot = computeSigningRoot(ssz.phase0.AttestationData, vote.data, voteDomain)
      await verifies({ keys: present.map(keyOf), root: voteRoot, signature: vote.signature })
    }
  })

  /** Right as it is; wrong for another message, another key, another signature and half of the keys. */
  async function verifies(signed: { readonly keys: readonly BlstKey[]; readonly root: Uint8Array; readonly signature: Uint8Array }) {
    const { keys, root } = signed
    const signature = Signature.fromBytes(signed.signature)
    const aggregate = (some: readonly BlstKey[]) => answer(bls, 'aggregate', some.map(g1)) as Promise<{ toObject(): object }>
    const sum = (await aggregate(keys)).toObject()
    const judge = (what: { readonly by?: object; readonly root?: Uint8Array; readonly signature?: Signature }) =>
      answer(bls, 'verify', what.by ?? sum, what.root ?? root, g2(what.signature ?? signature))
    assert.equal(await judge({}), true)
    assert.equal(await judge({ root: bytesOf(twisted(hexlify(root))) }), false)
    assert.equal(await judge({ by: g1(newKey().toPublicKey()) }), false)
    assert.equal(await judge({ signature: aggregateSignatures([signature, newKey().sign(root)]) }), false)
    if (keys.length > 1) assert.equal(await judge({ by: (await aggregate(keys.slice(1))).toObject() }), false)
  }

  it('A05 A54 refuse to fund a validator that exits or is slashed, which a foreign deposit made active', async () => {
    const publicKey = toPublicKey(hexlify(key.toPublicKey().toBytes()))
    const contract = new Contract(DEPOSIT_CONTRACT, DEPOSIT_ABI, wallet(STRANGER_ACCOUNT))
    const credentials = bytesOf(await vault.stakingPool.withdrawalCredentials(0))
    // A stranger lifts the validator to 32 ETH: a top-up needs no signature.
    const data = {
      pubkey: key.toPublicKey().toBytes(),
      withdrawalCredentials: credentials,
      amount: 31_000_000_000,
      signature: new Uint8Array(96),
    }
    const root = ssz.phase0.DepositData.hashTreeRoot(data)
    await sent(
      contract.getFunction('deposit')(data.pubkey, credentials, data.signature, root, { value: parseEther('31'), gasLimit: 200_000n }),
    )
    const status = async () => (await beacon.validators([publicKey], 'head'))[0]
    await until('activation', async () => (await status())?.status === 'active_ongoing')
    const verdictNow = async (method: string): Promise<string> => {
      const { timestamp, state, proof } = await proveValidator(publicKey)
      return verdict(vault.poolRegistry, method, 1, timestamp, state, proof)
    }
    assert.equal(await verdictNow('fundPool'), 'accepted')
    assert.equal(await verdictNow('abandonPool'), 'ValidatorFresh')

    const { index } = (await status()) ?? assert.fail('no validator')
    const epoch = toEpoch(epochNow())
    const signature = hexlify(key.sign(bytesOf(beacon.signingRoots.exit(epoch, index))).toBytes())
    await beacon.publishExit({ epoch, validatorIndex: index, signature: signature as never })
    await until('the exit', async () => (await status())?.exitEpoch !== Infinity)
    await until('the exit to be provable', async () => (await verdictNow('fundPool')) === 'ValidatorNotFresh')
    assert.equal(await verdictNow('abandonPool'), 'accepted')

    const slot = chain.slot
    const domain = config.getDomain(slot, DOMAIN_BEACON_PROPOSER, slot)
    const header = (mark: number): phase0.SignedBeaconBlockHeaderBigint => {
      const message = ssz.phase0.BeaconBlockHeaderBigint.defaultValue()
      Object.assign(message, { slot: BigInt(slot), proposerIndex: index, stateRoot: new Uint8Array(32).fill(mark) })
      return { message, signature: key.sign(computeSigningRoot(ssz.phase0.BeaconBlockHeaderBigint, message, domain)).toBytes() }
    }
    const proposerSlashing = { signedHeader1: header(1), signedHeader2: header(2) }
    ;(await api.beacon.submitPoolProposerSlashings({ proposerSlashing })).assertOk()
    await until('the slashing', async () => (await status())?.slashed === true)
    await until('the slashing to be provable', async () => (await prover.validator(publicKey))?.proof.validator.slashed === true)
    assert.equal(await verdictNow('fundPool'), 'ValidatorNotFresh')
    assert.equal(await verdictNow('abandonPool'), 'accepted')
  })

  it('A35 no state of an epoch beyond the vector gives the mix', async () => {
    const vector = Number(vault.parameters.epochsPerHistoricalVector)
    const asked = Number(FIRST_PERIOD)
    const inside = await captureIn(asked + vector - 1)
    const beyond = await captureIn(asked + vector)
    const [row] = vault.layouts
    assert.equal(inside.state.randaoMix(toEpoch(asked)).mix, captured[2]?.state.randaoMix(toEpoch(asked)).mix)
    assert.throws(() => beyond.state.randaoMix(toEpoch(asked)), { code: 'EPOCH_OUT_OF_VECTOR' })
    // What now stands in its place is a mix of today.
    const today = beyond.state.randaoMix(toEpoch(asked + 1))
    const check = (one: CapturedState, mix: object, epoch: number) =>
      verdict(proofs, 'verifyRandaoMix', one.proof.header.stateRoot, mix, epoch, vector, row)
    assert.equal(await check(inside, inside.state.randaoMix(toEpoch(asked)), asked), 'accepted')
    assert.equal(await check(beyond, today, asked + 1), 'accepted')
    assert.equal(await check(beyond, inside.state.randaoMix(toEpoch(asked)), asked), 'LeafNotProven')
  })

  /** The committee of the period that the next epoch to report is in. @returns that epoch, and the members' keys */
  async function committeeForReport(): Promise<{ readonly epoch: number; readonly keys: readonly SecretKey[] }> {
    const [first, length, grid] = [FIRST_PERIOD, vault.parameters.periodLength, vault.parameters.reportEpochs].map(Number)
    assert.ok(first && length && grid)
    const next = (): number => (Math.floor(epochNow() / grid) + 1) * grid
    const period = (epoch: number): number => Math.floor((epoch - first) / length)
    await until('a report in this period', () => period(next()) === period(epochNow()))
    const epoch = next()
    const current = period(epoch)
    while ((await vault.periods.nextToFreeze()) <= BigInt(current)) await sent(vault.periods.freeze(16, GAS))
    const seed = await proveMix(Number(await vault.periods.seedEpochOf(current)))
    await sent(vault.periods.proveSeed(current, seed.timestamp, seed.state as never, seed.proof as never, GAS))
    await sent(vault.periods.formCommittee(current, 100, GAS))
    const [members] = await vault.periods.committee(current)
    return { epoch, keys: members.map(vault.keyOf) }
  }
  /** A report of the chain in which the one pool, registered and never funded, has this balance. */
  async function commitBalance(balance: bigint): Promise<void> {
    const { epoch, keys } = await committeeForReport()
    const boundary = epoch * SLOTS_PER_EPOCH
    await until('the reference', () => chain.slot > boundary + 2)
    let header = await beacon.header('head')
    while (header !== undefined && header.slot > boundary) header = await beacon.header(header.parentRoot)
    const payload = header && (await beacon.executionPayload(header.root))
    assert.ok(header && payload)
    const pages = [encodeBalances([balance]), encodePoints([0, 0, 0, 0])]
    const report = {
      epoch,
      referenceSlot: header.slot,
      blockRoot: header.root,
      executionBlock: payload.number,
      history: 0,
      ...{ stakerArrivals: 0n, bondArrivals: 0n, stakerPools: 1, bondPools: 0, producers: 4 },
      ...{ certificatesHash: ZeroHash, summariesRoot: ZeroHash, pageRoots: pages.map(pageRoot) },
    }
    const digest = bytesOf(await vault.stateCommitments.digest(report))
    const { proposerIndex, parentRoot, stateRoot, bodyRoot, slot } = header
    const block = { slot, proposerIndex, parentRoot, stateRoot, bodyRoot }
    await sent(vault.stateCommitments.commitState(report, block, '0x00', [], aggregateG2(keys.map((one) => one.sign(digest))), GAS))
    const content = { report, executionHash: payload.hash, absent: '0x00' }
    for (const [place, page] of pages.entries()) await sent(vault.stateCommitments.postPage(1, content, place, page, GAS))
  }

  it('the script for disputes finds a wrong balance, tries it out, and has its committee slashed', async () => {
    chain.paceMs = 500
    await commitBalance(2_000_000_000n)
    const folder = mkdtempSync(join(tmpdir(), 'open-pools-dispute-'))
    const [keyFile, passwordFile] = [join(folder, 'key.json'), join(folder, 'password')]
    const { address, privateKey } = HDNodeWallet.fromPhrase(MNEMONIC, undefined, `m/44'/60'/0'/0/${STRANGER_ACCOUNT}`)
    writeFileSync(keyFile, await encryptKeystoreJson({ address, privateKey }, 'correct horse', { scrypt: { N: 1_024 } }))
    writeFileSync(passwordFile, 'correct horse')
    const dispute = (...args: readonly string[]) => {
      const network = ['--rpc-url', chain.executionUrl, '--beacon-url', chain.beaconUrl, '--directory', vault.addresses.directory]
      return promisify(execFile)(process.execPath, ['--import', 'tsx', 'scripts/dispute.ts', ...args, '--commitment', '1', ...network])
    }
    const tried = await dispute('balance', '--dry-run')
    assert.match(tried.stdout, /^pool 1: posted 2 ETH, at the reference it had 1 ETH\nwould be upheld, for \d+ gas; nothing was sent\n$/)
    const done = await dispute('balance', '--key-file', keyFile, '--password-file', passwordFile)
    assert.match(done.stdout, /\nupheld \(transaction 0x[0-9a-f]{64}, \d+ gas\)\n$/)
    const { state } = await vault.stateCommitments.commitment(1)
    assert.equal(state, 5n, 'dropped')
    await assert.rejects(dispute('balance', '--dry-run'), {
      code: 1,
      stdout: /would be refused: the contract refused: commitment 1 is finalized or dropped/,
    })
    rmSync(folder, { recursive: true })
  })
})

/** hash_tree_root of List[DepositData, 2**32]: what the deposit contract's tree is to show. */
function depositRoot(made: readonly phase0.DepositData[]): Uint8Array {
  return ssz.phase0.DepositDataRootList.hashTreeRoot(made.map((data) => ssz.phase0.DepositData.hashTreeRoot(data)))
}
