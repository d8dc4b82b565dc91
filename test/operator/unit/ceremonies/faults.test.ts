import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CeremonyPorts } from '../../../../operator/ceremonies/types.ts'
import type { Hex, MemberIndex, ProducerId } from '../../../../operator/core/ids.ts'
import type { Complaint, Dealing } from '../../../../operator/core/ports/ceremony.ts'
import { scalarFromBigInt } from '../../../../operator/protocol/bls/scalars.ts'
import { makeComplaint } from '../../../../operator/protocol/dkg/complaint.ts'
import { complaintDigest, dealingHash } from '../../../../operator/protocol/messages/ceremony.ts'
import { decodeCeremony, encodeCeremony } from '../../../../operator/protocol/messages/ceremony-codec.ts'
import { ADDRESSES, POOL, SLOT_MS } from './support/chain.ts'
import {
  anotherKey,
  anotherProof,
  BAD,
  dealing,
  flip,
  rulesSeenBy,
  SIZE,
  shape,
  sign,
  signedAgain,
  tampered,
  twoFaced,
} from './support/faulty-member.ts'
import type { Tamper } from './support/member.ts'
import { assertCompleted } from './support/oracle.ts'
import { makeWorld, STORM, type WorldOptions } from './support/world.ts'

const firstRound = { poolId: POOL, kind: 'dkg', round: 0, chainId: 7n, contract: ADDRESSES.poolRegistry } as const

/** As it opens member 1's dealing, tells all its complaint about it, as it makes it from an honest one; signed for `signedFor`. */
const complaining = (
  { network, secrets }: CeremonyPorts,
  made: { readonly bend: (complaint: Complaint) => Partial<Complaint>; readonly signedFor?: typeof firstRound | { readonly round: 1 } },
): CeremonyPorts['secrets']['open'] => {
  const about = (dealing: Dealing): void => {
    const secret = { ephemeral: scalarFromBigInt(99n), nonce: scalarFromBigInt(5n) }
    const honest = makeComplaint(firstRound, { dealing, member: BAD as MemberIndex }, secret)
    const complaint = { ...honest, ...made.bend(honest) }
    const signature = sign(complaintDigest({ ...firstRound, ...made.signedFor }, complaint, dealingHash(firstRound, dealing)))
    const bytes = encodeCeremony(firstRound, { kind: 'complaint', complaint, signature })
    for (const to of [1, 2, 4]) network.send(to as ProducerId, 'ceremony', bytes)
  }
  return async (context, dealing) => {
    if (dealing.dealer === 1) about(dealing)
    const { good } = await secrets.open(context, dealing)
    const { dealer } = dealing
    return good || context.self === BAD ? { dealer, good: true } : { dealer, good: false, fault: 'hidden', reason: '' }
  }
}

/** Joins with a key whose secret the test knows, so that the proofs of its complaint hold unless bent. */
const complainer = (bend: (complaint: Complaint) => Partial<Complaint>): Tamper =>
  tampered((ports) => ({
    secrets: {
      ...ports.secrets,
      begin: async (at) => {
        await ports.secrets.begin(at)
        return anotherKey
      },
      possession: async () => anotherProof,
      deal: async (at, joinKeys) => ({
        ...(await ports.secrets.deal(at, joinKeys.with(BAD - 1, await ports.secrets.begin(at)))),
        joinKeys,
      }),
      open: complaining(ports, { bend }),
    },
  }))

async function play(test: Parameters<typeof makeWorld>[0], tamper: Tamper, options: Partial<WorldOptions> = {}) {
  const world = await makeWorld(test, { size: SIZE, faulty: new Map([[BAD, tamper]]), ...options })
  const honest = world.members.filter(({ id }) => id !== BAD)
  world.chain.draw(0)
  await world.until('the honest to end', () => honest.every(({ ended }) => ended.length > 0), 240_000)
  await world.pass(2 * SLOT_MS)
  return { world, honest }
}
type Played = Awaited<ReturnType<typeof play>>

/**
 * The honest members made a key whose dealers are `qualified`, all the same; each saw what the faulty one did, and nothing of
 * another.
 */
