import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import type { Epoch, PublicKey, Slot } from '../../../../operator/core/ids.ts'
import { createInterchange } from '../../../../operator/signer/interchange.ts'
import { createSlashingProtection, type SlashingProtection } from '../../../../operator/signer/slashing-protection.ts'
import { databaseOf, rootOf, withCode } from './support.ts'

const key = `0x${'aa'.repeat(48)}` as PublicKey
const chain = rootOf(0xcc)

const attestation = (source: number, target: number, root = 1) => ({
  publicKey: key,
  sourceEpoch: source as Epoch,
  targetEpoch: target as Epoch,
  signingRoot: rootOf(root),
})
const block = (slot: number, root = 1) => ({ publicKey: key, slot: slot as Slot, signingRoot: rootOf(root) })

function roomOf(test: TestContext) {
  const database = databaseOf(test)
  const protection = createSlashingProtection(database)
  return { protection, interchange: createInterchange(database, protection) }
}

const refuses = (protection: SlashingProtection, code: string, [source, target, root]: readonly [number, number, number?]) => {
  const request = attestation(source, target, root)
  const verdict = protection.judgeAttestation(request)
  assert.equal(verdict.kind === 'refused' && verdict.rule, code)
  assert.throws(() => protection.recordAttestation(request), withCode(code))
}

describe('slashing protection of attestations', () => {
  it('refuses double, surrounding and surrounded votes and those older than the first', (test) => {
    const { protection } = roomOf(test)
    protection.recordAttestation(attestation(10, 11))
    protection.recordAttestation(attestation(11, 20))
    refuses(protection, 'DOUBLE_VOTE', [11, 20, 2])
    refuses(protection, 'DOUBLE_VOTE', [12, 20, 2])
    refuses(protection, 'SURROUNDED_VOTE', [12, 13])
    refuses(protection, 'SURROUNDING_VOTE', [10, 21])
    refuses(protection, 'SURROUNDING_VOTE', [9, 12])
    refuses(protection, 'TARGET_TOO_OLD', [10, 10])
    refuses(protection, 'SOURCE_AFTER_TARGET', [22, 21])
    protection.recordAttestation(attestation(11, 20))
    protection.recordAttestation(attestation(11, 12))
    protection.recordAttestation(attestation(20, 21))
  })

  it('holds other keys apart', (test) => {
    const { protection } = roomOf(test)
    protection.recordAttestation(attestation(1, 2))
    protection.recordAttestation({ ...attestation(1, 2, 2), publicKey: `0x${'bb'.repeat(48)}` as PublicKey })
  })

  it('starts from floors that only rise', (test) => {
    const { protection } = roomOf(test)
    protection.raiseFloor(key, { sourceEpoch: 5, targetEpoch: 6, slot: 50 })
    protection.raiseFloor(key, { sourceEpoch: 4, targetEpoch: 7, slot: 40 })
    refuses(protection, 'SOURCE_TOO_OLD', [4, 8])
    refuses(protection, 'TARGET_TOO_OLD', [5, 7])
    assert.throws(() => protection.recordBlock(block(50)), withCode('SLOT_TOO_OLD'))
    protection.recordAttestation(attestation(5, 8))
    protection.recordBlock(block(51))
  })

  it('never lets a slashable pair through, whatever is asked in whatever order', (test) => {
    const votes = fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 8 }), fc.integer({ min: 1, max: 2 })), {
      minLength: 30,
      maxLength: 30,
    })
    const database = databaseOf(test)
    const protection = createSlashingProtection(database)
    let run = 0
    fc.assert(
      fc.property(votes, (requests) => {
        const publicKey = `0x${(++run).toString(16).padStart(96, '0')}` as PublicKey
        const signed = requests
          .map(([source, target, root]) => ({ ...attestation(source, target, root), publicKey }))
          .filter((request) => {
            const verdict = protection.judgeAttestation(request)
            if (verdict.kind !== 'refused') protection.recordAttestation(request)
            return verdict.kind !== 'refused'
          })
        for (const a of signed) {
          for (const b of signed) {
            const double = a.targetEpoch === b.targetEpoch && a.signingRoot !== b.signingRoot
            const surrounds = a.sourceEpoch < b.sourceEpoch && b.targetEpoch < a.targetEpoch
            assert.ok(!double && !surrounds, `${JSON.stringify(a)} against ${JSON.stringify(b)}`)
          }
        }
        assert.ok(signed.length > 0)
      }),
      { numRuns: 15 },
    )
  })
})

