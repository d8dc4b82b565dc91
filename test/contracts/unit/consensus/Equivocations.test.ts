import { expect } from 'chai'
import { keccak256, parseEther, toBeHex } from 'ethers'
import { network } from 'hardhat'
import type { Address, Hex, MemberIndex, Root } from '../../../../operator/core/ids.ts'
import { hexToBytes } from '../../../../operator/core/parse.ts'
import type { Dealing } from '../../../../operator/core/ports/ceremony.ts'
import type { PublicContext } from '../../../../operator/protocol/dkg/context.ts'
import { ceremonyDigest } from '../../../../operator/protocol/messages/ceremony.ts'
import { signEcdsa } from '../../../../operator/protocol/messages/ecdsa.ts'
import { domainSeparatorOf } from '../../../../operator/protocol/messages/eip712.ts'
import { qbftDigest } from '../../../../operator/protocol/messages/qbft.ts'
import { STATEMENT_TYPES, type Statement, ZERO_ROOT } from '../../../../operator/protocol/qbft/types.ts'
import { at } from '../../../support/at.ts'
import { openPools, type RegisteredProducer } from '../../../support/open-pools.ts'
import { randomWallet } from '../../../support/randomness.ts'

const connection = await network.create()
const { networkHelpers } = connection
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

const root = (byte: number) => `0x${byte.toString(16).padStart(2, '0').repeat(32)}` as Root
const point = (byte: number) => `0x${byte.toString(16).padStart(2, '0').repeat(128)}` as Hex
const concat = (parts: readonly Hex[]): Hex => `0x${parts.map((part) => part.slice(2)).join('')}`

type Said = Statement & { readonly poolId: number; readonly slot: number; readonly duty: number }
const PREPARE: Said = {
  poolId: 3,
  slot: 70,
  duty: 1,
  type: 'prepare',
  round: 1,
  value: root(1),
  preparedRound: 0,
  preparedValue: ZERO_ROOT,
}
const DEALING: Dealing = {
  dealer: 2 as MemberIndex,
  joinKeys: [point(1), null, point(3), point(4)],
  commitments: [point(5), point(6), point(7)],
  ciphertexts: [root(1), null, root(3), root(4)],
}

async function world() {
  const pools = await openPools(connection)
  const producers: RegisteredProducer[] = []
  for (let i = 0; i < 3; i++) producers.push(await pools.register())
  const { chainId } = pools.judgeOf('poolRegistry')
  const contract = pools.addresses.poolRegistry.toLowerCase() as Address
  return {
    ...pools,
    producers,
    guilty: at(producers, 0),
    other: at(producers, 1),
    reporter: at(pools.people, 0),
    domain: { chainId, contract },
  }
}
type World = Awaited<ReturnType<typeof world>>
const load = () => networkHelpers.loadFixture(world)

const keyOf = (producer: RegisteredProducer) => hexToBytes(producer.operatorKey as Hex)
/** A QBFT message as the operator signs it, and as the contract reads it. */
const say = ({ guilty, domain }: World, said: Said, by = guilty, under = domain) => ({
  message: { ...said, messageType: STATEMENT_TYPES.indexOf(said.type) + 1 },
  signature: signEcdsa(qbftDigest(domainSeparatorOf(under), said, said), keyOf(by)) as string,
})
type SaidMessage = ReturnType<typeof say>
const accuse = ({ slashing, reporter }: World, a: SaidMessage, b: SaidMessage) =>
  slashing.connect(reporter).slashQbft(a.message, a.signature, b.message, b.signature)
const refused = (w: World, a: SaidMessage, b: SaidMessage, error: string) =>
  expect(accuse(w, a, b)).to.be.revertedWithCustomError(w.slashing, error)

