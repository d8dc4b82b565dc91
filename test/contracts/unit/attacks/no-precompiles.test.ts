import assert from 'node:assert/strict'
import { type BaseContract, hexlify, keccak256, parseEther } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { signHeader } from '../../../support/beacon-signatures.ts'
import { aggregateG2, dkgDigest, g1, g2, newKey, proofOfPossession } from '../../../support/block-producers.ts'
import { bitsOf, certificateDomain, certify, dutyOf, onChain, publish } from '../../../support/certificates.ts'
import { type NetworkLife, startLife } from '../../../support/network-life.ts'
import { contentOf } from '../../../support/network-reports.ts'
import { depositSigningRoot } from '../../../support/pools.ts'
import { randomBytes, randomWallet } from '../../../support/randomness.ts'
import { toNextReport } from '../../../support/reports.ts'
import { serveRpc } from '../../../support/rpc-server.ts'
import { bitmapOf, listOf, signTogether } from '../../../support/voters.ts'

const ROOT = `0x${'00'.repeat(32)}`

type Attempt = { readonly contract: BaseContract; readonly method: string; readonly args: readonly unknown[]; readonly value?: bigint }

describe('A52 A03 a chain that loses the BLS precompiles', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let chain: Awaited<ReturnType<typeof serveRpc>>
  const attempts = new Map<string, Attempt>()

  before(async () => {
    const connection = await network.create()
    life = await startLife(connection)
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('200') })
    const pool = await life.makePool()
    const making = await life.requestPool()
    await life.drawVault(making)
    const epoch = await toNextReport(life)
    const period = await life.periods.periodAt(epoch)
    if (period > 0n) await life.startPeriod(Number(period))

    // A right certificate and a forged one, in a commitment that is open to disputes.
    const vault = (await life.poolRegistry.vault(pool.id)).map((id) => life.memberOf(id))
    const domain = certificateDomain(life)
    const right = certify(domain, { duty: dutyOf(pool.id, 98), vault, signers: [1, 2, 3, 4] })
    const forged = { ...certify(domain, { duty: dutyOf(pool.id, 99), vault, signers: [1] }), participation: bitsOf([2]) }
    const { certificatesHash, branchOf } = publish([right, forged])
    const { id, signed } = await life.postReport({ epoch, certificatesHash })
    const members = vault.map((producer) => producer.id)
    for (const [place, certificate] of [right, forged].entries()) {
      const args = [id, contentOf(signed), onChain(certificate), branchOf(place), members]
      attempts.set(place === 0 ? 'a right certificate' : 'a forged certificate', {
        contract: life.disputes,
        method: 'disproveCertificate',
        args,
      })
    }
    const list = await listOf(life, period)
    const { contentHash } = await life.stateCommitments.commitment(id)
    const ballots = signTogether(list, [0, 1, 2, 3], Buffer.from((await life.votes.digest(id, contentHash, 1)).slice(2), 'hex'))
    attempts.set('ballots', { contract: life.votes, method: 'cast', args: [id, 1, bitmapOf([0, 1, 2, 3]), ballots.signature] })
    attempts.set('two blocks', { contract: life.slashing, method: 'slashBlocks', args: await twoBlocks(pool) })
    attempts.set('a new key', { contract: life.poolRegistry, method: 'completeDkg', args: await result(making) })
    attempts.set('a new producer', await registration())
    chain = await serveRpc(connection)
  })
  after(async () => {
    chain.close()
    await life.prover.close()
  })

  const twoBlocks = async (pool: Awaited<ReturnType<NetworkLife['makePool']>>) => {
    const { genesisValidatorsRoot } = life.parameters
    const fork = { forkVersion: (await life.beaconLayout.layoutAt(0)).forkVersion, genesisValidatorsRoot }
    const header = (bodyRoot: string) => ({ slot: 8, proposerIndex: 0, parentRoot: ROOT, stateRoot: ROOT, bodyRoot })
    const [a, b] = [header(ROOT), header(keccak256('0x'))]
    return [pool.id, g1(pool.key.toPublicKey()), a, signHeader(pool.key, a, fork), b, signHeader(pool.key, b, fork)]
  }
  const result = async (poolId: bigint) => {
    const key = newKey()
    const { kind, round } = await life.poolRegistry.pool(poolId)
    const vault = await life.poolRegistry.vault(poolId)
    const publicShares = hexlify(randomBytes(48 * vault.length))
    const credentials = await life.stakingPool.withdrawalCredentials(kind)
    const publicKey = hexlify(key.toPublicKey().toBytes(true))
    const root = depositSigningRoot({
      publicKey,
      credentials,
      gwei: 1_000_000_000n,
      genesisForkVersion: life.parameters.genesisForkVersion,
    })
    const outcome = { poolId: Number(poolId), round: Number(round), groupKey: g1(key.toPublicKey()), transcriptRoot: ROOT }
    const digest = dkgDigest(life.judgeOf('poolRegistry'), { ...outcome, publicSharesHash: keccak256(publicShares) })
    return [
      poolId,
      {
        groupKey: outcome.groupKey,
        depositSignature: g2(key.sign(root)),
        publicShares,
        transcriptRoot: ROOT,
        participation: 15n,
        aggregateSignature: aggregateG2(vault.map((id) => life.memberOf(id).key.sign(digest))),
      },
    ]
  }
  const registration = async (): Promise<Attempt> => {
    const key = newKey()
    const operator = randomWallet().address
    const owner = at(life.people, 3).address
    const possession = proofOfPossession(life.judgeOf('blockProducers'), { owner, operator, key })
    return {
      contract: life.blockProducers,
      method: 'register',
      args: [operator, g1(key.toPublicKey()), possession, '/ip4/127.0.0.1'],
      value: parseEther('5'),
    }
  }
  /** What a call comes to on a chain forked from the life: done, or the name of its error. */
  const outcomes = async (hardfork: 'cancun' | 'prague') => {
    const fork = await network.create({ override: { hardfork, forking: { enabled: true, url: chain.url } } })
    // A block of its own, by its own rules; the ones before are the life's.
    await fork.networkHelpers.time.setNextBlockTimestamp((await life.now()) + 1)
    await fork.networkHelpers.mine()
    const bls = (await fork.ethers.getContractFactory('Bls12381Harness')).interface
    const caller = at(life.people, 3).address
    const all: Record<string, string> = {}
    for (const [name, { contract, method, args, value = 0n }] of attempts) {
      const to = await contract.getAddress()
      const data = contract.interface.encodeFunctionData(method, args)
      try {
        await fork.ethers.provider.call({ from: caller, to, data, value })
        all[name] = 'done'
      } catch (error) {
        const { data: raw, message } = error as { readonly data?: string | null; readonly message: string }
        const named = raw?.startsWith('0x') ? (bls.parseError(raw) ?? contract.interface.parseError(raw))?.name : undefined
        all[name] = named ?? `${raw} ${message}`
      }
    }
    return all
  }

  it('convicts nobody, counts no vote, takes no bond and sends no ETH: whatever needs them reverts, and says why', async () => {
    assert.deepEqual(await outcomes('prague'), {
      'a right certificate': 'CertificateRight',
      'a forged certificate': 'done',
      ballots: 'done',
      'two blocks': 'done',
      'a new key': 'done',
      'a new producer': 'done',
    })
    const without = await outcomes('cancun')
    assert.deepEqual(Object.keys(without), [...attempts.keys()])
    for (const [name, outcome] of Object.entries(without)) assert.equal(outcome, 'PrecompileMissing', name)
  })
})
