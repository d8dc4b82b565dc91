import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MemberIndex, Milliseconds, ProducerId } from '../../../../operator/core/ids.ts'
import { toRoot } from '../../../../operator/core/parse.ts'
import { ceremonyDigest } from '../../../../operator/protocol/messages/ceremony.ts'
import { decodeCeremony, encodeCeremony, peekCeremony } from '../../../../operator/protocol/messages/ceremony-codec.ts'
import { Random } from '../../simulation/random.ts'
import { ADDRESSES, POOL, SLOT_MS } from './support/chain.ts'
import { anotherKey, anotherProof, BAD, flip, rulesSeenBy, SIZE, shape, sign, tampered, twoFaced } from './support/faulty-member.ts'
import type { Tamper } from './support/member.ts'
import { assertCompleted } from './support/oracle.ts'
import { makeWorld, STORM } from './support/world.ts'

const OTHER_ROOT = toRoot(`0x${'66'.repeat(32)}`)

describe('a faulty member of a ceremony', () => {
  it('A32 that withholds its reveal does not end the round: the others make the same key without it', async (test) => {
    const silent = tampered(({ network }) => ({
      network: {
        ...network,
        send: (to, channel, bytes) => {
          const { kind } = decodeCeremony(bytes, shape)
          if (kind !== 'reveal' && kind !== 'participation') network.send(to, channel, bytes)
        },
      },
    }))
    const world = await makeWorld(test, { size: SIZE, faulty: new Map([[BAD, silent]]) })
    world.chain.draw(0)
    await world.until('the others to end', () => world.members.every(({ id, ended }) => id === BAD || ended.length > 0))
    assert.equal(world.chain.completed[0]?.result.participation, 0b1011n)
    // The silent one holds its share too, and it fits.
    assertCompleted(world)
  })

  it('that sends one member statements with bad signatures does not make it give up', async (test) => {
    const world = await makeWorld(test, {
      size: SIZE,
      faulty: new Map([
        [
          BAD,
          tampered(({ network }) => ({
            network: {
              ...network,
              send: (to, channel, bytes) => {
                const message = decodeCeremony(bytes, shape)
                const forged =
                  to === 2 && message.kind !== 'qbft' && message.kind !== 'participation' && message.kind !== 'absence'
                    ? { ...message, signature: flip(message.signature) as typeof message.signature }
                    : message
                network.send(to, channel, encodeCeremony(peekCeremony(bytes), forged))
              },
            },
          })),
        ],
      ]),
    })
    world.chain.draw(0)
    await world.until('all to end', () => world.members.every(({ ended }) => ended.length > 0))
    assertCompleted(world)
  })

  for (const kind of ['join', 'dealing', 'reveal'] as const) {
    it(`that keeps its ${kind} from one member cannot shut it out: the others pass it on`, async (test) => {
      const silent = tampered(({ network }) => ({
        network: {
          ...network,
          send: (to, channel, bytes) => {
            if (to !== 2 || decodeCeremony(bytes, shape).kind !== kind) network.send(to, channel, bytes)
          },
        },
      }))
      const world = await makeWorld(test, { size: SIZE, faulty: new Map([[BAD, silent]]) })
      world.chain.draw(0)
      await world.until('all to end', () => world.members.every(({ ended }) => ended.length > 0))
      assertCompleted(world)
    })
  }

  for (const [what, tamper] of [
    ['signs a false result', ({ signingKey }) => ({ signingKey: { ...signingKey, sign: () => signingKey.sign(OTHER_ROOT) } })],
    [
      'signs the deposit for another root',
      ({ secrets }) => ({ secrets: { ...secrets, sign: (context) => secrets.sign(context, OTHER_ROOT) } }),
    ],
  ] as const satisfies readonly (readonly [string, Tamper])[]) {
    it(`that ${what} is left out of it`, async (test) => {
      const world = await makeWorld(test, { size: SIZE, faulty: new Map([[BAD, tampered(tamper)]]) })
      world.chain.draw(0)
      await world.until('the others to end', () => world.members.every(({ id, ended }) => id === BAD || ended.length > 0))
      assert.equal(world.chain.completed[0]?.result.participation, 0b1011n)
      assertCompleted(world)
      const [leader] = world.members
      assert.equal(leader?.warnings.filter((warning) => warning.startsWith('participation that does not verify')).length, 1)
    })
  }

  it('that equivocates once the result is signed changes nothing', async (test) => {
    const late = tampered(({ network, clock }) => {
      const equivocate = (to: ProducerId): void => {
        const context = { poolId: POOL, kind: 'dkg', round: 0, chainId: 7n, contract: ADDRESSES.poolRegistry } as const
        const again = { kind: 'join', member: BAD as MemberIndex, joinKey: anotherKey, proof: anotherProof } as const
        network.send(to, 'ceremony', encodeCeremony(context, { ...again, signature: sign(ceremonyDigest(context, again)) }))
      }
      return {
        network: {
          ...network,
          send: (to, channel, bytes) => {
            network.send(to, channel, bytes)
            const said = decodeCeremony(bytes, shape).kind === 'participation'
            if (said) clock.at((clock.now() + SLOT_MS) as Milliseconds, () => equivocate(to))
          },
        },
      }
    })
    // The first attempts to publish fail, so that the late equivocation comes before any succeeds.
    const sendFailure = (_: ProducerId, attempt: number) => (attempt === 1 ? ('unreachable' as const) : undefined)
    const world = await makeWorld(test, { size: SIZE, faulty: new Map([[BAD, late]]), sendFailure })
    world.chain.draw(0)
    await world.until('all to end', () => world.members.every(({ ended }) => ended.length > 0))
    assertCompleted(world)
    assert.ok(world.members[0]?.warnings.some((warning) => warning.includes('signed two different statements (join)')))
  })

  it('that floods with garbage, oversize, strange and repeated messages disturbs nobody', async (test) => {
    const random = new Random(7)
    const junk: Tamper = tampered(({ network, self, clock }) => {
      const history: Uint8Array[] = []
      const flood = (): void => {
        for (let i = 0; i < 200; i++) network.send(random.pick([1, 2, 4]) as ProducerId, 'ceremony', junkMessage(random, history))
        clock.at((clock.now() + 100) as Milliseconds, flood)
      }
      flood()
      return {
        network: {
          ...network,
          self,
          send: (to, channel, bytes) => {
            history.push(bytes)
            network.send(to, channel, bytes)
          },
        },
      }
    })
    const world = await makeWorld(test, { size: SIZE, faulty: new Map([[BAD, junk]]) })
    world.chain.draw(0)
    await world.until('all to end', () => world.members.every(({ ended }) => ended.length > 0))
    assertCompleted(world)
    for (const member of world.members.filter(({ id }) => id !== BAD)) {
      assert.deepEqual(member.ended, [{ registered: true }])
      assert.deepEqual(member.warnings, [])
      // Repeated messages are known by their bytes, garbage by its shape: no signature is looked at twice.
      assert.ok(member.ecdsaChecks < 60, `${member.ecdsaChecks} signatures checked`)
    }
  })

  it('cannot make honest members blame each other, whatever the network does', async (test) => {
    const twoJoins = twoFaced([1, 4], (message) =>
      message.kind === 'join' ? { ...message, joinKey: anotherKey, proof: anotherProof } : undefined,
    )
    for (const seed of [31, 32]) {
      const world = await makeWorld(test, { size: SIZE, seed, weather: STORM, healAfterMs: 10_000, faulty: new Map([[BAD, twoJoins]]) })
      const honest = world.members.filter(({ id }) => id !== BAD)
      world.chain.draw(0)
      await world.until('the honest to end', () => honest.every(({ ended }) => ended.length > 0), 240_000)
      for (const member of honest) assert.ok(rulesSeenBy(member).every((rule) => /^EQUIVOCATION: member 3 /.test(rule)))
      assertCompleted(world, { holders: honest })
    }
  })
})

function junkMessage(random: Random, history: readonly Uint8Array[]): Uint8Array {
  const size = random.pick([0, 1, 9, 10, 100, 5_000, 200_000])
  const header = Buffer.from([0, 0, 0, 5, 0, 0, 0, 0, 0, random.int(0, 9)])
  const noise = Buffer.alloc(size, random.int(0, 255))
  if (random.chance(0.3) && history.length > 0) return random.pick(history)
  return random.chance(0.5) ? Buffer.concat([header, noise]) : noise
}