const context = ({ domain }: World, changes: Partial<PublicContext> = {}): PublicContext => ({
  ...domain,
  poolId: 3 as PublicContext['poolId'],
  kind: 'dkg',
  round: 0,
  ...changes,
})
const join = (w: World, joinKey: Hex, { member = 1, ...changes }: Partial<PublicContext> & { member?: number } = {}) => {
  const where = context(w, changes)
  const digest = ceremonyDigest(where, {
    kind: 'join',
    member: member as MemberIndex,
    joinKey,
    proof: { challenge: root(0), response: root(0) },
  })
  return {
    message: { poolId: where.poolId, kind: 0, round: where.round, member, joinKey },
    signature: signEcdsa(digest, keyOf(w.guilty)) as string,
  }
}
const deal = (w: World, dealing: Dealing, changes: Partial<PublicContext> = {}) => {
  const where = context(w, changes)
  const hash = (parts: readonly (Hex | null)[], empty: Hex) => keccak256(concat(parts.map((part) => part ?? empty)))
  return {
    message: {
      poolId: where.poolId,
      kind: 0,
      round: where.round,
      dealer: dealing.dealer,
      joinKeysHash: hash(dealing.joinKeys, point(0)),
      commitmentsHash: hash(dealing.commitments, point(0)),
      ciphertextsHash: hash(dealing.ciphertexts, root(0)),
    },
    signature: signEcdsa(ceremonyDigest(where, { kind: 'dealing', dealing }), keyOf(w.guilty)) as string,
  }
}

