import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { connectBeaconNode } from '../../../../../operator/adapters/beacon/connect.ts'
import type { BeaconNodeClient } from '../../../../../operator/adapters/beacon/node.ts'
import type { Gwei } from '../../../../../operator/core/ids.ts'
import {
  bytesToHex,
  hexToBytes,
  toBlsSignature,
  toEpoch,
  toPublicKey,
  toRoot,
  toSlot,
  toValidatorIndex,
} from '../../../../../operator/core/parse.ts'
import { BeaconError, type FinalizedEvent, type HeadEvent } from '../../../../../operator/core/ports/beacon.ts'
import { sendJson, TestServer } from '../support/http.ts'
import { recordingLog } from '../support/log.ts'
import { until } from '../support/wait.ts'

const root = (byte: string): `0x${string}` => `0x${byte.repeat(32)}`
const SIGNATURE = toBlsSignature(`0xc0${'00'.repeat(95)}`)

// What a node serves: a customized minimal preset, Electra from genesis and Fulu at epoch 3, and keys Lodestar does not know.
const SPEC = {
  PRESET_BASE: 'minimal',
  CONFIG_NAME: 'test-net',
  SLOTS_PER_EPOCH: '4',
  MAX_SEED_LOOKAHEAD: '1',
  EPOCHS_PER_SLASHINGS_VECTOR: '8',
  EPOCHS_PER_HISTORICAL_VECTOR: '64',
  SECONDS_PER_SLOT: '1',
  DEPOSIT_CHAIN_ID: '424242',
  GENESIS_FORK_VERSION: '0x10000001',
  ALTAIR_FORK_VERSION: '0x10000002',
  BELLATRIX_FORK_VERSION: '0x10000003',
  CAPELLA_FORK_VERSION: '0x10000004',
  DENEB_FORK_VERSION: '0x10000005',
  ELECTRA_FORK_VERSION: '0x10000006',
  FULU_FORK_VERSION: '0x10000007',
  ALTAIR_FORK_EPOCH: '0',
  BELLATRIX_FORK_EPOCH: '0',
  CAPELLA_FORK_EPOCH: '0',
  DENEB_FORK_EPOCH: '0',
  ELECTRA_FORK_EPOCH: '0',
  FULU_FORK_EPOCH: '3',
  BLOB_SCHEDULE: [{ EPOCH: '5', MAX_BLOBS_PER_BLOCK: '9' }],
  SOME_CLIENTS_OWN_KEY: { nested: [true] },
}

type Route = (response: ServerResponse, body: string, accept: string) => void

