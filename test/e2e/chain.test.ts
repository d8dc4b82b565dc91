import '../../devnet/chain/preset.ts'

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ApiClient, getClient, HttpStatusCode, routes } from '@lodestar/api'
import { type BeaconConfig, chainConfigFromJson, createBeaconConfig } from '@lodestar/config'
import { DOMAIN_BEACON_ATTESTER, DOMAIN_BEACON_PROPOSER, SLOTS_PER_EPOCH } from '@lodestar/params'
import { computeSigningRoot } from '@lodestar/state-transition'
import { type electra, ssz } from '@lodestar/types'
import { toHex } from '@lodestar/utils'
import { Contract, HDNodeWallet, JsonRpcProvider, NonceManager, parseEther, toQuantity } from 'ethers'
import { type RunningChain, startChain } from '../../devnet/chain/start-chain.ts'
import { ExternalValidators } from '../support/external-validators.ts'
import { openToOthers } from '../support/listening.ts'

const DEPOSIT_ABI = ['function deposit(bytes pubkey, bytes withdrawal_credentials, bytes signature, bytes32 deposit_data_root) payable']
const BEACON_ROOTS = '0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02'
const WITHDRAWAL_ADDRESS = `0x${'ab'.repeat(20)}`
const FEE_RECIPIENT = `0x${'cd'.repeat(20)}`
/** Nearly as many as the chain's own: they propose about every other slot, and nothing finalizes without them. */
const EXTERNAL = 14

