import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { MemberIndex } from '../../../../operator/core/ids.ts'
import { bytesToHex } from '../../../../operator/core/parse.ts'
import { scalarFromBigInt, scalarToBytes } from '../../../../operator/protocol/bls/scalars.ts'
import { verifySignature } from '../../../../operator/protocol/bls/signatures.ts'
import { combinePartials } from '../../../../operator/protocol/bls/threshold.ts'
import { judgeComplaint } from '../../../../operator/protocol/dkg/complaint.ts'
import { makeHandoverDealing } from '../../../../operator/protocol/rotation/handover.ts'
import { handoverResult } from '../../../../operator/protocol/rotation/transcript.ts'
import { decryptKeystore } from '../../../../operator/signer/keystore.ts'
import { openSigner } from '../../../../operator/signer/open.ts'
import { field } from '../protocol/bls/support.ts'
import { handoverFrom } from '../protocol/rotation/support.ts'
import {
  blockAt,
  dealAll,
  handOver,
  handoverOf,
  joinAll,
  makeKey,
  namedBy,
  nodesOf,
  POOL,
  refusalOf,
  restart,
  termOf,
  terms,
  voteFor,
} from './handover-support.ts'
import { password, rootOf, withCode } from './support.ts'

const sharesIn = (dataDir: string): readonly string[] => readdirSync(join(dataDir, 'signer', 'shares')).sort()
const statesIn = (dataDir: string): readonly string[] =>
  readdirSync(join(dataDir, 'signer', 'ceremonies')).filter((name) => !name.endsWith('.erased'))

