import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEther, Wallet } from 'ethers'
import { network } from 'hardhat'
import type { Address, PoolId } from '../../../operator/core/ids.ts'
import { toPublicKey, toRoot } from '../../../operator/core/parse.ts'
import type { DutyCertificate } from '../../../operator/protocol/messages/certificate.ts'
import { encodeCertificateSet } from '../../../operator/protocol/messages/certificate-set.ts'
import { createSigningKey } from '../../../operator/signer/signing-key.ts'
import { arrivalsDispute } from '../../../scripts/dispute/arrivals.ts'
import { balanceDispute, examineBalances } from '../../../scripts/dispute/balance.ts'
import { certificateDispute, forgedIn, readCertificates } from '../../../scripts/dispute/certificate.ts'
import { openCourt, rule } from '../../../scripts/dispute/court.ts'
import { readEvidence } from '../../../scripts/dispute/evidence.ts'
import type { ReferenceStates } from '../../../scripts/dispute/reference-states.ts'
import { ballotOf } from '../../../scripts/dispute/vote.ts'
import { at } from '../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../support/beacon-prover.ts'
import { certificateDomain, certify, dutyOf, publish } from '../../support/certificates.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../support/network-life.ts'
import type { SignedReport } from '../../support/network-reports.ts'
import { randomWallet } from '../../support/randomness.ts'
import { referenceBlock, toNextReport } from '../../support/reports.ts'
import { serveRpc } from '../../support/rpc-server.ts'

const connection = await network.create()
const FULL_GWEI = BigInt(FULL)