describe('BeaconNode over the standard REST API', () => {
  const genesis = { genesis_time: '1700000000', genesis_validators_root: root('ab'), genesis_fork_version: '0x10000001' }
  let servedGenesis = genesis
  const routes = new Map<string, Route>()
  const streams = new Set<ServerResponse>()
  const server = new TestServer((request, response, body) => {
    const [path = ''] = (request.url ?? '').split('?')
    const route = routes.get(`${request.method} ${path}`)
    if (route === undefined) return sendJson(response, { code: 404, message: `no ${path}` }, 404)
    route(response, body, request.headers.accept ?? '')
  })
  const data = (path: string, value: unknown): void => {
    routes.set(`GET ${path}`, (response) => sendJson(response, { data: value, execution_optimistic: false, finalized: false }))
  }
  let node: BeaconNodeClient

  before(async () => {
    data('/eth/v1/config/spec', SPEC)
    routes.set('GET /eth/v1/beacon/genesis', (response) => sendJson(response, { data: servedGenesis }))
    await server.start()
    node = await connectBeaconNode({ url: server.url, log: recordingLog() })
  })
  after(() => server.stop())

  it('reads the chain and sets the customized preset before Lodestar is loaded', async () => {
    const params = await import('@lodestar/params')
    assert.equal(params.ACTIVE_PRESET, 'minimal')
    assert.equal(params.SLOTS_PER_EPOCH, 4)
    assert.equal(params.MAX_SEED_LOOKAHEAD, 1)
    assert.equal(params.EPOCHS_PER_SLASHINGS_VECTOR, 8)
    assert.equal(params.TARGET_COMMITTEE_SIZE, 4)
    assert.equal(node.spec.genesisTimeMs, 1_700_000_000_000)
    assert.equal(node.spec.slotDurationMs, 1000)
    assert.equal(node.spec.depositChainId, 424242n)
    assert.equal(node.spec.values.BLOB_SCHEDULE, undefined)
  })

  it('computes signing roots by the fork schedule, as the state transition does', async () => {
    const { ssz } = await import('@lodestar/types')
    const { computeDomain, computeSigningRoot } = await import('@lodestar/state-transition')
    const params = await import('@lodestar/params')
    const domain = (type: Uint8Array, version: string): Uint8Array => computeDomain(type, hexToBytes(version), hexToBytes(root('ab')))
    const hex = (bytes: Uint8Array): string => bytesToHex(bytes)
    for (const [epoch, version] of [
      [2, SPEC.ELECTRA_FORK_VERSION],
      [3, SPEC.FULU_FORK_VERSION],
    ] as const) {
      assert.equal(
        node.signingRoots.randao(toEpoch(epoch)),
        hex(computeSigningRoot(ssz.Epoch, epoch, domain(params.DOMAIN_RANDAO, version))),
      )
      const blockRoot = toRoot(root('77'))
      assert.equal(
        node.signingRoots.block(toSlot(epoch * 4 + 1), blockRoot),
        hex(computeSigningRoot(ssz.Root, hexToBytes(blockRoot), domain(params.DOMAIN_BEACON_PROPOSER, version))),
      )
      const source = { epoch: toEpoch(1), root: toRoot(root('01')) }
      const target = { epoch: toEpoch(epoch), root: toRoot(root('02')) }
      const slot = toSlot(epoch * 4 + 2)
      const dataRoot = ssz.phase0.AttestationData.hashTreeRoot({
        ...{ slot, index: 0, beaconBlockRoot: hexToBytes(blockRoot) },
        source: { epoch: 1, root: hexToBytes(root('01')) },
        target: { epoch, root: hexToBytes(root('02')) },
      })
      assert.equal(
        node.signingRoots.attestationRoot(toEpoch(epoch), toRoot(hex(dataRoot))),
        node.signingRoots.attestation({ slot, source, target, beaconBlockRoot: blockRoot }),
      )
      assert.equal(
        node.signingRoots.attestation({ slot, source, target, beaconBlockRoot: blockRoot }),
        hex(
          computeSigningRoot(
            ssz.phase0.AttestationData,
            {
              slot,
              index: 0,
              beaconBlockRoot: hexToBytes(blockRoot),
              source: { epoch: 1, root: hexToBytes(root('01')) },
              target: { epoch, root: hexToBytes(root('02')) },
            },
            domain(params.DOMAIN_BEACON_ATTESTER, version),
          ),
        ),
      )
      assert.equal(
        node.signingRoots.exit(toEpoch(epoch), toValidatorIndex(9)),
        hex(
          computeSigningRoot(
            ssz.phase0.VoluntaryExit,
            { epoch, validatorIndex: 9 },
            domain(params.DOMAIN_VOLUNTARY_EXIT, SPEC.CAPELLA_FORK_VERSION),
          ),
        ),
      )
    }
    const deposit = {
      publicKey: toPublicKey(`0x${'0a'.repeat(48)}`),
      withdrawalCredentials: toRoot(root('01')),
      amount: 1_000_000_000n as Gwei,
    }
    assert.equal(
      node.signingRoots.deposit(deposit),
      hex(
        computeSigningRoot(
          ssz.phase0.DepositMessage,
          { pubkey: hexToBytes(deposit.publicKey), withdrawalCredentials: hexToBytes(root('01')), amount: 1_000_000_000 },
          computeDomain(params.DOMAIN_DEPOSIT, hexToBytes('0x10000001'), new Uint8Array(32)),
        ),
      ),
    )
  })

  it('produces, decodes and publishes blocks of Electra and Fulu, answered as JSON or SSZ, with blobs or blinded', async () => {
    const { ssz } = await import('@lodestar/types')
    for (const [fork, slot] of [
      ['electra', 7],
      ['fulu', 13],
    ] as const) {
      const contents = ssz[fork].BlockContents.defaultValue()
      contents.block.slot = slot
      contents.block.proposerIndex = 5
      contents.block.body.executionPayload.feeRecipient = new Uint8Array(20).fill(0xfe)
      contents.block.body.blobKzgCommitments = [new Uint8Array(48).fill(1)]
      contents.blobs = [new Uint8Array(131072).fill(3)]
      contents.kzgProofs = [new Uint8Array(48).fill(2)]
      const value = { version: fork, execution_payload_value: '12', consensus_block_value: '34' }
      const headers = {
        'eth-consensus-version': fork,
        'eth-execution-payload-blinded': 'false',
        'eth-execution-payload-value': '12',
        'eth-consensus-block-value': '34',
        'content-type': 'application/octet-stream',
      }
      const path = `GET /eth/v3/validator/blocks/${slot}`
      routes.set(path, (response) => response.writeHead(200, headers).end(ssz[fork].BlockContents.serialize(contents)))
      const fromSsz = await node.produceBlock(toSlot(slot), SIGNATURE)
      routes.set(path, (response) =>
        sendJson(response, { ...value, execution_payload_blinded: false, data: ssz[fork].BlockContents.toJson(contents) }),
      )
      const fromJson = await node.produceBlock(toSlot(slot), SIGNATURE)
      assert.deepEqual(fromJson, fromSsz)
      assert.equal(fromJson.blockRoot, bytesToHex(ssz[fork].BeaconBlock.hashTreeRoot(contents.block)))
      assert.equal(fromJson.feeRecipient, `0x${'fe'.repeat(20)}`)
      assert.equal(fromJson.proposerIndex, 5)

      let published: unknown
      routes.set('POST /eth/v2/beacon/blocks', (response, body) => {
        // This node knows no SSZ requests; the client must fall back to JSON.
        if (!body.startsWith('{')) return sendJson(response, { code: 415, message: 'JSON only' }, 415)
        published = JSON.parse(body)
        response.writeHead(200).end()
      })
      await node.publishBlock(fromSsz, SIGNATURE)
      assert.deepEqual(
        published,
        ssz[fork].SignedBlockContents.toJson({
          signedBlock: { message: contents.block, signature: hexToBytes(SIGNATURE) },
          kzgProofs: contents.kzgProofs,
          blobs: contents.blobs,
        }),
      )

      const blinded = ssz[fork].BlindedBeaconBlock.defaultValue()
      blinded.slot = slot
      blinded.body.executionPayloadHeader.feeRecipient = new Uint8Array(20).fill(0xee)
      const decoded = node.decodeBlock({ fork, blinded: true, ssz: ssz[fork].BlindedBeaconBlock.serialize(blinded) })
      assert.equal(decoded.slot, slot)
      assert.equal(decoded.feeRecipient, `0x${'ee'.repeat(20)}`)
      assert.equal(decoded.blockRoot, bytesToHex(ssz[fork].BlindedBeaconBlock.hashTreeRoot(blinded)))
    }
  })

  it('refuses what is no block: garbage, cut, other forks, an impossible slot', async () => {
    const { ssz } = await import('@lodestar/types')
    const block = ssz.electra.BlockContents.defaultValue()
    const good = ssz.electra.BlockContents.serialize(block)
    const huge = good.slice()
    huge.fill(0xff, 12, 20)
    const bad = [
      { fork: 'electra', blinded: false, ssz: new Uint8Array(0) },
      { fork: 'electra', blinded: false, ssz: crypto.getRandomValues(new Uint8Array(5000)) },
      { fork: 'electra', blinded: false, ssz: good.slice(0, -1) },
      { fork: 'electra', blinded: false, ssz: huge },
      { fork: 'electra', blinded: true, ssz: good },
      { fork: 'phase0', blinded: false, ssz: good },
      { fork: '__proto__', blinded: false, ssz: good },
    ]
    for (const encoded of bad) {
      assert.throws(
        () => node.decodeBlock(encoded),
        (error: unknown) => error instanceof BeaconError && error.code === 'MALFORMED',
      )
    }
    assert.equal(node.decodeBlock({ fork: 'electra', blinded: false, ssz: good }).slot, 0)
  })

  it('reads duties, attestation data, validators, headers and finality', async () => {
    routes.set('POST /eth/v1/validator/duties/attester/2', (response, body) => {
      assert.deepEqual(JSON.parse(body), ['5'])
      const duty = { pubkey: `0x${'0A'.repeat(48)}`, validator_index: '5', committee_index: '1', committee_length: '3' }
      sendJson(response, {
        dependent_root: root('dd'),
        execution_optimistic: false,
        data: [{ ...duty, committees_at_slot: '2', validator_committee_index: '2', slot: '9' }],
      })
    })
    const duties = await node.attesterDuties(toEpoch(2), [toValidatorIndex(5)])
    assert.equal(duties.dependentRoot, root('dd'))
    assert.deepEqual(duties.duties[0], {
      publicKey: `0x${'0a'.repeat(48)}`,
      validatorIndex: 5,
      slot: 9,
      committeeIndex: 1,
      committeeLength: 3,
      committeesAtSlot: 2,
      validatorCommitteeIndex: 2,
    })
    const attestation = { slot: '9', index: '0', beacon_block_root: root('01') }
    data('/eth/v1/validator/attestation_data', {
      ...attestation,
      source: { epoch: '1', root: root('02') },
      target: { epoch: '2', root: root('03') },
    })
    assert.deepEqual(await node.attestationData(toSlot(9), 1), {
      slot: 9,
      beaconBlockRoot: root('01'),
      source: { epoch: 1, root: root('02') },
      target: { epoch: 2, root: root('03') },
    })
    routes.set('POST /eth/v1/beacon/states/head/validators', (response, body) => {
      assert.deepEqual(JSON.parse(body).ids, ['5'])
      const epochs = { activation_eligibility_epoch: '0', activation_epoch: '2', exit_epoch: '18446744073709551615' }
      const validator = { ...epochs, withdrawable_epoch: '18446744073709551615', slashed: false, effective_balance: '32000000000' }
      sendJson(response, {
        execution_optimistic: false,
        finalized: false,
        data: [
          {
            index: '5',
            balance: '32000000001',
            status: 'active_ongoing',
            validator: { ...validator, pubkey: `0x${'0a'.repeat(48)}`, withdrawal_credentials: root('01') },
          },
        ],
      })
    })
    const [validator] = await node.validators([toValidatorIndex(5)], 'head')
    assert.equal(validator?.balance, 32000000001n)
    assert.equal(validator?.exitEpoch, Number.POSITIVE_INFINITY)
    assert.deepEqual(await node.validators([], 'head'), [])
    assert.equal(await node.header('12345'), undefined)
    data('/eth/v1/beacon/states/head/finality_checkpoints', {
      previous_justified: { epoch: '1', root: root('01') },
      current_justified: { epoch: '2', root: root('02') },
      finalized: { epoch: '1', root: root('01') },
    })
    assert.deepEqual((await node.finality()).finalized, { epoch: 1, root: root('01') })
  })

  it('names refusals and malformed answers', async () => {
    routes.set('GET /eth/v1/validator/duties/proposer/7', (response) => sendJson(response, { code: 503, message: 'syncing' }, 503))
    await assert.rejects(node.proposerDuties(toEpoch(7)), (error: unknown) => {
      return error instanceof BeaconError && error.code === 'REFUSED' && error.data.status === 503 && /syncing/.test(error.message)
    })
    for (const body of ['not json', '{"data":[{}]}', '[]', 'null']) {
      routes.set('GET /eth/v1/validator/duties/proposer/7', (response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(body)
      })
      await assert.rejects(
        node.proposerDuties(toEpoch(7)),
        (error: unknown) => error instanceof BeaconError && error.code === 'MALFORMED',
        body,
      )
    }
    assert.equal(node.health().state, 'up')
  })

  it('splits included attestations into committees', async () => {
    const { ssz } = await import('@lodestar/types')
    const { BitArray } = await import('@chainsafe/ssz')
    const signed = ssz.electra.SignedBeaconBlock.defaultValue()
    const attestation = ssz.electra.Attestation.defaultValue()
    attestation.data.slot = 6
    attestation.committeeBits = BitArray.fromBoolArray([true, false, true, false])
    attestation.aggregationBits = BitArray.fromBoolArray([true, false, true, false, true])
    signed.message.body.attestations = [attestation]
    signed.message.body.executionPayload.blockNumber = 77
    routes.set(`GET /eth/v2/beacon/blocks/${root('b1')}`, (response) => {
      const meta = { version: 'electra', execution_optimistic: false, finalized: true }
      sendJson(response, { ...meta, data: ssz.electra.SignedBeaconBlock.toJson(signed) })
    })
    data('/eth/v1/beacon/states/head/committees', [
      { index: '0', slot: '6', validators: ['1', '2', '3'] },
      { index: '1', slot: '6', validators: ['7'] },
      { index: '2', slot: '6', validators: ['4', '5'] },
    ])
    const dataRoot = bytesToHex(ssz.phase0.AttestationData.hashTreeRoot(attestation.data))
    assert.deepEqual(await node.includedAttesters(root('b1')), [
      { slot: 6, committeeIndex: 0, positions: [0, 2], root: dataRoot },
      { slot: 6, committeeIndex: 2, positions: [1], root: dataRoot },
    ])
    assert.equal((await node.executionPayload(root('b1')))?.number, 77)
    assert.equal(await node.executionPayload('99'), undefined)
  })

  it('names its state while the node is gone or serves another chain, and recovers', async () => {
    const states: string[] = []
    const stop = node.onHealthChange(({ state }) => states.push(state))
    await server.stop()
    await assert.rejects(node.finality(), (error: unknown) => error instanceof BeaconError && error.code === 'UNREACHABLE')
    servedGenesis = { ...genesis, genesis_time: '1700000001' }
    await server.start()
    await assert.rejects(node.finality(), (error: unknown) => error instanceof BeaconError && error.code === 'OTHER_CHAIN')
    servedGenesis = genesis
    assert.equal((await node.finality()).finalized.epoch, 1)
    assert.deepEqual(states, ['down', 'otherChain', 'up'])
    stop()
  })

  it('gives up on a silent node, and at once when the caller aborts', async () => {
    routes.set('GET /eth/v1/validator/duties/proposer/8', () => undefined)
    const abort = new AbortController()
    const aborted = assert.rejects(node.proposerDuties(toEpoch(8), abort.signal), /stop now/)
    abort.abort(new Error('stop now'))
    await aborted
    await assert.rejects(node.proposerDuties(toEpoch(8)), (error: unknown) => error instanceof BeaconError && error.code === 'TIMEOUT')
  })

  it('follows head and finality over reconnects, catching up on what was missed, without repeats', async () => {
    routes.set('GET /eth/v1/events', (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      streams.add(response)
    })
    const header = { slot: '9', proposer_index: '1', parent_root: root('00'), state_root: root('05'), body_root: root('06') }
    const serveHead = (block: string, slot: string): void =>
      data('/eth/v1/beacon/headers/head', {
        root: block,
        canonical: true,
        header: { message: { ...header, slot }, signature: SIGNATURE },
      })
    for (const epoch of [2, 3]) {
      routes.set(`POST /eth/v1/validator/duties/attester/${epoch}`, (response) =>
        sendJson(response, { dependent_root: root(`0${epoch}`), execution_optimistic: false, data: [] }),
      )
    }
    serveHead(root('a1'), '9')
    const heads: HeadEvent[] = []
    const finalized: FinalizedEvent[] = []
    const abort = new AbortController()
    node.follow({ onHead: (event) => heads.push(event), onFinalized: (event) => finalized.push(event) }, abort.signal)
    await until('polled head', () => heads.length === 1 && finalized.length === 1)
    assert.deepEqual(heads[0], {
      slot: 9,
      block: root('a1'),
      state: root('05'),
      epochTransition: false,
      previousDutyDependentRoot: root('02'),
      currentDutyDependentRoot: root('03'),
    })
    const event = (block: string, slot: string): string =>
      `event: head\ndata: ${JSON.stringify({
        slot,
        block,
        state: root('05'),
        epoch_transition: false,
        previous_duty_dependent_root: root('02'),
        current_duty_dependent_root: root('03'),
        execution_optimistic: false,
      })}\n\n`
    const send = (text: string): void => {
      for (const stream of streams) stream.write(text)
    }
    send(event(root('a1'), '9'))
    send(':heartbeat\n\nevent: head\ndata: {"slot":"no"}\n\n')
    const whole = event(root('a2'), '10')
    send(whole.slice(0, 40))
    send(whole.slice(40))
    await until('event', () => heads.length === 2)
    assert.equal(heads[1]?.block, root('a2'))

    await server.stop()
    streams.clear()
    serveHead(root('a3'), '11')
    await server.start()
    await until('missed head', () => heads.length === 3)
    send(event(root('a3'), '11'))
    send(`event: finalized_checkpoint\ndata: ${JSON.stringify({ epoch: '2', block: root('f2'), state: root('00') })}\n\n`)
    await until('finality', () => finalized.length === 2)
    assert.equal(heads.length, 3)
    assert.equal(heads[2]?.slot, 11)
    abort.abort()
  })
})
