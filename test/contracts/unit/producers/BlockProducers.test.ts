import assert from 'node:assert/strict'
import { SecretKey } from '@chainsafe/blst'
import { expect } from 'chai'
import { ZeroAddress } from 'ethers'
import { aggregateG1, g1, g2, newKey, proofOfPossession } from '../../../support/block-producers.ts'
import { randomWallet } from '../../../support/randomness.ts'
import { BOND, bonds, clock, connection, eligible, eth, GWEI, load, STAKER, type World } from './BlockProducers.support.ts'

const near = (actual: bigint, expected: bigint, off = 10n) =>
  assert.ok(actual <= expected + off && actual >= expected - off, `expected ${expected} ± ${off}, got ${actual}`)
const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n)

describe('BlockProducers: registering', () => {
  const attempt = async (
    world: World,
    changes: Partial<{ owner: string; operator: string; key: SecretKey; bond: bigint; peer: string }>,
  ) => {
    const [sender] = world.people
    assert.ok(sender)
    const operator = changes.operator ?? randomWallet().address
    const key = changes.key ?? newKey()
    const possession = proofOfPossession(world.judgeOf('blockProducers'), { owner: changes.owner ?? sender.address, operator, key })
    const value = changes.bond ?? eth('24')
    const peer = changes.peer ?? '/dns4/a/tcp/1'
    return world.blockProducers.connect(sender).register(operator, g1(key.toPublicKey()), possession, peer, { value })
  }

  it('keeps the keys, stakes the bond and queues the join', async () => {
    const world = await load()
    const [sender] = world.people
    const operator = randomWallet().address
    const before = await world.stakingPool.buffered()
    const key = newKey()
    const registering = attempt(world, { operator, key })
    await expect(registering).to.emit(world.periods, 'JoinQueued').withArgs(8n)
    await expect(registering)
      .to.emit(world.blockProducers, 'ProducerRegistered')
      .withArgs(8n, sender?.address, operator, Object.values(g1(key.toPublicKey())), '/dns4/a/tcp/1', (shares: bigint) => shares > 0n)
    assert.equal((await world.stakingPool.buffered()) - before, eth('24'))
    const producer = await world.blockProducers.producer(8n)
    assert.deepEqual([producer.owner, producer.slashed, producer.lockedSeats], [sender?.address, false, 0n])
    assert.equal(await world.blockProducers.producerOf(operator), 8n)
    near(await world.blockProducers.bondValue(8n), eth('24'))
    near(await world.blockProducers.totalBondValue(), 7n * eth('26') + eth('24'))
    assert.equal(await world.blockProducers.producerCount(), 8n)
  })

  it('refuses a small bond, no operator, a long address', async () => {
    const world = await load()
    await expect(attempt(world, { bond: eth('24') - 1n }))
      .to.be.revertedWithCustomError(world.blockProducers, 'BondTooSmall')
      .withArgs(eth('24'), eth('24') - 1n)
    await expect(attempt(world, { operator: ZeroAddress })).to.be.revertedWithCustomError(world.blockProducers, 'ZeroOperator')
    await expect(attempt(world, { peer: 'x'.repeat(257) }))
      .to.be.revertedWithCustomError(world.blockProducers, 'PeerAddressLength')
      .withArgs(256n, 257n)
  })

  it('takes an operator and a signing key once, for ever', async () => {
    const world = await load()
    await world.as.disputes.slashOut(world.first.id, ZeroAddress)
    await expect(attempt(world, { operator: world.first.operator })).to.be.revertedWithCustomError(world.blockProducers, 'OperatorTaken')
    await expect(attempt(world, { key: world.first.key })).to.be.revertedWithCustomError(world.blockProducers, 'SigningKeyTaken')
  })

  it('A18 refuses a proof made for another owner, operator, contract or chain', async () => {
    const world = await load()
    await expect(attempt(world, { owner: world.first.owner })).to.be.revertedWithCustomError(
      world.blockProducers,
      'InvalidProofOfPossession',
    )
    const [sender] = world.people
    assert.ok(sender)
    const [key, operator] = [newKey(), randomWallet().address]
    const judge = world.judgeOf('blockProducers')
    const request = { owner: sender.address, operator, key }
    for (const possession of [
      proofOfPossession({ ...judge, chainId: judge.chainId + 1n }, request),
      proofOfPossession(world.judgeOf('poolRegistry'), request),
      proofOfPossession(judge, { ...request, operator: sender.address }),
    ]) {
      const call = world.blockProducers.connect(sender).register(operator, g1(key.toPublicKey()), possession, '', { value: eth('24') })
      await expect(call).to.be.revertedWithCustomError(world.blockProducers, 'InvalidProofOfPossession')
    }
  })

  it('A19 refuses a rogue key: one that cancels others can prove no possession', async () => {
    const world = await load()
    const [sender] = world.people
    assert.ok(sender)
    // rogue = own − first: with first's key it sums to a key that the rogue alone can sign for.
    const own = newKey()
    const order = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n
    const negated = SecretKey.fromBytes(
      Buffer.from((order - BigInt(`0x${Buffer.from(world.first.key.toBytes()).toString('hex')}`)).toString(16).padStart(64, '0'), 'hex'),
    )
    const rogue = aggregateG1([own.toPublicKey(), negated.toPublicKey()])
    const operator = randomWallet().address
    const possession = proofOfPossession(world.judgeOf('blockProducers'), { owner: sender.address, operator, key: own })
    const call = world.blockProducers.connect(sender).register(operator, rogue, possession, '', { value: eth('24') })
    await expect(call).to.be.revertedWithCustomError(world.blockProducers, 'InvalidProofOfPossession')
    // Nor with the first's own proof of possession, which binds its owner and operator. Nobody came in by it, and no bond.
    const theirs = proofOfPossession(world.judgeOf('blockProducers'), { owner: sender.address, operator, key: world.first.key })
    const bonds = await world.blockProducers.totalBondValue()
    await expect(
      world.blockProducers.connect(sender).register(operator, rogue, theirs, '', { value: eth('24') }),
    ).to.be.revertedWithCustomError(world.blockProducers, 'InvalidProofOfPossession')
    assert.equal(await world.blockProducers.producerOf(operator), 0n)
    assert.equal(await world.blockProducers.totalBondValue(), bonds)
  })

  it('refuses infinity and points off the curve', async () => {
    const world = await load()
    const zero = `0x${'0'.repeat(64)}`
    const infinity = { xHi: zero, xLo: zero, yHi: zero, yLo: zero }
    const key = newKey()
    const good = g1(key.toPublicKey())
    const possession = g2(key.sign(new Uint8Array(32)))
    for (const point of [infinity, { ...good, yLo: good.xLo }]) {
      const call = world.blockProducers.register(randomWallet().address, point, possession, '', { value: eth('24') })
      await expect(call).to.revert(connection.ethers)
    }
  })

  it('lets owner and operator, and nobody else, move the peer address', async () => {
    const world = await load()
    for (const address of [world.first.owner, world.first.operator]) {
      const call = world.blockProducers.connect(await world.signer(address)).setPeerAddress(world.first.id, '/ip4/1.2.3.4')
      await expect(call).to.emit(world.blockProducers, 'PeerAddressChanged').withArgs(world.first.id, '/ip4/1.2.3.4')
    }
    await expect(world.blockProducers.setPeerAddress(world.first.id, '')).to.be.revertedWithCustomError(world.blockProducers, 'NotOwner')
    await expect(world.blockProducers.setPeerAddress(99n, '')).to.be.revertedWithCustomError(world.blockProducers, 'ProducerUnknown')
  })
})