function assertGoneOn(
  { world, honest }: Played,
  expected: { readonly qualified: readonly number[]; readonly seen?: RegExp; readonly charged?: 'none' | 'proof' },
): void {
  const { qualified, seen, charged } = expected
  assertCompleted(world, { holders: honest })
  for (const member of honest) {
    assert.deepEqual(member.ended, [{ registered: true }])
    assert.deepEqual(member.progress?.qualified, qualified)
    const rules = rulesSeenBy(member)
    const charge = member.progress?.complaints.find(({ guilty }) => guilty === 'complainer')
    assert.deepEqual(charge, charged && { dealer: 1, member: BAD, guilty: 'complainer', fault: charged })
    if (seen === undefined) assert.deepEqual(rules, [])
    else assert.ok(rules.length > 0 && rules.every((rule) => seen.test(rule)), rules.join('\n') || `member ${member.id} saw nothing`)
  }
}
const WITHOUT = [1, 2, 4]
const ALL = [1, 2, 3, 4]

describe('a faulty member of a ceremony', () => {
  it('A33 that deals one member a bad share is named by all, judged by the complaint', async (test) => {
    const played = await play(
      test,
      dealing(({ ciphertexts }) => ({ ciphertexts: ciphertexts.with(0, flip(ciphertexts[0])) })),
    )
    assertGoneOn(played, {
      qualified: WITHOUT,
      seen: /^BAD_SHARE: member 3 dealt a bad share to member 1: judged by its complaint \(share\)/,
    })
    for (const { progress } of played.honest) {
      assert.deepEqual(progress?.complaints, [{ dealer: 3, member: 1, guilty: 'dealer', fault: 'share' }])
    }
  })

  it('A33 that deals one member a share at or above the group order is named by all', async (test) => {
    const raised = (hex: Hex | null | undefined): Hex => `0x${(BigInt(hex ?? 0) ^ (1n << 255n)).toString(16).padStart(64, '0')}`
    const played = await play(
      test,
      dealing(({ ciphertexts }) => ({ ciphertexts: ciphertexts.with(3, raised(ciphertexts[3])) })),
    )
    assertGoneOn(played, {
      qualified: WITHOUT,
      seen: /^BAD_SHARE: member 3 dealt a bad share to member 4: judged by its complaint \(share-range\)/,
    })
  })

  it('A33 whose bad share is told through loss and partitions too is named by all', async (test) => {
    const bad = dealing(({ ciphertexts }) => ({ ciphertexts: ciphertexts.with(0, flip(ciphertexts[0])) }))
    const played = await play(test, bad, { seed: 5, weather: STORM })
    assertGoneOn(played, { qualified: WITHOUT, seen: /^BAD_SHARE: member 3 dealt a bad share to member 1/ })
  })

  it('A33 that complains falsely is named by all, and the dealer by nobody', async (test) => {
    const played = await play(
      test,
      complainer(({ proof }) => ({ proof })),
    )
    assertGoneOn(played, {
      qualified: WITHOUT,
      seen: /^(FALSE_COMPLAINT: member 3 complained falsely about member 1 \(none\)|BAD_SHARE: member 3 )/,
      charged: 'none',
    })
  })

  it('A33 that complains with a bent proof, or another point, is named by all', async (test) => {
    for (const bend of [
      ({ proof }: Complaint) => ({ proof: { ...proof, response: flip(proof.response) } }),
      () => ({ sharedPoint: anotherKey }),
    ]) {
      const played = await play(test, complainer(bend))
      assertGoneOn(played, {
        qualified: WITHOUT,
        seen: /^(FALSE_COMPLAINT: member 3 complained falsely about member 1 \(proof\)|BAD_SHARE: member 3 )/,
        charged: 'proof',
      })
    }
  })

  it('A18 whose complaint is about another round, or in another’s name, changes nothing', async (test) => {
    const told = [{ bend: () => ({}), signedFor: { round: 1 } }, { bend: () => ({ member: 2 as MemberIndex }) }] as const
    for (const made of told) {
      const liar = tampered((ports) => ({ secrets: { ...ports.secrets, open: complaining(ports, made) } }))
      const world = await makeWorld(test, { size: SIZE, faulty: new Map([[BAD, liar]]) })
      world.chain.draw(0)
      await world.until('all to end', () => world.members.every(({ ended }) => ended.length > 0))
      assertCompleted(world)
    }
  })

  it('whose polynomial has another degree is named by all', async (test) => {
    const played = await play(
      test,
      dealing(({ commitments }) => ({ commitments: [...commitments.slice(0, -1), commitments[0] ?? '0x'] })),
    )
    assertGoneOn(played, { qualified: WITHOUT, seen: /^BAD_SHARE: member 3 dealt a bad share/ })
  })

  it('that sends more commitments than the threshold is left out like a silent one: no such message exists', async (test) => {
    const played = await play(
      test,
      dealing(({ commitments }) => ({ commitments: [...commitments, ...commitments.slice(0, 1)] })),
    )
    assertGoneOn(played, { qualified: WITHOUT })
    assert.deepEqual(played.honest[0]?.waitingFor.get('deal'), [BAD])
  })

  it('whose commitment is no point of the group is named by all', async (test) => {
    const played = await play(
      test,
      dealing(({ commitments }) => ({ commitments: commitments.with(1, `0x${'00'.repeat(127)}01`) })),
    )
    assertGoneOn(played, {
      qualified: WITHOUT,
      seen: /^BAD_DEALING: member 3 dealt badly: expected commitment 1 of member 3 to be a valid point/,
    })
    for (const { disputes } of played.honest)
      assert.deepEqual(
        disputes.map(({ against }) => against),
        [{ place: 1 }],
      )
  })

  it('whose join key is no point of the group is named by all', async (test) => {
    const played = await play(
      test,
      tampered(({ network }) => ({
        network: {
          ...network,
          send: (to, channel, bytes) => {
            const message = decodeCeremony(bytes, shape)
            const bad = message.kind === 'join' ? signedAgain(bytes, { ...message, joinKey: `0x${'00'.repeat(127)}01` }) : bytes
            network.send(to, channel, bad)
          },
        },
      })),
    )
    assertGoneOn(played, { qualified: WITHOUT, seen: /^BAD_JOIN_KEY: .*join key of member 3 to be a valid point/ })
  })

  it('that signs two join keys is named by all, and no honest member is', async (test) => {
    const played = await play(
      test,
      twoFaced([2], (message) => (message.kind === 'join' ? { ...message, joinKey: anotherKey, proof: anotherProof } : undefined)),
    )
    assertGoneOn(played, { qualified: WITHOUT, seen: /^EQUIVOCATION: member 3 signed two different statements \(join\)/ })
  })

  it('that signs two dealings, each good for its receivers, is named by all', async (test) => {
    const played = await play(
      test,
      twoFaced([1], (message) =>
        message.kind === 'dealing'
          ? {
              ...message,
              dealing: { ...message.dealing, ciphertexts: message.dealing.ciphertexts.with(3, flip(message.dealing.ciphertexts[3])) },
            }
          : undefined,
      ),
    )
    assertGoneOn(played, {
      qualified: WITHOUT,
      seen: /^(EQUIVOCATION: member 3 signed two different statements \(dealing\)|BAD_SHARE: member 3 )/,
    })
  })

  it('that encrypts to a join key of its own making is left out', async (test) => {
    const played = await play(
      test,
      dealing(({ joinKeys }) => ({ joinKeys: joinKeys.with(1, anotherKey) })),
    )
    assertGoneOn(played, { qualified: WITHOUT })
  })

  it('that reveals another constant term is named by all', async (test) => {
    const played = await play(
      test,
      tampered(({ secrets }) => ({
        secrets: {
          ...secrets,
          reveal: async (context, qualified) => {
            const honest = await secrets.reveal(context, qualified)
            return { ...honest, constantTerm: honest.publicShare }
          },
        },
      })),
    )
    assertGoneOn(played, {
      qualified: ALL,
      seen: /^BAD_REVEAL: member 3 revealed what it cannot prove: .*proof of member 3 for its constant term/,
    })
  })
})