describe('slashing protection of blocks', () => {
  it('demands rising slots, but signs the same root again', (test) => {
    const { protection } = roomOf(test)
    protection.recordBlock(block(10))
    protection.recordBlock(block(10))
    assert.throws(() => protection.recordBlock(block(10, 2)), withCode('DOUBLE_BLOCK'))
    assert.throws(() => protection.recordBlock(block(9)), withCode('SLOT_TOO_OLD'))
    protection.recordBlock(block(11))
    protection.recordBlock(block(10))
  })
})

describe('interchange (EIP-3076)', () => {
  const fill = (protection: SlashingProtection) => {
    protection.recordAttestation(attestation(3, 4))
    protection.recordAttestation(attestation(4, 5, 2))
    protection.recordBlock(block(30))
  }

  it('carries every record over to another database', (test) => {
    const from = roomOf(test)
    fill(from.protection)
    const text = from.interchange.export(chain)
    assert.deepEqual(JSON.parse(text), {
      metadata: { interchange_format_version: '5', genesis_validators_root: chain },
      data: [
        {
          pubkey: key,
          signed_blocks: [{ slot: '30', signing_root: rootOf(1) }],
          signed_attestations: [
            { source_epoch: '3', target_epoch: '4', signing_root: rootOf(1) },
            { source_epoch: '4', target_epoch: '5', signing_root: rootOf(2) },
          ],
        },
      ],
    })
    const to = roomOf(test)
    to.interchange.import(text, chain)
    assert.equal(to.interchange.export(chain), text)
    refuses(to.protection, 'DOUBLE_VOTE', [4, 5])
    refuses(to.protection, 'SURROUNDING_VOTE', [3, 6])
    assert.equal(to.protection.judgeAttestation(attestation(4, 5, 2)).kind, 'repeat')
    assert.throws(() => to.protection.recordBlock(block(30, 2)), withCode('DOUBLE_BLOCK'))
    to.protection.recordAttestation(attestation(4, 6))
  })

  it('keeps floors and records without a signing root', (test) => {
    const from = roomOf(test)
    from.protection.raiseFloor(key, { sourceEpoch: 7, targetEpoch: 8, slot: 80 })
    const to = roomOf(test)
    to.interchange.import(from.interchange.export(chain), chain)
    refuses(to.protection, 'DOUBLE_VOTE', [7, 8])
    refuses(to.protection, 'SURROUNDING_VOTE', [6, 9])
    assert.throws(() => to.protection.recordBlock(block(80)), withCode('DOUBLE_BLOCK'))
    to.protection.recordAttestation(attestation(7, 9))
  })

  it('treats everything up to the highest record of a pruned file as signed', (test) => {
    const { protection, interchange } = roomOf(test)
    const data = [{ pubkey: key, signed_blocks: [], signed_attestations: [{ source_epoch: '9', target_epoch: '10' }] }]
    interchange.import(JSON.stringify({ metadata: { interchange_format_version: '5', genesis_validators_root: chain }, data }), chain)
    refuses(protection, 'SURROUNDING_VOTE', [8, 11])
    refuses(protection, 'TARGET_TOO_OLD', [9, 9])
    protection.recordAttestation(attestation(9, 11))
    protection.recordBlock(block(0))
  })

  it('takes over all or nothing', (test) => {
    const { protection, interchange } = roomOf(test)
    const file = (change: object, entry: object = {}) =>
      JSON.stringify({
        metadata: { interchange_format_version: '5', genesis_validators_root: chain, ...change },
        data: [
          { pubkey: key, signed_blocks: [{ slot: '5' }], signed_attestations: [{ source_epoch: '1', target_epoch: '2' }] },
          { pubkey: key, signed_blocks: [], signed_attestations: [], ...entry },
        ],
      })
    const bad = [
      'no json',
      file({ interchange_format_version: '4' }),
      file({}, { pubkey: '0x12' }),
      file({}, { signed_blocks: [{ slot: '-1' }] }),
      file({}, { signed_blocks: [{ slot: 5 }] }),
      file({}, { signed_attestations: [{ source_epoch: '3', target_epoch: '2' }] }),
      file({}, { signed_attestations: [{ source_epoch: '1', target_epoch: '18446744073709551615' }] }),
      file({}, { signed_attestations: [{ source_epoch: '1', target_epoch: '2', signing_root: '0x1' }] }),
    ]
    for (const text of bad) assert.throws(() => interchange.import(text, chain), withCode('BAD_INTERCHANGE'), text)
    assert.throws(() => interchange.import(file({}), rootOf(1)), withCode('OTHER_CHAIN'))
    assert.deepEqual(JSON.parse(interchange.export(chain)).data, [])
    protection.recordBlock(block(1))
  })
})