describe('Slashing: equivocation', () => {
  it('takes the whole bond of who prepares two values, and pays the reporter its share', async () => {
    const w = await load()
    const [a, b] = [say(w, PREPARE), say(w, { ...PREPARE, value: root(2) })]
    await expect(accuse(w, a, b))
      .to.emit(w.slashing, 'Equivocation')
      .withArgs(w.guilty.id, w.reporter.address)
    expect(await w.blockProducers.bondValue(w.guilty.id)).to.equal(0n)
    expect((await w.blockProducers.producer(w.guilty.id)).slashed).to.equal(true)
    expect(await w.bondEther.balanceOf(w.reporter.address)).to.be.closeTo(parseEther('1.3'), 100n)
    expect(await w.bondEther.getPooledEthByShares(await w.bondEther.coverShares())).to.be.closeTo(parseEther('24.7'), 100n)
    expect(await w.blockProducers.bondValue(w.other.id)).to.be.closeTo(parseEther('26'), 100n)
  })

  it('A28 once: the same evidence, turned round or new, takes no more', async () => {
    const w = await load()
    const [a, b] = [say(w, PREPARE), say(w, { ...PREPARE, value: root(2) })]
    await accuse(w, a, b)
    const paid = await w.bondEther.balanceOf(w.reporter.address)
    await refused(w, a, b, 'AlreadyOut')
    await refused(w, b, a, 'AlreadyOut')
    await refused(w, say(w, { ...PREPARE, slot: 9 }), say(w, { ...PREPARE, slot: 9, value: root(2) }), 'AlreadyOut')
    expect(await w.bondEther.balanceOf(w.reporter.address)).to.equal(paid)
  })

  for (const type of STATEMENT_TYPES) {
    it(`finds two messages of type ${type}`, async () => {
      const w = await load()
      await accuse(w, say(w, { ...PREPARE, type }), say(w, { ...PREPARE, type, value: root(2) }))
      expect((await w.blockProducers.producer(w.guilty.id)).slashed).to.equal(true)
    })
  }

  it('finds two round changes that differ in what was prepared', async () => {
    const w = await load()
    const change: Said = { ...PREPARE, type: 'round-change', round: 4, value: ZERO_ROOT, preparedRound: 2, preparedValue: root(1) }
    const snapshot = await networkHelpers.takeSnapshot()
    await accuse(w, say(w, change), say(w, { ...change, preparedRound: 3 }))
    await snapshot.restore()
    await accuse(w, say(w, change), say(w, { ...change, preparedValue: root(2) }))
  })

  it('acquits who said the same twice, or another thing in another place', async () => {
    const w = await load()
    const said = say(w, PREPARE)
    const value = root(2)
    await refused(w, said, said, 'NotInConflict')
    for (const elsewhere of [
      { poolId: 4 },
      { slot: 71 },
      { duty: 2 },
      { round: 2 },
      { type: 'commit' as const },
      { type: 'pre-prepare' as const },
    ]) {
      await refused(w, said, say(w, { ...PREPARE, ...elsewhere, value }), 'NotInConflict')
    }
  })

  it('A18 acquits who signed for another chain, another contract or another purpose', async () => {
    const w = await load()
    const said = say(w, PREPARE)
    const two = { ...PREPARE, value: root(2) }
    for (const under of [
      { ...w.domain, chainId: w.domain.chainId + 1n },
      { ...w.domain, contract: w.addresses.slashing.toLowerCase() as Address },
    ]) {
      await refused(w, said, say(w, two, w.guilty, under), 'NotSameSigner')
      await refused(w, say(w, PREPARE, w.guilty, under), say(w, two, w.guilty, under), 'NotSameSigner')
    }
    // The words of a join key are no QBFT message.
    await refused(w, said, { ...say(w, two), signature: join(w, point(1)).signature }, 'NotSameSigner')
  })

  it('does not mix two producers, nor judge strangers', async () => {
    const w = await load()
    await refused(w, say(w, PREPARE), say(w, { ...PREPARE, value: root(2) }, w.other), 'NotSameSigner')
    const { privateKey: operatorKey } = randomWallet()
    const stranger = { ...w.guilty, operatorKey }
    await refused(w, say(w, PREPARE, stranger), say(w, { ...PREPARE, value: root(2) }, stranger), 'SignerUnknown')
  })

  it('A18 makes no second message out of a signature’s mirror image', async () => {
    const w = await load()
    const said = say(w, PREPARE)
    const { r, s, v } = { r: said.signature.slice(2, 66), s: BigInt(`0x${said.signature.slice(66, 130)}`), v: said.signature.slice(130) }
    const mirrored = `0x${r}${toBeHex(ORDER - s, 32).slice(2)}${v === '1b' ? '1c' : '1b'}`
    await refused(w, said, { ...said, signature: mirrored }, 'NotInConflict')
    await refused(w, { ...said, signature: mirrored }, say(w, { ...PREPARE, value: root(2) }), 'ECDSAInvalidSignatureS')
    await refused(w, { ...said, signature: '0x1234' }, say(w, { ...PREPARE, value: root(2) }), 'ECDSAInvalidSignatureLength')
  })

  it('finds two join keys of one ceremony, and no others', async () => {
    const w = await load()
    const one = join(w, point(1))
    const bring = (two: typeof one) => w.slashing.slashJoin(one.message, one.signature, two.message, two.signature)
    for (const innocent of [
      one,
      join(w, point(2), { round: 1 }),
      join(w, point(2), { poolId: 4 as PublicContext['poolId'] }),
      join(w, point(2), { member: 2 }),
    ]) {
      await expect(bring(innocent)).to.be.revertedWithCustomError(w.slashing, 'NotInConflict')
    }
    const kind = { ...join(w, point(2)), message: { ...join(w, point(2)).message, kind: 1 } }
    await expect(bring(kind)).to.be.revertedWithCustomError(w.slashing, 'NotInConflict')
    await expect(bring(join(w, point(2), { contract: w.addresses.exits.toLowerCase() as Address }))).to.be.revertedWithCustomError(
      w.slashing,
      'NotSameSigner',
    )
    await expect(bring(join(w, point(2)))).to.emit(w.slashing, 'Equivocation')
  })

  it('finds two dealings of one ceremony, whatever they differ in, and no others', async () => {
    const w = await load()
    const one = deal(w, DEALING)
    const bring = (two: typeof one) => w.slashing.slashDealing(one.message, one.signature, two.message, two.signature)
    for (const innocent of [
      one,
      deal(w, { ...DEALING, dealer: 1 as MemberIndex }),
      deal(w, { ...DEALING, commitments: [point(9)] }, { round: 1 }),
    ]) {
      await expect(bring(innocent)).to.be.revertedWithCustomError(w.slashing, 'NotInConflict')
    }
    const snapshot = await networkHelpers.takeSnapshot()
    for (const change of [{ joinKeys: [point(1), point(2)] }, { commitments: [point(5)] }, { ciphertexts: [root(9)] }]) {
      await bring(deal(w, { ...DEALING, ...change }))
      expect((await w.blockProducers.producer(w.guilty.id)).slashed).to.equal(true)
      await snapshot.restore()
    }
  })
})