async function eventually<T>(what: string, seconds: number, probe: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = Date.now() + seconds * 1000
  while (Date.now() < deadline) {
    const value = await probe()
    if (value !== undefined && value !== false) return value
    await sleep(100)
  }
  assert.fail(`${what} did not happen within ${seconds} s`)
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Starts a chain and stops it again; answers whether its two processes still run. */
async function startAndStop(): Promise<boolean[]> {
  const { pid, executionPid, stop } = await startChain()
  await stop()
  return [alive(pid), alive(executionPid)]
}

describe('local Ethereum', { timeout: 120_000 }, () => {
  let chain: RunningChain
  let client: ApiClient
  let config: BeaconConfig
  let provider: JsonRpcProvider
  let validators: ExternalValidators
  let leaver: ExternalValidators['keys'][number]
  let stopped: Promise<boolean[]>
  const controller = new AbortController()
  const events: routes.events.BeaconEvent[] = []
  const heads = () => events.filter((event) => event.type === routes.events.EventType.head).length

  const slotNow = (): number => Math.floor(Date.now() / 1000 - chain.genesisTime)
  const validator = async (pubkey: Uint8Array) =>
    (await client.beacon.getStateValidators({ stateId: 'head', validatorIds: [toHex(pubkey)] })).value()[0]
  const block = async (slot: number): Promise<electra.SignedBeaconBlock | undefined> => {
    const answer = await client.beacon.getBlockV2({ blockId: slot })
    return answer.ok ? (answer.value() as electra.SignedBeaconBlock) : undefined
  }
  const blocks = async (from: number, to: number): Promise<electra.SignedBeaconBlock[]> => {
    const found = await Promise.all(Array.from({ length: to - from + 1 }, (_, i) => block(from + i)))
    return found.filter((each) => each !== undefined)
  }

  const runValidators = async (): Promise<void> => {
    while (!controller.signal.aborted) {
      const next = Math.max(1, slotNow() + 1)
      await sleep(Math.max(0, (chain.genesisTime + next) * 1000 + 20 - Date.now()))
      await validators.runSlot(next)
    }
  }

  before(async () => {
    chain = await startChain()
    provider = new JsonRpcProvider(chain.executionUrl, chain.chainId, { staticNetwork: true, pollingInterval: 200 })
    const bootstrap = getClient({ baseUrl: chain.beaconUrl }, { config: createBeaconConfig({}, new Uint8Array(32)) })
    const spec = (await bootstrap.config.getSpec()).value()
    const { genesisValidatorsRoot } = (await bootstrap.beacon.getGenesis()).value()
    config = createBeaconConfig(chainConfigFromJson(spec), genesisValidatorsRoot)
    client = getClient({ baseUrl: chain.beaconUrl }, { config })
    validators = new ExternalValidators({ client, config, count: EXTERNAL, seed: 1 })
    const { EventType } = routes.events
    await client.events.eventstream({
      topics: [EventType.head, EventType.block, EventType.finalizedCheckpoint, EventType.voluntaryExit],
      signal: controller.signal,
      onEvent: (event) => events.push(event),
    })
  })

  after(async () => {
    controller.abort()
    provider?.destroy()
    await chain?.stop()
  })

  it('tells what network it is', async () => {
    const spec = (await client.config.getSpec()).value()
    assert.equal(spec.SLOTS_PER_EPOCH, '4')
    assert.equal(spec.MAX_SEED_LOOKAHEAD, '1')
    assert.equal(spec.SHARD_COMMITTEE_PERIOD, '0')
    assert.equal(String(spec.DEPOSIT_CONTRACT_ADDRESS).toLowerCase(), chain.depositContract)
    const contract = (await client.config.getDepositContract()).value()
    assert.equal(contract.chainId, chain.chainId)
    assert.equal((await client.config.getForkSchedule()).value().at(-1)?.epoch, 0)
    assert.equal((await client.node.getHealth()).status, 200)
    assert.equal((await client.node.getSyncingStatus()).value().isSyncing, false)
    assert.equal(await provider.send('eth_chainId', []), `0x${chain.chainId.toString(16)}`)
    const response = await fetch(`${chain.beaconUrl}/eth/v1/beacon/light_client/bootstrap/0x${'00'.repeat(32)}`)
    assert.equal(response.status, 501)
  })

  const onLinux = process.platform === 'linux' ? {} : { skip: `${process.platform} has no /proc, where Linux lists a process’s sockets` }
  it('opens no port to other machines', onLinux, () => {
    assert.deepEqual([chain.pid, chain.executionPid].map(openToOthers), [[], []])
  })

  it('takes deposits', async () => {
    const wallet = new NonceManager(HDNodeWallet.fromPhrase(chain.mnemonic, undefined, "m/44'/60'/0'/0/0").connect(provider))
    const contract = new Contract(chain.depositContract, DEPOSIT_ABI, wallet)
    const credentials = Buffer.from(`01${'00'.repeat(11)}${WITHDRAWAL_ADDRESS.slice(2)}`, 'hex')
    const sent = []
    for (const data of validators.deposits(credentials)) {
      const args = [data.pubkey, data.withdrawalCredentials, data.signature, ssz.phase0.DepositData.hashTreeRoot(data)]
      sent.push(await contract.getFunction('deposit')(...args, { value: parseEther('32'), gasLimit: 200_000 }))
    }
    const receipts = await Promise.all(sent.map((transaction) => transaction.wait()))
    assert.deepEqual(
      receipts.map((receipt) => receipt.status),
      receipts.map(() => 1),
    )
    const pending = (await client.beacon.getPendingDeposits({ stateId: 'head' })).value()
    assert.equal(pending.length, EXTERNAL)
    void runValidators()
    stopped = startAndStop()
  })

  it('answers for a receipt from what is stored as it does by running the block again', async () => {
    const logs = await provider.getLogs({ fromBlock: 0, toBlock: 'latest' })
    for (const number of new Set(logs.map((log) => log.blockNumber))) {
      const byRunning: readonly Record<string, string>[] = await provider.send('eth_getBlockReceipts', [toQuantity(number)])
      assert.ok(byRunning.length > 0)
      for (const { effectiveGasPrice: _, ...expected } of byRunning) {
        const { effectiveGasPrice, ...stored } = await provider.send('eth_getTransactionReceipt', [expected.transactionHash])
        assert.deepEqual(stored, expected)
        const { maxFeePerGas, maxPriorityFeePerGas } = await provider.send('eth_getTransactionByHash', [expected.transactionHash])
        assert.ok(BigInt(effectiveGasPrice) >= BigInt(maxPriorityFeePerGas) && BigInt(effectiveGasPrice) <= BigInt(maxFeePerGas))
      }
    }
    assert.equal(await provider.send('eth_getTransactionReceipt', [`0x${'ab'.repeat(32)}`]), null)
  })

  it('finalizes with its own validators, and serves the finalized state', async () => {
    const finalized = await eventually('finality', 25, async () => {
      const checkpoints = (await client.beacon.getStateFinalityCheckpoints({ stateId: 'head' })).value()
      return checkpoints.finalized.epoch >= 2 && checkpoints.finalized
    })
    const header = (await client.beacon.getBlockHeader({ blockId: toHex(finalized.root) })).value()
    const state = ssz.electra.BeaconState.deserialize((await client.debug.getStateV2({ stateId: 'finalized' })).ssz())
    const root = (await client.beacon.getStateRoot({ stateId: 'finalized' })).value().root
    assert.deepEqual(ssz.electra.BeaconState.hashTreeRoot(state), root)
    assert.ok(state.slot >= header.header.message.slot)
    assert.ok(events.some((event) => event.type === routes.events.EventType.finalizedCheckpoint))
    // Every signature of the sync committee is there, and so is every attester.
    const [first] = await blocks(finalized.epoch * SLOTS_PER_EPOCH + 1, (finalized.epoch + 1) * SLOTS_PER_EPOCH)
    const { message } = first ?? assert.fail('no block')
    assert.equal(message.body.syncAggregate.syncCommitteeBits.getTrueBitIndexes().length, 32)
    assert.ok(message.body.attestations.every(({ aggregationBits }) => aggregationBits.toBoolArray().every(Boolean)))
  })

  it('keeps beacon roots on the execution chain (EIP-4788)', async () => {
    const { slot } = (await client.beacon.getBlockHeader({ blockId: 'head' })).value().header.message
    const { message } = (await block(slot)) ?? assert.fail('no block')
    const { timestamp, blockNumber } = message.body.executionPayload
    await eventually('the execution client to make it its head', 5, async () => (await provider.getBlockNumber()) >= blockNumber)
    const data = `0x${timestamp.toString(16).padStart(64, '0')}`
    assert.equal(await provider.call({ to: BEACON_ROOTS, data }), toHex(message.parentRoot))
    const parent = (await client.beacon.getBlockRoot({ blockId: slot - 1 })).value().root
    assert.deepEqual(message.parentRoot, parent)
  })

  it('activates deposited validators', async () => {
    await eventually('activation', 40, async () => validators.active.size === EXTERNAL)
    const one = await validator(validators.keys[0]?.pubkey ?? new Uint8Array())
    assert.equal(one?.status, 'active_ongoing')
    const proposers = [...validators.active.keys()].map((validatorIndex) => ({ validatorIndex, feeRecipient: FEE_RECIPIENT }))
    ;(await client.validator.prepareBeaconProposer({ proposers })).assertOk()
  })

  it('takes a voluntary exit', async () => {
    const [entry] = validators.active
    const [validatorIndex, key] = entry ?? assert.fail('no active validator')
    leaver = key
    const message = { epoch: Math.floor(slotNow() / SLOTS_PER_EPOCH), validatorIndex }
    const domain = config.getDomainForVoluntaryExit(slotNow())
    const signature = key.secret.sign(computeSigningRoot(ssz.phase0.VoluntaryExit, message, domain)).toBytes()
    ;(await client.beacon.submitPoolVoluntaryExit({ signedVoluntaryExit: { message, signature } })).assertOk()
    await eventually('the exit', 5, async () => (await validator(key.pubkey))?.status === 'active_exiting')
    assert.ok(events.some((event) => event.type === routes.events.EventType.voluntaryExit))
  })

  it('takes the blocks, attestations and sync signatures of external validators', async () => {
    const from = slotNow()
    // One that was proposed late may have been passed over, so blocks count only once the chain has them.
    const { found, external } = await eventually('three external blocks', 30, async () => {
      const to = (await client.beacon.getBlockHeader({ blockId: 'head' })).value().header.message.slot
      const found = await blocks(from + 1, to)
      const external = found.filter(({ message }) => validators.active.has(message.proposerIndex))
      return external.length >= 3 && { found, external }
    })
    assert.ok(external.every(({ message }) => toHex(message.body.executionPayload.feeRecipient) === FEE_RECIPIENT))
    assert.ok(external.every(({ message }) => Buffer.from(message.body.graffiti).toString().startsWith('external')))

    // The attestations of a slot are all in the next block, which means both the external and the local ones.
    for (const { message } of found.filter(({ message }) => validators.attested.includes(message.slot - 1))) {
      const last = message.body.attestations.filter(({ data }) => data.slot === message.slot - 1)
      const votes = last.flatMap(({ aggregationBits }) => aggregationBits.toBoolArray())
      const committees = (await client.beacon.getEpochCommittees({ stateId: message.slot, slot: message.slot - 1 })).value()
      const members = committees.reduce((sum, committee) => sum + committee.validators.length, 0)
      assert.ok(votes.filter(Boolean).length >= members - 1, `slot ${message.slot}: ${votes.filter(Boolean).length} of ${members} votes`)
    }
    assert.deepEqual(validators.errors, [])
  })

  it('refuses what is not valid, and says why', async () => {
    const slot = slotNow()
    const indices = [...validators.active.keys()]
    const duty = (await client.validator.getAttesterDuties({ epoch: Math.floor(slot / SLOTS_PER_EPOCH), indices }))
      .value()
      .find((each) => each.slot <= slot)
    assert.ok(duty)
    const data = (await client.validator.produceAttestationData({ slot: duty.slot, committeeIndex: 0 })).value()
    const { committeeIndex, validatorIndex: attesterIndex } = duty
    const wrong = validators.sign(attesterIndex, { type: ssz.Slot, value: 1, domain: DOMAIN_BEACON_ATTESTER, slot })
    const signedAttestations = [{ committeeIndex, attesterIndex, data, signature: wrong }]
    const attestation = await client.beacon.submitPoolAttestationsV2({ signedAttestations })
    assert.equal(attestation.status, HttpStatusCode.BAD_REQUEST)
    assert.match(attestation.error()?.message ?? '', new RegExp(`signature of validator ${attesterIndex} is not valid`))

    const head = (await client.beacon.getBlockV2({ blockId: 'head' })).value() as electra.SignedBeaconBlock
    const again = await client.beacon.publishBlockV2({ signedBlockContents: { signedBlock: head, kzgProofs: [], blobs: [] } })
    assert.equal(again.status, HttpStatusCode.BAD_REQUEST)
    const orphan = ssz.electra.SignedBeaconBlock.clone(head)
    orphan.message.slot = slotNow()
    orphan.message.parentRoot = new Uint8Array(32).fill(1)
    const refused = await client.beacon.publishBlockV2({ signedBlockContents: { signedBlock: orphan, kzgProofs: [], blobs: [] } })
    assert.equal(refused.status, HttpStatusCode.BAD_REQUEST)
    const early = await client.beacon.submitPoolVoluntaryExit({
      signedVoluntaryExit: { message: { epoch: 0, validatorIndex: attesterIndex }, signature: wrong },
    })
    assert.equal(early.status, HttpStatusCode.BAD_REQUEST)
    assert.match(early.error()?.message ?? '', /invalid_signature/)
    const malformed = await fetch(`${chain.beaconUrl}/eth/v1/beacon/states/nonsense/root`)
    assert.equal(malformed.status, 400)
  })

  it('slashes', async () => {
    const indices = [...validators.active.keys()].slice(-2)
    const [twiceProposing, twiceVoting] = [indices[0] ?? assert.fail(), indices[1] ?? assert.fail()]
    const slot = slotNow()
    const header = (stateRoot: number) => {
      const message = ssz.phase0.BeaconBlockHeaderBigint.defaultValue()
      Object.assign(message, { slot: BigInt(slot), proposerIndex: twiceProposing, stateRoot: new Uint8Array(32).fill(stateRoot) })
      const what = { type: ssz.phase0.BeaconBlockHeaderBigint, value: message, domain: DOMAIN_BEACON_PROPOSER, slot }
      return { message, signature: validators.sign(twiceProposing, what) }
    }
    const proposerSlashing = { signedHeader1: header(1), signedHeader2: header(2) }
    ;(await client.beacon.submitPoolProposerSlashings({ proposerSlashing })).assertOk()

    const vote = (root: number) => {
      const data = ssz.phase0.AttestationDataBigint.defaultValue()
      data.beaconBlockRoot = new Uint8Array(32).fill(root)
      const what = { type: ssz.phase0.AttestationDataBigint, value: data, domain: DOMAIN_BEACON_ATTESTER, slot: 0 }
      return { attestingIndices: [twiceVoting], data, signature: validators.sign(twiceVoting, what) }
    }
    const attesterSlashing = { attestation1: vote(1), attestation2: vote(2) }
    ;(await client.beacon.submitPoolAttesterSlashingsV2({ attesterSlashing })).assertOk()
    await eventually('both slashings', 6, async () => {
      const found = (await client.beacon.postStateValidators({ stateId: 'head', validatorIds: indices })).value()
      return found.every((each) => each.status === 'active_slashed')
    })
  })

  it('pays the ether of the exited validator out', async () => {
    await eventually('the withdrawal', 25, async () => (await validator(leaver.pubkey))?.status === 'withdrawal_done')
    const paid = await provider.getBalance(WITHDRAWAL_ADDRESS)
    assert.ok(paid >= parseEther('31.9'), `the withdrawal address got ${paid} wei`)
    assert.ok(heads() > 30)
  })

  it('remembers who had to do what', async () => {
    const current = Math.floor(slotNow() / SLOTS_PER_EPOCH)
    const past = current - 6
    assert.ok(past >= 1, `expected to be in epoch 7 at least, it is ${current}`)
    const proposers = (await client.validator.getProposerDuties({ epoch: past })).value()
    const proposed = await blocks(past * SLOTS_PER_EPOCH, (past + 1) * SLOTS_PER_EPOCH - 1)
    assert.ok(proposed.length > 0)
    for (const { message } of proposed) {
      assert.equal(proposers.find(({ slot }) => slot === message.slot)?.validatorIndex, message.proposerIndex)
    }
    const indices = Array.from({ length: 16 }, (_, index) => index)
    const attesters = (await client.validator.getAttesterDuties({ epoch: past, indices })).value()
    assert.deepEqual(
      attesters.map(({ validatorIndex }) => validatorIndex).sort((a, b) => a - b),
      indices,
    )
    for (const { slot } of attesters) assert.equal(Math.floor(slot / SLOTS_PER_EPOCH), past)
  })

  it('leaves no process behind when it is stopped', async () => {
    assert.deepEqual(await stopped, [false, false])
  })

  it('ends with an error when the execution client dies', async () => {
    process.kill(chain.executionPid, 'SIGKILL')
    assert.equal(await chain.ended, 1)
    assert.deepEqual([alive(chain.executionPid), alive(chain.pid)], [false, false])
  })
})