describe('a handover, behind its port', () => {
  it('gives new shares that sign with the same key, beside the old ones; shares of different terms do not combine', async (test) => {
    const nodes = await nodesOf(test, 6)
    const old = await makeKey(nodes.slice(0, 4))
    // Nodes 3 and 4 are in both vaults.
    const young = await handOver(old, { round: 1, nodes: nodes.slice(2) })
    const root = rootOf(7)
    const known = terms({ head: [termOf(old, 0), termOf(young, 20)], finalizedEpoch: 18, ended: 1 })
    const partial = (vault: typeof old, place: number, epoch: number) => {
      const { signer } = vault.nodes[place - 1] ?? assert.fail()
      signer.shares.learn(known)
      return {
        index: place,
        signature: signer.shares.signRoot({
          poolId: POOL,
          round: vault.round,
          epoch: epoch as never,
          purpose: 'randao',
          signingRoot: root,
        }),
      }
    }
    const holds = (partials: readonly ReturnType<typeof partial>[]) =>
      verifySignature(old.groupKey, root, combinePartials(partials, partials.length))
    const [before, after] = [old, young].map((vault, at) => [1, 2, 3, 4].map((place) => partial(vault, place, 19 + at)))
    assert.ok(before !== undefined && after !== undefined)
    for (const without of [0, 1, 2, 3]) {
      assert.ok(holds(before.filter((_, at) => at !== without)))
      assert.ok(holds(after.filter((_, at) => at !== without)))
    }
    for (const mixed of [
      [0, 1],
      [0, 2],
      [2, 3],
    ]) {
      const some = before.map((one, at) => (mixed.includes(at) ? (after[at] ?? one) : one))
      assert.ok(!holds(some.slice(0, 3)) || mixed.every((at) => at === 3), mixed.join())
    }
    for (const [at, { index, signature }] of after.entries())
      assert.ok(verifySignature(young.publicShares[at] ?? assert.fail(), root, signature), `${index}`)
  })

  it('deals the same after a restart, and never without the share of the term', async (test) => {
    const nodes = await nodesOf(test, 8)
    const old = await makeKey(nodes.slice(0, 4))
    const to = { round: 1, nodes: nodes.slice(4) }
    const keys = await joinAll(old, to)
    const [dealer] = old.nodes
    assert.ok(dealer)
    const context = handoverOf(old, to, dealer)
    const dealing = await dealer.signer.handover.deal(context, namedBy(keys, context))
    await restart(dealer)
    assert.equal(await dealer.signer.handover.begin(context), keys[4])
    assert.deepEqual(await dealer.signer.handover.deal(context, namedBy(keys, context)), dealing)
    // Other join keys now: the dealing is the one that it made.
    assert.deepEqual(await dealer.signer.handover.deal(context, namedBy(keys, context).with(0, null)), dealing)
    const [, second] = old.nodes
    assert.ok(second)
    const own = handoverOf(old, to, second)
    const swapped = [...old.publicShares.slice(1), ...old.publicShares.slice(0, 1)]
    await assert.rejects(second.signer.handover.deal({ ...own, oldPublicShares: swapped }, namedBy(keys, own)), withCode('SHARE_MISSING'))
    await assert.rejects(second.signer.handover.deal({ ...own, oldRound: 5 }, namedBy(keys, own)), withCode('SHARE_MISSING'))
    const [fresh] = to.nodes
    assert.ok(fresh)
    await assert.rejects(fresh.signer.handover.deal(handoverOf(old, to, fresh), keys), withCode('NO_SEAT'))
    await assert.rejects(fresh.signer.handover.sign(handoverOf(old, to, fresh), rootOf(1)), withCode('CONFLICTING_STEP'))
  })

  it('makes one new share only, of dealings that all opened', async (test) => {
    const nodes = await nodesOf(test, 8)
    const old = await makeKey(nodes.slice(0, 4))
    const to = { round: 1, nodes: nodes.slice(4) }
    const dealings = await dealAll(old, to)
    const [node] = to.nodes
    assert.ok(node)
    const context = handoverOf(old, to, node)
    const chosen = dealings.slice(0, 3)
    await assert.rejects(node.signer.handover.combine(context, chosen), withCode('SHARE_MISSING'))
    for (const dealing of dealings) await node.signer.handover.open(context, dealing)
    await node.signer.handover.combine(context, chosen)
    await restart(node)
    await node.signer.handover.combine(context, chosen)
    await assert.rejects(node.signer.handover.combine(context, dealings.slice(1)), withCode('CONFLICTING_STEP'))
    await node.signer.handover.sign(context, rootOf(1))
    await assert.rejects(node.signer.handover.sign(context, rootOf(2)), withCode('CONFLICTING_STEP'))
    await assert.rejects(node.signer.handover.commit(context, old.publicShares), withCode('BAD_RESULT'))
  })

  it('A33 keeps its share also when another’s is zero', async (test) => {
    const [node] = await nodesOf(test, 1)
    assert.ok(node)
    const { handover, deal, oldShares } = handoverFrom(13n, { oldSize: 4, size: 4 })
    const context = { ...handover, kind: 'rotation', oldRound: 0, receiver: 1 as MemberIndex } as const
    const joinKey = await node.signer.handover.begin(context)
    // Values of zero for member 4.
    const dealings = [1, 2, 3].map((place) => {
      const constant = BigInt(bytesToHex(scalarToBytes(oldShares[place - 1] ?? assert.fail())))
      const slope = field.neg(field.div(field.add(constant, 16n), 4n))
      const coefficients = [constant, slope, 1n].map(scalarFromBigInt)
      const { dealer, joinKeys } = deal(place)
      const secrets = { coefficients, ephemeral: handoverFrom(13n, { oldSize: 4, size: 4 }).secretOf(dealer) }
      return makeHandoverDealing(handover, { dealer, joinKeys: joinKeys.with(0, joinKey) }, secrets)
    })
    for (const dealing of dealings) assert.equal((await node.signer.handover.open(context, dealing)).good, true)
    await node.signer.handover.combine(context, dealings)
    const { publicShares } = handoverResult(handover, dealings)
    assert.equal(publicShares[3], `0xc0${'00'.repeat(47)}`)
    await node.signer.handover.commit(context, publicShares)
    await restart(node)
    assert.deepEqual(
      node.signer.shares.pools().map((info) => info.publicShares),
      [publicShares],
    )
  })

  it('A33 complains about a bad share and about nothing else', async (test) => {
    const nodes = await nodesOf(test, 8)
    const old = await makeKey(nodes.slice(0, 4))
    const to = { round: 1, nodes: nodes.slice(4) }
    const [good] = await dealAll(old, to)
    const [node] = to.nodes
    assert.ok(node && good)
    const context = handoverOf(old, to, node)
    const bad = { ...good, ciphertexts: good.ciphertexts.with(0, good.ciphertexts[1] ?? null) }
    assert.equal((await node.signer.handover.open(context, bad)).good, false)
    const [dealer] = old.nodes
    assert.ok(dealer)
    const possession = await dealer.signer.handover.possession(handoverOf(old, to, dealer), good.dealer)
    // Without the dealer's proof, or with another's, it may be another's share that a complaint opens.
    const foreign = await node.signer.handover.possession(context, 1 as MemberIndex)
    const copied = { ...bad, joinKeys: bad.joinKeys.with(good.dealer - 1, (await joinAll(old, to))[5] ?? null) }
    for (const proof of [foreign, possession]) assert.equal(await node.signer.handover.complain(context, copied, proof), null)
    assert.equal(await node.signer.handover.complain(context, bad, foreign), null)
    const complaint = await node.signer.handover.complain(context, bad, possession)
    assert.ok(complaint)
    assert.equal(judgeComplaint(context, bad, complaint).guilty, 'dealer')
    await restart(node)
    assert.deepEqual(await node.signer.handover.complain(context, bad, possession), complaint)
    assert.equal(await node.signer.handover.complain(context, good, possession), null)
    // What all see needs none; nor can one be made about a key that is not the own.
    assert.equal(await node.signer.handover.complain(context, { ...bad, commitments: bad.commitments.slice(1) }, possession), null)
    const other = { ...bad, joinKeys: bad.joinKeys.with(0, bad.joinKeys[1] ?? null) }
    assert.equal(await node.signer.handover.complain(context, other, possession), null)
  })
})