/** The script's parts against a whole deployment: what they find, and that the contracts agree. */
describe('Disputes by script', function () {
  this.timeout(600_000)
  const folder = mkdtempSync(join(tmpdir(), 'open-pools-dispute-'))
  let life: NetworkLife
  let pool: Pool
  let server: Awaited<ReturnType<typeof serveRpc>>
  let restore: () => Promise<void>

  before(async () => {
    life = await startLife(connection)
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('100') })
    await life.makePool()
    pool = await life.makePool()
    await life.startPeriod(1)
    server = await serveRpc(connection)
    restore = await life.checkpoint()
  })
  afterEach(() => restore())
  after(async () => {
    server.close()
    rmSync(folder, { recursive: true, force: true })
    await life.prover.close()
  })

  const open = () => openCourt({ rpcUrl: server.url, directory: life.addresses.directory.toLowerCase() as Address })
  /** A beacon node that has the state of one report. */
  const statesOf = ({ proven }: SignedReport): ReferenceStates => {
    const place = (key: string) => life.validators.findIndex(({ publicKey }) => publicKey === key)
    return {
      header: async (root) => {
        assert.equal(root, proven.blockRoot)
        return { root, slot: Number(proven.state.header.slot) } as Awaited<ReturnType<ReferenceStates['header']>>
      },
      balances: async (_header, keys) =>
        new Map(
          keys.map((key) => {
            const { balance = 0, activationEligibilityEpoch } = at(life.validators, place(key))
            return [toPublicKey(key), { balance: BigInt(balance), eligible: activationEligibilityEpoch !== undefined }]
          }),
        ),
      prove: async (_header, key) =>
        ({
          state: proven.state,
          validator: at(proven.validators, place(key)),
          balance: at(proven.balances, place(key)),
        }) as unknown as Awaited<ReturnType<ReferenceStates['prove']>>,
    }
  }
  const stateOf = async (id: bigint) => (await life.stateCommitments.commitment(id)).state
  const [DROPPED, PENDING] = [5n, 2n]

  it('balance: compares all that was posted, and shows the wrong one', async () => {
    const epoch = await toNextReport(life)
    const { id, signed } = await life.postReport({ epoch, stakers: [FULL_GWEI + 7n] })
    const court = await open()
    const inputs = { court, states: statesOf(signed), commitmentId: Number(id) }
    const findings = await examineBalances(inputs)
    assert.equal(findings.length, 2)
    const wrong = findings.filter(({ posted, actual }) => posted !== actual)
    assert.deepEqual(wrong, [{ poolId: Number(pool.id), posted: FULL_GWEI + 7n, actual: FULL_GWEI }])
    const call = await balanceDispute({ ...inputs, poolId: at(wrong, 0).poolId })
    const tried = await rule(court, call)
    assert.deepEqual([tried.upheld, tried.upheld && tried.transaction, await stateOf(id)], [true, null, PENDING])
    const bought = randomWallet().connect(court.provider)
    await life.networkHelpers.setBalance(bought.address, parseEther('10'))
    const done = await rule(court, call, new Wallet(bought.privateKey, court.provider))
    assert.deepEqual([done.upheld, await stateOf(id)], [true, DROPPED])
    assert.equal((await life.bondEther.balanceOf(bought.address)) > 0n, true)
  })

  it('balance: a right one would be refused, with a sentence', async () => {
    const epoch = await toNextReport(life)
    const { id, signed } = await life.postReport({ epoch })
    const court = await open()
    const inputs = { court, states: statesOf(signed), commitmentId: Number(id) }
    assert.ok((await examineBalances(inputs)).every(({ posted, actual }) => posted === actual))
    const ruling = await rule(court, await balanceDispute({ ...inputs, poolId: Number(pool.id) as PoolId }))
    assert.match(ruling.upheld ? '' : ruling.reason, /^the contract refused: the balance of pool \d+ is right/)
    await assert.rejects(balanceDispute({ ...inputs, poolId: 99 as PoolId }), { code: 'UNKNOWN' })
    await assert.rejects(examineBalances({ ...inputs, commitmentId: 9 }), {
      code: 'UNKNOWN',
      message: /no commitment 9: the last one is 1$/,
    })
  })

  it('balance: a page that is not posted yet cannot be shown', async () => {
    const signed = await life.draftReport({ epoch: await toNextReport(life) })
    await life.commit(signed)
    const inputs = { court: await open(), states: statesOf(signed), commitmentId: 1 }
    assert.deepEqual(await examineBalances(inputs), [])
    await assert.rejects(balanceDispute({ ...inputs, poolId: Number(pool.id) as PoolId }), { code: 'MISSING' })
  })

  it('arrivals: proves what came to a vault, header, account and slot', async () => {
    const epoch = Math.floor((await life.epochNow()) / 4) * 4 + 4
    await life.arrive(0, parseEther('2'))
    const block = await referenceBlock(life, epoch)
    await life.toSlot(epoch * SLOTS_PER_EPOCH + 6)
    const { id } = await life.postReport({ epoch, execution: block, arrivals: [parseEther('1'), 0n] })
    const court = await open()
    const [staker, bond] = await Promise.all(
      (['staker', 'bond'] as const).map((kind) => arrivalsDispute({ court, commitmentId: Number(id), kind })),
    )
    assert.deepEqual(staker?.finding, { kind: 'staker', committed: parseEther('1'), actual: parseEther('2') })
    assert.deepEqual(bond?.finding, { kind: 'bond', committed: 0n, actual: 0n })
    assert.ok(staker && bond)
    const refused = await rule(court, bond.call)
    assert.match(refused.upheld ? '' : refused.reason, /^the contract refused: the arrivals of .* are right/)
    assert.equal((await rule(court, staker.call)).upheld, true)
  })

  it('certificate: finds the forged one in a set, as served or as JSON', async () => {
    const epoch = await toNextReport(life)
    const vault = (await life.poolRegistry.vault(pool.id)).map((id) => life.memberOf(id))
    const domain = certificateDomain(life)
    const good = certify(domain, { duty: dutyOf(pool.id, 10), vault, signers: [1, 2, 3] })
    const forged: DutyCertificate = { ...certify(domain, { duty: dutyOf(pool.id, 11), vault, signers: [1, 2, 3] }), participation: 0b1111n }
    const set = [good, forged]
    const { id } = await life.postReport({ epoch, certificatesHash: publish(set).certificatesHash })
    const court = await open()
    const [binary, text] = [join(folder, 'set'), join(folder, 'set.json')]
    writeFileSync(binary, encodeCertificateSet(set))
    writeFileSync(
      text,
      JSON.stringify(set, (_key, value) => (typeof value === 'bigint' ? value.toString() : value)),
    )
    for (const path of [binary, text]) {
      const read = readCertificates(path)
      const certificate = forgedIn(court, read)
      assert.equal(certificate.slot, 11)
      assert.equal((await rule(court, certificateDispute({ court, commitmentId: Number(id), set: read, certificate }))).upheld, true)
    }
    assert.throws(() => forgedIn(court, [good]), { code: 'NOTHING_WRONG' })
    assert.throws(() => certificateDispute({ court, commitmentId: Number(id), set: [good], certificate: good }), { code: 'BAD_FILE' })
    writeFileSync(text, '[{"poolId": 0}]')
    assert.throws(() => readCertificates(text), { code: 'BAD_FILE' })
  })

  it('vote: casts ballots of those who may vote, and says who may not', async () => {
    const { id } = await life.postReport({ epoch: await toNextReport(life) })
    const court = await open()
    const committee = court.state.periods.get(1)?.committee ?? []
    const keyOf = (producer: (typeof life.producers)[number]) => createSigningKey(producer.key)
    const [voters, members] = [false, true].map((isMember) =>
      life.producers.filter((producer) => committee.some((member) => BigInt(member) === producer.id) === isMember),
    )
    assert.ok(voters && members)
    const ballot = (who: typeof voters) => ballotOf({ court, commitmentId: Number(id), ballot: 'unavailable', keys: who.map(keyOf) })
    const { call, voters: named } = await ballot(voters.slice(0, 4))
    assert.deepEqual(
      named.map(BigInt),
      voters.slice(0, 4).map((producer) => producer.id),
    )
    await life.networkHelpers.setBalance(new Wallet(at(voters, 0).operatorKey).address, parseEther('1'))
    assert.equal((await rule(court, call, new Wallet(at(voters, 0).operatorKey, court.provider))).upheld, true)
    const { state, unavailable } = await life.votes.vote(id)
    assert.deepEqual([state, unavailable], [2n, 4n])
    await assert.rejects(ballot(members.slice(0, 1)), { code: 'UNKNOWN', message: /may not vote .* of the committee that signed$/ })
  })

  it('evidence: two messages of one operator in conflict, from a file', async () => {
    const accused = at(life.producers, 0)
    const wallet = new Wallet(accused.operatorKey)
    const types = {
      QbftMessage: [
        ['uint32', 'poolId'],
        ['uint64', 'slot'],
        ['uint8', 'duty'],
        ['uint8', 'messageType'],
        ['uint32', 'round'],
        ['bytes32', 'value'],
        ['uint32', 'preparedRound'],
        ['bytes32', 'preparedValue'],
      ].map(([type, name]) => ({ type: String(type), name: String(name) })),
    }
    const message = (value: number) => ({
      ...{ poolId: 2, slot: 9, duty: 1, messageType: 2, round: 1, preparedRound: 0, preparedValue: toRoot(`0x${'00'.repeat(32)}`) },
      value: toRoot(`0x${String(value).padStart(64, '0')}`),
    })
    const domain = { name: 'Open Pools', version: '1', ...life.judgeOf('poolRegistry') }
    const sign = (value: number) => wallet.signTypedData(domain, types, message(value))
    const path = join(folder, 'evidence.json')
    writeFileSync(path, JSON.stringify({ a: message(1), signatureA: await sign(1), b: message(2), signatureB: await sign(2) }))
    const court = await open()
    assert.equal((await rule(court, readEvidence(path, 'qbft'))).upheld, true)
    writeFileSync(path, JSON.stringify({ a: message(1), signatureA: await sign(1), b: message(1), signatureB: await sign(1) }))
    const refused = await rule(court, readEvidence(path, 'qbft'))
    assert.match(refused.upheld ? '' : refused.reason, /^the contract refused: the two messages are not in conflict/)
    writeFileSync(path, JSON.stringify({ a: message(1) }))
    assert.throws(() => readEvidence(path, 'qbft'), {
      code: 'BAD_FILE',
      message: /as an object of a, signatureA, b, signatureB: missing signatureA/,
    })
  })
})