describe('BlockProducers: bonds', () => {
  it('bears a loss of the bond pools by all bonds alike, and shares rewards', async () => {
    const world = await load()
    const pot = world.bondEther.connect(await world.signer(world.addresses.stakingPool))
    await pot.recognise(0n, -eth('18.2'))
    for (const value of await bonds(world)) near(value, eth('23.4'), GWEI)
    const late = await world.register(eth('24'))
    near(await world.blockProducers.bondValue(late.id), eth('24'), GWEI)
    for (const value of await bonds(world)) near(value, eth('23.4'), GWEI)
  })

  it('gives a price to new bonds after all shares were burned', async () => {
    const world = await load()
    const pot = world.bondEther.connect(await world.signer(world.addresses.stakingPool))
    await world.stakingPool.deposit({ value: eth('100') })
    await pot.recognise(0n, -eth('183'))
    for (const value of await bonds(world)) assert.equal(value, 0n)
    assert.equal(await world.blockProducers.totalBondValue(), 0n)
    const late = await world.register(eth('24'))
    near(await world.blockProducers.bondValue(late.id), eth('24'), GWEI)
    for (const value of await bonds(world)) assert.ok(value < GWEI)
  })

  it('A28 takes no more than a bond has, however many faults', async () => {
    const world = await load()
    const before = await bonds(world)
    for (let i = 0; i < 4; i++) await world.as.registry.slashSeats(1n, [world.first.id, world.second.id], eth('10'), ZeroAddress)
    assert.equal(await world.blockProducers.bondValue(world.first.id), 0n)
    assert.deepEqual(
      (await bonds(world)).slice(2).map((v, i) => v >= (before[i + 2] ?? 0n) - 10n),
      Array(5).fill(true),
    )
    const cover = await world.bondEther.getPooledEthByShares(await world.bondEther.coverShares())
    near(cover, eth('52'), GWEI)
    assert.equal(await world.as.registry.slashSeats.staticCall(1n, [world.first.id], eth('10'), ZeroAddress), 0n)
    await world.as.disputes.slashOut(world.first.id, ZeroAddress)
    await world.as.disputes.slashOut(world.second.id, ZeroAddress)
    near(sum(await bonds(world)), await world.blockProducers.totalBondValue(), 100n)
  })

  it('A28 takes what is asked, never less, and pays the reporter its share', async () => {
    const world = await load()
    const [reporter] = world.people
    assert.ok(reporter)
    const tx = await world.as.exits.slashSeats(3n, [world.first.id, world.second.id], eth('1'), reporter.address)
    await expect(tx).to.emit(world.blockProducers, 'ProducerSlashed')
    near(await world.bondEther.balanceOf(reporter.address), eth('0.1'))
    near(await world.bondEther.getPooledEthByShares(await world.bondEther.coverShares()), eth('1.9'))
    near(await world.blockProducers.bondValue(world.first.id), eth('25'))
    const taken = await world.as.exits.slashSeats.staticCall(3n, [world.first.id], eth('1'), ZeroAddress)
    assert.ok(taken >= eth('1'))
  })

  it('A28 chargeSeats compensates the payee first and covers with the rest', async () => {
    const world = await load()
    const [payee] = world.people
    assert.ok(payee)
    await world.as.exits.chargeSeats(3n, world.ids.slice(0, 4), eth('0.5'), payee.address, eth('0.7'))
    near(await world.bondEther.balanceOf(payee.address), eth('0.7'))
    near(await world.bondEther.getPooledEthByShares(await world.bondEther.coverShares()), eth('1.3'))
  })

  it('A28 slashes out once: whole bond, out of the list, no bond taken any more', async () => {
    const world = await load()
    const [reporter] = world.people
    assert.ok(reporter)
    await expect(world.as.disputes.slashOut(world.first.id, reporter.address))
      .to.emit(world.periods, 'LeaveQueued')
      .withArgs(world.first.id)
    assert.equal(await world.blockProducers.bondValue(world.first.id), 0n)
    near(await world.bondEther.balanceOf(reporter.address), eth('1.3'))
    near(await world.bondEther.getPooledEthByShares(await world.bondEther.coverShares()), eth('24.7'))
    await expect(world.as.disputes.slashOut(world.first.id, reporter.address)).to.not.emit(world.blockProducers, 'ProducerSlashed')
    near(await world.bondEther.balanceOf(reporter.address), eth('1.3'))
    await expect(world.blockProducers.addBond(world.first.id, { value: eth('30') }))
      .to.be.revertedWithCustomError(world.blockProducers, 'ProducerOut')
      .withArgs(world.first.id)
    assert.equal(await eligible(world, world.first.id, { kind: BOND }), false)
  })

  it('leaves the list below the effective stake and comes back when topped up', async () => {
    const world = await load()
    await expect(world.as.registry.slashSeats(1n, [world.first.id], eth('3'), ZeroAddress)).to.emit(world.periods, 'LeaveQueued')
    await expect(world.as.registry.slashSeats(1n, [world.first.id], eth('3'), ZeroAddress)).to.not.emit(world.periods, 'LeaveQueued')
    await expect(world.blockProducers.addBond(world.first.id, { value: eth('1') })).to.not.emit(world.periods, 'JoinQueued')
    await expect(world.blockProducers.addBond(world.first.id, { value: eth('4') })).to.emit(world.periods, 'JoinQueued')
  })

  it("a gift of bETH changes nobody's bond", async () => {
    const world = await load()
    const before = await bonds(world)
    const [giver] = world.people
    assert.ok(giver)
    await world.stakingPool.connect(giver).deposit({ value: eth('100') })
    await world.bondEther.connect(giver).transfer(world.addresses.blockProducers, eth('90'))
    assert.deepEqual(await bonds(world), before)
    const late = await world.register(eth('24'))
    near(await world.blockProducers.bondValue(late.id), eth('24'))
    await world.as.disputes.slashOut(world.first.id, ZeroAddress)
    near(sum(await bonds(world)) + eth('24'), await world.blockProducers.totalBondValue(), 100n)
  })

  it('obeys only its contracts', async () => {
    const { blockProducers, ids, as } = await load()
    const refused = (call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(blockProducers, error)
    await refused(blockProducers.lockSeats(1n, STAKER, ids), 'NotVaultDraws')
    await refused(as.draws.releaseSeats(1n, STAKER, ids, await clock()), 'NotAllowed')
    await refused(as.draws.slashSeats(1n, ids, 1n, ZeroAddress), 'NotAllowed')
    await refused(as.disputes.slashSeats(1n, ids, 1n, ZeroAddress), 'NotAllowed')
    await refused(as.disputes.chargeSeats(1n, ids, 1n, ZeroAddress, 0n), 'NotAllowed')
    await refused(as.exits.slashOut(1n, ZeroAddress), 'NotAllowed')
    await refused(as.disputes.slashOut(99n, ZeroAddress), 'ProducerUnknown')
    await refused(blockProducers.addBond(99n, { value: 1n }), 'ProducerUnknown')
  })
})