describe('the terms of shares', () => {
  it('the old share signs before the cutover, the new one from it on and once it is final; in between nobody', async (test) => {
    const nodes = await nodesOf(test, 8)
    const old = await makeKey(nodes.slice(0, 4))
    const young = await handOver(old, { round: 1, nodes: nodes.slice(4) })
    const [before, after] = [old.nodes[0] ?? assert.fail(), young.nodes[0] ?? assert.fail()]
    const first = [termOf(old, 0)]
    const both = [termOf(old, 0), termOf(young, 20)]
    const learn = (known: ReturnType<typeof terms>) => [before, after].forEach((node) => void node.signer.shares.learn(known))
    const states = (epoch: number) =>
      [refusalOf(before, voteFor(0, epoch)), refusalOf(after, voteFor(1, epoch))].map((refusal) => refusal?.split(':')[0])

    learn(terms({ head: first, finalizedEpoch: 13 }))
    assert.deepEqual(states(15), [undefined, 'NOT_IN_CHARGE'])
    // Completed in epoch 15, not final.
    learn(terms({ head: both, finalized: first, finalizedEpoch: 17 }))
    assert.deepEqual(states(19), [undefined, 'NOT_IN_CHARGE'])
    assert.deepEqual(states(20), ['NOT_IN_CHARGE', 'NOT_IN_CHARGE'])
    // Taken back by a reorganization.
    learn(terms({ head: first, finalizedEpoch: 17 }))
    assert.deepEqual(states(20), [undefined, 'NOT_IN_CHARGE'])
    // Final, also after the cutover.
    learn(terms({ head: both, finalizedEpoch: 18, ended: 1 }))
    assert.deepEqual(states(19), [undefined, 'NOT_IN_CHARGE'])
    assert.deepEqual(states(20), ['NOT_IN_CHARGE', undefined])
    assert.match(before.signer.shares.checkBlock(blockAt(0, 80)) ?? '', /^NOT_IN_CHARGE/)
    assert.equal(after.signer.shares.checkBlock(blockAt(1, 80)), undefined)
    assert.throws(() => before.signer.shares.signAttestation(voteFor(0, 20)), withCode('NOT_IN_CHARGE'))
    assert.throws(() => after.signer.shares.signBlock(blockAt(1, 79)), withCode('NOT_IN_CHARGE'))
    assert.throws(
      () => before.signer.shares.signRoot({ poolId: POOL, round: 0, epoch: 20 as never, purpose: 'exit', signingRoot: rootOf(1) }),
      withCode('NOT_IN_CHARGE'),
    )
  })

  it('a member that has dealt signs only for epochs that finality is close to, also after a restart, until the handover is over', async (test) => {
    const nodes = await nodesOf(test, 8)
    const old = await makeKey(nodes.slice(0, 4))
    const to = { round: 1, nodes: nodes.slice(4) }
    const keys = await joinAll(old, to)
    const [dealer, idle] = [old.nodes[0] ?? assert.fail(), old.nodes[1] ?? assert.fail()]
    const context = handoverOf(old, to, dealer)
    const first = [termOf(old, 0)]
    dealer.signer.shares.learn(terms({ head: first, finalizedEpoch: 10 }))
    assert.equal(refusalOf(dealer, voteFor(0, 15)), undefined)
    await dealer.signer.handover.deal(context, namedBy(keys, context))
    assert.equal(refusalOf(dealer, voteFor(0, 14)), undefined)
    assert.match(refusalOf(dealer, voteFor(0, 15)) ?? '', /^FINALITY_BEHIND/)
    await restart(dealer)
    assert.match(refusalOf(dealer, voteFor(0, 14)) ?? '', /^FINALITY_BEHIND/, 'nothing is known yet')
    dealer.signer.shares.learn(terms({ head: first, finalizedEpoch: 11 }))
    assert.equal(refusalOf(dealer, voteFor(0, 15)), undefined)
    assert.match(refusalOf(dealer, voteFor(0, 16)) ?? '', /^FINALITY_BEHIND/)
    // Who has not dealt is not held up.
    idle.signer.shares.learn(terms({ head: first, finalizedEpoch: 3 }))
    assert.equal(refusalOf(idle, voteFor(0, 16)), undefined)
    // Failed, finally.
    dealer.signer.shares.learn(terms({ head: first, finalizedEpoch: 11, ended: 1 }))
    assert.equal(refusalOf(dealer, voteFor(0, 16)), undefined)
  })

  it('the record of a new vault begins two epochs before the cutover, one before, and at the last slot before it', async (test) => {
    const nodes = await nodesOf(test, 6)
    const old = await makeKey(nodes.slice(0, 4))
    const young = await handOver(old, { round: 1, nodes: nodes.slice(2) })
    const [both, fresh] = [young.nodes[0] ?? assert.fail(), young.nodes[3] ?? assert.fail()]
    both.signer.shares.learn(terms({ head: [termOf(old, 0)], finalizedEpoch: 16 }))
    both.signer.shares.signAttestation(voteFor(0, 18))
    const known = terms({ head: [termOf(old, 0), termOf(young, 20)], finalizedEpoch: 18, ended: 1 })
    for (const node of [both, fresh]) {
      node.signer.shares.learn(known)
      assert.match(refusalOf(node, voteFor(1, 20, { source: 17 })) ?? '', /^SOURCE_TOO_OLD/)
      assert.equal(refusalOf(node, voteFor(1, 20, { source: 18 })), undefined)
    }
    // In both vaults: the old term's last duty may come after the new one's first, and no rule is broken by it.
    both.signer.shares.signAttestation(voteFor(1, 20, { source: 19 }))
    both.signer.shares.signAttestation(voteFor(0, 19, { source: 18 }))
    assert.match(refusalOf(both, voteFor(0, 19, { source: 17, root: 3 })) ?? '', /^DOUBLE_VOTE/)
    // Also by the database alone, whatever becomes of the share.
    await restart(fresh)
    fresh.signer.shares.learn(terms({ head: [{ ...termOf(young, 20), from: 1 as never }], finalizedEpoch: 18, ended: 1 }))
    assert.match(refusalOf(fresh, voteFor(1, 20, { source: 17 })) ?? '', /^SOURCE_TOO_OLD/)
    assert.match(refusalOf(fresh, voteFor(1, 19, { source: 18 })) ?? '', /^TARGET_TOO_OLD/)
    assert.match(fresh.signer.shares.checkBlock(blockAt(1, 79)) ?? '', /^SLOT_TOO_OLD/)
    assert.equal(fresh.signer.shares.checkBlock(blockAt(1, 80)), undefined)
  })

  it('an old share is erased when its end is final and past, a new one when its handover has failed; what is left opens nothing of it', async (test) => {
    const nodes = await nodesOf(test, 6)
    const old = await makeKey(nodes.slice(0, 4))
    const young = await handOver(old, { round: 1, nodes: nodes.slice(2) })
    const leaver = old.nodes[0] ?? assert.fail()
    const stayer = old.nodes[2] ?? assert.fail()
    const newcomer = young.nodes[3] ?? assert.fail()
    const copy = readFileSync(join(leaver.dataDir, 'signer', 'shares', 'pool-3-round-0.keystore.json'), 'utf8')
    const secret = (await decryptKeystore({ text: copy, password, path: 'copy' })).toBytes()
    const both = [termOf(old, 0), termOf(young, 20)]
    const learn = (known: ReturnType<typeof terms>) => [leaver, stayer, newcomer].forEach((node) => void node.signer.shares.learn(known))
    const held = () => [leaver, stayer, newcomer].map(({ signer }) => signer.shares.pools().map(({ round }) => round))

    learn(terms({ head: both, finalized: both.slice(0, 1), finalizedEpoch: 30 }))
    assert.deepEqual(held(), [[0], [0, 1], [1]], 'not final, however late')
    learn(terms({ head: both, finalizedEpoch: 19, ended: 1 }))
    assert.deepEqual(held(), [[0], [0, 1], [1]], 'final, and the cutover to come')
    learn(terms({ head: both, finalizedEpoch: 20, ended: 1 }))
    assert.deepEqual(held(), [[], [1], [1]])
    for (const node of [leaver, stayer, newcomer]) await node.signer.handover.erase(handoverOf(old, young, node))
    assert.deepEqual(sharesIn(leaver.dataDir), [])
    assert.deepEqual(sharesIn(stayer.dataDir), ['pool-3-round-1.json', 'pool-3-round-1.keystore.json'])
    for (const { dataDir, signer } of [leaver, stayer]) {
      assert.deepEqual(statesIn(dataDir), [])
      signer.close()
      // Neither the secret nor a keystore of it is in any file.
      for (const file of readdirSync(dataDir, { recursive: true, withFileTypes: true })) {
        if (!file.isFile()) continue
        const bytes = readFileSync(join(file.parentPath, file.name))
        assert.ok(!bytes.includes(Buffer.from(secret)) && !bytes.includes(Buffer.from(secret).toString('hex')), file.name)
        if (!file.name.endsWith('.keystore.json')) continue
        const opened = await decryptKeystore({ text: bytes.toString('utf8'), password, path: file.name })
        assert.notDeepEqual(opened.toBytes(), secret)
      }
    }
    leaver.signer = await openSigner({ dataDir: leaver.dataDir, password })
    stayer.signer = await openSigner({ dataDir: stayer.dataDir, password })
    assert.deepEqual(held(), [[], [1], [1]])
  })

  it('a handover that failed leaves the old share, and takes the new one away', async (test) => {
    const nodes = await nodesOf(test, 6)
    const old = await makeKey(nodes.slice(0, 4))
    const void_ = await handOver(old, { round: 1, nodes: nodes.slice(2) })
    const both = void_.nodes[0] ?? assert.fail()
    const first = [termOf(old, 0)]
    both.signer.shares.learn(terms({ head: first, finalizedEpoch: 30 }))
    assert.deepEqual(
      both.signer.shares.pools().map(({ round }) => round),
      [0, 1],
      'it may still be completed',
    )
    both.signer.shares.learn(terms({ head: first, finalizedEpoch: 30, ended: 1 }))
    assert.deepEqual(
      both.signer.shares.pools().map(({ round }) => round),
      [0],
    )
    assert.equal(refusalOf(both, voteFor(0, 31)), undefined)
    // The next round hands over as if nothing had been.
    const young = await handOver(old, { round: 2, nodes: nodes.slice(2) })
    both.signer.shares.learn(terms({ head: [termOf(old, 0), termOf(young, 40)], finalizedEpoch: 41, ended: 2 }))
    assert.deepEqual(
      both.signer.shares.pools().map(({ round }) => round),
      [2],
    )
    assert.equal(refusalOf(both, voteFor(2, 41)), undefined)
  })

  it('an erasure that a crash interrupted is finished when the folder is opened', async (test) => {
    const nodes = await nodesOf(test, 4)
    await makeKey(nodes)
    const [node] = nodes
    assert.ok(node)
    const folder = join(node.dataDir, 'signer', 'shares')
    node.signer.close()
    // As the first step of an erasure leaves it.
    renameSync(join(folder, 'pool-3-round-0.json'), join(folder, 'pool-3-round-0.over'))
    node.signer = await openSigner({ dataDir: node.dataDir, password })
    assert.deepEqual(node.signer.shares.pools(), [])
    assert.ok(!existsSync(join(folder, 'pool-3-round-0.keystore.json')))
    assert.deepEqual(sharesIn(node.dataDir), [])
  })
})
