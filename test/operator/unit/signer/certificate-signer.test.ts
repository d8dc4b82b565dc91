import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PoolId, Slot } from '../../../../operator/core/ids.ts'
import { verifySignature } from '../../../../operator/protocol/bls/signatures.ts'
import { certificateDigest } from '../../../../operator/protocol/messages/certificate.ts'
import { openSigner } from '../../../../operator/signer/open.ts'
import { newSigner, password, rootOf, withCode } from './support.ts'

const domain = rootOf(9)
const duty = { poolId: 1 as PoolId, round: 0, slot: 7 as Slot, dutyType: 1, signingRoot: rootOf(1) }

describe('the certificate signer', () => {
  it('signs once for each pool, slot and type, the same again, also after a restart, never another', async (test) => {
    const { dataDir, signer: opened } = await newSigner(test)
    const first = opened.certificates(domain).certify(duty)()
    assert.ok(verifySignature(opened.signingKey.publicKey, certificateDigest(domain, duty), first))
    opened.certificates(domain).certify({ ...duty, dutyType: 2, signingRoot: rootOf(2) })
    opened.certificates(domain).certify({ ...duty, slot: 8 as Slot, signingRoot: rootOf(2) })
    opened.certificates(domain).certify({ ...duty, poolId: 2 as PoolId, signingRoot: rootOf(2) })
    opened.close()
    const again = await openSigner({ dataDir, password })
    test.after(() => again.close())
    const certificates = again.certificates(domain)
    assert.equal(certificates.certify(duty)(), first)
    assert.throws(() => certificates.certify({ ...duty, signingRoot: rootOf(2) }), withCode('CONFLICTING_MESSAGE'))
    assert.throws(() => certificates.certify({ ...duty, round: 1 }), withCode('CONFLICTING_MESSAGE'))
    // What a gate that refuses leaves behind: nothing.
    assert.equal(again.operatorKey.together(() => certificates.certify(duty))(), first)
  })
})
