import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Address, Epoch, Hex, MemberIndex, PublicKey, Slot } from '../../../../operator/core/ids.ts'
import { bytesToHex, hexToBytes, toAddress, toPoolId } from '../../../../operator/core/parse.ts'
import type { CeremonyContext, Dealing, Reveal } from '../../../../operator/core/ports/ceremony.ts'
import { thresholdOf } from '../../../../operator/core/vault.ts'
import { verifySignature } from '../../../../operator/protocol/bls/signatures.ts'
import { combinePartials } from '../../../../operator/protocol/bls/threshold.ts'
import { judgeComplaint } from '../../../../operator/protocol/dkg/complaint.ts'
import { resultOf } from '../../../../operator/protocol/dkg/result.ts'
import { openSigner, type Signer } from '../../../../operator/signer/open.ts'
import { NobleG1, order } from '../protocol/bls/support.ts'
import { newSigner, password, rootOf, withCode } from './support.ts'

const contract: Address = toAddress(`0x${'5a'.repeat(20)}`)

type Member = { readonly dataDir: string; readonly signer: Signer; readonly context: CeremonyContext }

async function vaultOf(test: TestContext, size: number): Promise<readonly Member[]> {
  const members: Member[] = []
  for (let self = 1; self <= size; self++) {
    const { dataDir, signer } = await newSigner(test)
    const context: CeremonyContext = {
      chainId: 1n,
      contract,
      poolId: toPoolId(3),
      kind: 'dkg',
      round: 0,
      size,
      threshold: thresholdOf(size),
      self: self as MemberIndex,
    }
    members.push({ dataDir, signer, context })
  }
  return members
}

const all = <T>(members: readonly Member[], step: (member: Member) => Promise<T>): Promise<T[]> => Promise.all(members.map(step))
const indices = (size: number) => Array.from({ length: size }, (_, i) => (i + 1) as MemberIndex)

async function dealAll(members: readonly Member[]) {
  const joinKeys = await all(members, ({ signer, context }) => signer.ceremony.begin(context))
  const dealings = await all(members, ({ signer, context }) => signer.ceremony.deal(context, joinKeys))
  return { joinKeys, dealings }
}

async function openAll(members: readonly Member[], dealings: readonly Dealing[]) {
  for (const { signer, context } of members) {
    for (const dealing of dealings) assert.deepEqual(await signer.ceremony.open(context, dealing), { dealer: dealing.dealer, good: true })
  }
}

