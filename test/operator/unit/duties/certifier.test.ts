import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { BlsSignature, ProducerId } from '../../../../operator/core/ids.ts'
import { Certifier } from '../../../../operator/duties/certifier.ts'
import { certificateDigest, type DutyCertificate } from '../../../../operator/protocol/messages/certificate.ts'
import { CERTIFICATE_DOMAIN, hashParticipation, signingKeyOf } from '../../simulation/participation.ts'
import { attestationDuty, crypto, member, recordingLog, root, TestClock, testPool } from './support.ts'

const PAUSE = 1_000
const TURN = 500
const BAD = `0x${'13'.repeat(96)}` as BlsSignature

function setUp(self = 1) {
  const { pool: plain, keys } = testPool(self)
  const pool = { ...plain, signingKeys: plain.members.map(signingKeyOf) }
  const [clock, { log, lines }] = [new TestClock(), recordingLog()]
  const { aggregation, signerOf } = hashParticipation(crypto.scheme)
  let checks = 0
  const made: DutyCertificate[] = []
  const world = { known: 0n }
  const certifier = new Certifier({
    clock,
    log,
    signer: signerOf(plain.members[self - 1] as ProducerId),
    aggregation: {
      ...aggregation,
      verifyAll(...asked) {
        checks++
        return aggregation.verifyAll(...asked)
      },
    },
    sink: { participation: () => world.known, add: (certificate) => void made.push(certificate) },
    domainSeparator: CERTIFICATE_DOMAIN,
    pauseMs: PAUSE,
    turnMs: TURN,
  })
  const duty = attestationDuty(pool)
  const from = (index: number, change: { partial?: BlsSignature; certified?: BlsSignature | undefined; name?: string } = {}): void => {
    const signed = root(change.name ?? 'root')
    const certified = signerOf(pool.members[index - 1] as ProducerId).certify({
      ...{ poolId: pool.poolId, round: pool.round, slot: duty.slot, dutyType: 1, signingRoot: signed },
    })()
    certifier.take(duty, member(index), { root: signed, partial: keys.sign(member(index), signed), certified, ...change })
  }
  const valid = (certificate: DutyCertificate): boolean => {
    const signers = pool.signingKeys.filter((_, place) => (certificate.participation >> BigInt(place)) & 1n)
    return aggregation.verifyAll(signers, certificateDigest(CERTIFICATE_DOMAIN, certificate), certificate.signature)
  }
  return { pool, duty, certifier, clock, lines, made, world, from, valid, checks: () => checks }
}

describe('the certifier', () => {
  it('makes a certificate of all that came, with two checks, some time after the group signature', async () => {
    const { certifier, duty, clock, made, from, valid, checks } = setUp()
    for (const index of [1, 2, 4]) from(index)
    await clock.advanceTo(PAUSE * 10)
    assert.equal(made.length, 0)
    certifier.complete(duty, root('root'))
    assert.equal(checks(), 0)
    await clock.advanceTo(PAUSE * 11)
    assert.deepEqual(
      made.map((one) => [one.participation, valid(one)]),
      [[0b1011n, true]],
    )
    assert.equal(checks(), 2)
  })

  it('takes its turn: what others have certified meanwhile is not verified again', async () => {
    const { certifier, duty, clock, made, world, from, checks } = setUp(3)
    for (const index of [1, 2, 3]) from(index)
    certifier.complete(duty, root('root'))
    await clock.advanceTo(PAUSE + 2 * TURN - 1)
    assert.equal(made.length, 0)
    world.known = 0b111n
    await clock.advanceTo(PAUSE + 2 * TURN)
    assert.deepEqual([made.length, checks()], [0, 0])
    // A member that comes late gets a certificate of its own.
    from(4)
    await clock.advanceTo(3 * PAUSE + 2 * TURN)
    assert.deepEqual(
      made.map(({ participation }) => participation),
      [0b1000n],
    )
  })

  it('finds whoever sent a bad signature of either kind, leaves it out, and hears it no more', async () => {
    const { certifier, duty, clock, made, lines, from, valid } = setUp()
    from(1)
    from(2, { certified: BAD })
    from(3, { partial: BAD })
    from(4)
    certifier.complete(duty, root('root'))
    await clock.advanceTo(PAUSE)
    assert.deepEqual(
      made.map(({ participation }) => participation),
      [0b1001n],
    )
    assert.ok(made[0] && valid(made[0]))
    assert.deepEqual(
      lines.map(({ data }) => data.member),
      [2, 3],
    )
    from(2)
    await clock.advanceTo(10 * PAUSE)
    assert.equal(made.length, 1)
  })

  it('counts nobody over another root, nobody without a certificate signature, and no duty that leaves no trace', async () => {
    const { certifier, duty, clock, made, from } = setUp()
    from(1)
    from(2, { name: 'other' })
    from(3, { certified: undefined })
    certifier.complete(duty, root('root'))
    certifier.complete({ ...duty, type: 'randao' }, root('root'))
    await clock.advanceTo(PAUSE)
    assert.deepEqual(
      made.map(({ participation }) => participation),
      [1n],
    )
    assert.equal(certifier.promise({ ...duty, type: 'randao' }, root('root')), undefined)
    assert.notEqual(certifier.promise(duty, root('root')), undefined)
  })

  it('forgets what is past', async () => {
    const { certifier, duty, clock, made, from } = setUp()
    from(1)
    certifier.complete(duty, root('root'))
    certifier.prune(duty.slot + 1)
    await clock.advanceTo(10 * PAUSE)
    assert.deepEqual(made, [])
  })
})
