import type { Root } from '../core/ids.ts'
import type { CertificateSigner, SigningKey } from '../core/ports/signer.ts'
import { certificateDigest } from '../protocol/messages/certificate.ts'
import type { ProtectionDatabase } from './database.ts'
import { GateError } from './errors.ts'

const DOMAIN = 'DutyCertificate'

/**
 * The signing key behind its gate for duty certificates: one digest for each pool, slot and duty type, for ever.
 * `domainSeparator`: of the contract Disputes, which judges certificates.
 */
export function createCertificateSigner(input: {
  readonly signingKey: SigningKey
  readonly database: ProtectionDatabase
  readonly domainSeparator: Root
}): CertificateSigner {
  const { signingKey, database, domainSeparator } = input
  const find = database.prepare('SELECT digest FROM once WHERE domain = ? AND instance = ? AND round = 0 AND type = ?')
  const insert = database.prepare('INSERT INTO once VALUES (?, ?, 0, ?, ?)')
  return {
    certify(duty) {
      const digest = certificateDigest(domainSeparator, duty)
      const place = [DOMAIN, `${duty.poolId}/${duty.slot}`, String(duty.dutyType)] as const
      const earlier = find.get(...place)?.digest
      if (earlier === undefined) database.record(() => insert.run(...place, digest))
      else if (earlier !== digest) {
        const message = `expected digest ${String(earlier)} for ${place.join(' ')}, got ${digest}`
        throw new GateError('CONFLICTING_MESSAGE', message, { ...duty, earlier, digest })
      }
      return () => signingKey.sign(digest)
    },
  }
}