describe('a ceremony, behind its port', () => {
  for (const size of [4, 7]) {
    it(`makes a key that any t of ${size} shares sign with, and stores them`, async (test) => {
      const members = await vaultOf(test, size)
      const { dealings } = await dealAll(members)
      await openAll(members, dealings)
      const qualified = indices(size)
      const reveals = await all(members, ({ signer, context }) => signer.ceremony.reveal(context, qualified))
      const [first] = members
      assert.ok(first)
      const result = resultOf({ context: first.context, dealings, qualified, reveals })
      const root = rootOf(1)
      const partials = await all(members, async ({ signer, context }) => ({
        index: context.self,
        signature: await signer.ceremony.sign(context, root),
      }))
      for (const { index, signature } of partials) assert.ok(verifySignature(result.publicShares[index - 1] as PublicKey, root, signature))
      const signature = combinePartials(partials.slice(-thresholdOf(size)), thresholdOf(size))
      assert.ok(verifySignature(result.groupKey, root, signature))

      // The key is the sum of the constant terms.
      const constants = reveals.map(({ constantTerm }) => NobleG1.fromHex(compress(constantTerm?.point)))
      assert.equal(`0x${constants.reduce((sum, point) => sum.add(point), NobleG1.ZERO).toHex(true)}`, result.groupKey)

      await all(members, ({ signer, context }) => signer.ceremony.commit(context, result))
      await all(members, ({ signer, context }) => signer.ceremony.erase(context))
      for (const member of members) {
        const info = {
          poolId: toPoolId(3),
          round: 0,
          memberIndex: member.context.self,
          groupKey: result.groupKey,
          publicShares: result.publicShares,
        }
        assert.deepEqual(member.signer.shares.pools(), [info])
        member.signer.close()
        const again = await openSigner({ dataDir: member.dataDir, password })
        assert.deepEqual(again.shares.pools(), [info])
        const request = {
          poolId: toPoolId(3),
          round: 0,
          slot: 9 as Slot,
          sourceEpoch: 1 as Epoch,
          targetEpoch: 2 as Epoch,
          signingRoot: root,
        }
        const partial = again.shares.signAttestation(request)
        assert.equal(partial, partials[member.context.self - 1]?.signature)
        assert.match(again.shares.checkAttestation({ ...request, signingRoot: rootOf(2) }) ?? '', /^DOUBLE_VOTE/)
        assert.throws(() => again.shares.signAttestation({ ...request, signingRoot: rootOf(2) }), withCode('DOUBLE_VOTE'))
        assert.equal(
          again.shares.checkBlock({ poolId: toPoolId(3), round: 0, epoch: 2 as Epoch, slot: 9 as Slot, signingRoot: root }),
          undefined,
        )
        assert.throws(
          () => again.shares.signBlock({ poolId: toPoolId(4), round: 0, epoch: 2 as Epoch, slot: 9 as Slot, signingRoot: root }),
          withCode('UNKNOWN_POOL'),
        )
        await assert.rejects(again.ceremony.begin(member.context), withCode('CONFLICTING_STEP'))
        again.close()
      }
    })
  }

  it('deals the same, reveals the same, after a restart in between', async (test) => {
    const members = await vaultOf(test, 4)
    const { joinKeys, dealings } = await dealAll(members)
    await openAll(members, dealings)
    const [member] = members
    assert.ok(member)
    const { context, dataDir } = member
    await member.signer.ceremony.check(context, [rootOf(8), null, null, rootOf(7)])
    const reveal = await member.signer.ceremony.reveal(context, indices(4))
    member.signer.close()
    const again = await openSigner({ dataDir, password })
    test.after(() => again.close())
    assert.equal(await again.ceremony.begin(context), joinKeys[0])
    assert.deepEqual(await again.ceremony.deal(context, joinKeys), dealings[0])
    assert.deepEqual(await again.ceremony.deal(context, [joinKeys[0] ?? null, null, null, null]), dealings[0])
    assert.deepEqual(await again.ceremony.check(context, [rootOf(9), null, null, null]), [rootOf(8), null, null, rootOf(7)])
    assert.deepEqual(await again.ceremony.reveal(context, indices(4)), reveal)
    await assert.rejects(again.ceremony.reveal(context, indices(3)), withCode('CONFLICTING_STEP'))
    await again.ceremony.sign(context, rootOf(1))
    await assert.rejects(again.ceremony.sign(context, rootOf(2)), withCode('CONFLICTING_STEP'))
    await assert.rejects(again.ceremony.begin({ ...context, self: 2 as MemberIndex }), withCode('CONFLICTING_STEP'))
  })

  it('keeps its state sealed and forgets it', async (test) => {
    const members = await vaultOf(test, 4)
    const { dealings } = await dealAll(members)
    const [member] = members
    assert.ok(member)
    const folder = join(member.dataDir, 'signer', 'ceremonies')
    const contents = () => readdirSync(folder).map((name) => readFileSync(join(folder, name)).toString('latin1'))
    assert.equal(contents().length, 2)
    for (const content of contents()) assert.ok(!content.includes('ephemeral') && !content.includes(dealings[0]?.commitments[0] ?? ''))
    await member.signer.ceremony.erase(member.context)
    assert.deepEqual(contents(), [''])
    await assert.rejects(member.signer.ceremony.open(member.context, dealings[1] as Dealing), withCode('NOT_BEGUN'))
    await assert.rejects(member.signer.ceremony.begin(member.context), withCode('CONFLICTING_STEP'))
  })

  it('finds every fault a dealer can hide from others', async (test) => {
    const members = await vaultOf(test, 4)
    const { joinKeys, dealings } = await dealAll(members)
    const [victim] = members
    const [, dealing, other] = dealings
    assert.ok(victim && dealing && other)
    const { ceremony } = victim.signer
    const judge = async (change: Partial<Dealing>) => {
      const opened = await ceremony.open(victim.context, { ...dealing, ...change })
      return opened.good ? 'good' : `${opened.fault}: ${opened.reason}`
    }
    const flipped = (text: Hex | null | undefined) => bytesToHex(hexToBytes(text ?? '0x').map((byte, i) => (i === 31 ? byte ^ 1 : byte)))
    const tooBig = (text: Hex | null | undefined) => {
      const bytes = hexToBytes(text ?? '0x')
      return bytesToHex(bytes.map((byte, i) => (i === 0 ? byte ^ 0x80 : byte)))
    }
    const replaceFirst = <T>(list: readonly T[], value: NoInfer<T>): readonly T[] => list.with(0, value)
    assert.match(
      await judge({ ciphertexts: replaceFirst(dealing.ciphertexts, flipped(dealing.ciphertexts[0])) }),
      /^hidden: .*does not fit/,
    )
    assert.match(await judge({ ciphertexts: replaceFirst(dealing.ciphertexts, tooBig(dealing.ciphertexts[0])) }), /^hidden: .*group order/)
    assert.match(await judge({ ciphertexts: replaceFirst(dealing.ciphertexts, null) }), /^shown: .*ciphertext/)
    assert.match(await judge({ commitments: other.commitments }), /^hidden: .*does not fit/)
    assert.match(await judge({ commitments: dealing.commitments.slice(1) }), /^shown: .*commitments/)
    assert.match(await judge({ commitments: replaceFirst(dealing.commitments, `0x${'00'.repeat(128)}`) }), /^shown: .*valid point/)
    assert.match(await judge({ joinKeys: replaceFirst(dealing.joinKeys, joinKeys[1] ?? null) }), /^shown: .*another join key/)
    assert.equal(await judge({}), 'good')
  })

  it('A33 complains about a bad share that nobody else sees, the same after a restart, and opens no good one', async (test) => {
    const members = await vaultOf(test, 4)
    const { joinKeys, dealings } = await dealAll(members)
    const [victim] = members
    const [, dealing, other] = dealings
    assert.ok(victim && dealing && other)
    const { context, dataDir, signer } = victim
    const bad = { ...dealing, ciphertexts: dealing.ciphertexts.with(0, other.ciphertexts[0] ?? null) }
    const possessions = await all(members, (each) => each.signer.ceremony.possession(each.context))
    const [, possession = assert.fail(), foreign = assert.fail()] = possessions
    const complaint = await signer.ceremony.complain(context, bad, possession)
    assert.ok(complaint)
    assert.equal(judgeComplaint(context, bad, complaint).guilty, 'dealer')
    await assert.rejects(signer.ceremony.complain(context, other, foreign), withCode('GOOD_SHARE'))
    // A dealing that names another's key as the dealer's: the point shared with that other stays closed.
    const copied = { ...bad, joinKeys: joinKeys.with(1, joinKeys[2] ?? '0x') }
    for (const proof of [possession, foreign]) assert.equal(await signer.ceremony.complain(context, copied, proof), null)
    assert.equal(await signer.ceremony.complain(context, { ...bad, joinKeys: joinKeys.with(0, joinKeys[3] ?? '0x') }, possession), null)
    assert.equal(await signer.ceremony.complain(context, { ...bad, commitments: bad.commitments.slice(1) }, possession), null)
    signer.close()
    const again = await openSigner({ dataDir, password })
    test.after(() => again.close())
    assert.deepEqual(await again.ceremony.complain(context, bad, possession), complaint)
    await assert.rejects(again.ceremony.complain(context, dealing, possession), withCode('GOOD_SHARE'))
  })

  it('binds a dealing to its ceremony round', async (test) => {
    const members = await vaultOf(test, 4)
    const { dealings } = await dealAll(members)
    const [victim] = members
    assert.ok(victim && dealings[1])
    const next = { ...victim.context, round: 1 }
    await victim.signer.ceremony.begin(next)
    assert.equal((await victim.signer.ceremony.open(next, dealings[1])).good, false)
  })

  it('refuses to reveal without a good share of every qualified dealer, or to store a result that is not its own', async (test) => {
    const members = await vaultOf(test, 4)
    const { dealings } = await dealAll(members)
    await openAll(members, dealings.slice(0, 3))
    const [first] = members
    assert.ok(first)
    const { ceremony } = first.signer
    await assert.rejects(ceremony.reveal(first.context, indices(4)), withCode('SHARE_MISSING'))
    const qualified = indices(3)
    const reveals: readonly Reveal[] = await all(members, ({ signer, context }) => signer.ceremony.reveal(context, qualified))
    assert.equal(reveals[3]?.constantTerm, null)
    const result = resultOf({ context: first.context, dealings, qualified, reveals })
    const swapped = { ...result, publicShares: result.publicShares.toReversed() }
    await assert.rejects(ceremony.commit(first.context, swapped), withCode('BAD_RESULT'))
    await assert.rejects(
      ceremony.commit(first.context, { ...result, groupKey: result.publicShares[1] as PublicKey }),
      withCode('BAD_RESULT'),
    )
    await ceremony.commit(first.context, result)
    await ceremony.commit(first.context, result)
  })
})

function compress(point: Hex | undefined): string {
  const bytes = hexToBytes(point ?? '0x')
  const x = Buffer.from(bytes.subarray(16, 64)).toString('hex')
  const y = Buffer.from(bytes.subarray(80, 128)).toString('hex')
  assert.ok(BigInt(`0x${x}`) < order ** 2n)
  return NobleG1.fromAffine({ x: BigInt(`0x${x}`), y: BigInt(`0x${y}`) }).toHex(true)
}
