import { randomBytes } from 'node:crypto'
import { Signature, Transaction } from 'ethers'
import secp256k1 from 'secp256k1'
import type { Hex, Root, Slot } from '../core/ids.ts'
import { toRoot } from '../core/parse.ts'
import type { OnceKey, OperatorKey, TransactionSigner } from '../core/ports/signer.ts'
import { addressOf, signEcdsa } from '../protocol/messages/ecdsa.ts'
import type { Announcements } from './announcements.ts'
import type { Durability, ProtectionDatabase } from './database.ts'
import { GateError, SignerError } from './errors.ts'

/** What was said is remembered for ever; what was recorded beside it, as long as a duty or a ceremony can last. */
const BODY_LIFETIME_MS = 7 * 24 * 3600 * 1000
const CLEANING_MS = 3600 * 1000

/** A fresh secp256k1 private key. */
export function randomOperatorKey(): Buffer {
  for (;;) {
    const key = randomBytes(32)
    if (secp256k1.privateKeyVerify(key)) return key
  }
}

/** Throws `SignerError` unless the bytes are a secp256k1 private key. */
export function assertPrivateKey(privateKey: Uint8Array): void {
  if (privateKey.length !== 32 || !secp256k1.privateKeyVerify(privateKey)) {
    throw new SignerError('BAD_FILE', 'expected a secp256k1 private key of 32 bytes')
  }
}

/** The operator key behind its durable gate: one digest for each (domain, instance, round, type), for ever. */
export function createOperatorKey(privateKey: Uint8Array, database: ProtectionDatabase, announcements: Announcements): OperatorKey {
  const find = database.prepare('SELECT digest FROM once WHERE domain = ? AND instance = ? AND round = ? AND type = ?')
  const insert = database.prepare('INSERT INTO once VALUES (?, ?, ?, ?, ?)')
  const insertBody = database.prepare('INSERT INTO bodies VALUES (?, ?, ?, ?, ?, ?)')
  const dropBodies = database.prepare('DELETE FROM bodies WHERE said_at < ?')
  const said = database.prepare(
    `SELECT once.round AS round, once.type AS type, digest, body FROM once LEFT JOIN bodies USING (domain, instance, round, type)
     WHERE domain = ? AND instance = ?`,
  )
  const durabilityOf = (slot: Slot | undefined): Durability => (slot !== undefined && announcements.covers(slot) ? 'written' : 'synced')
  let cleanedAt = 0
  const keepBody = (place: readonly [string, string, number, string], body: Uint8Array): void => {
    const now = Date.now()
    insertBody.run(...place, body, now)
    if (now - cleanedAt < CLEANING_MS) return
    dropBodies.run(now - BODY_LIFETIME_MS)
    cleanedAt = now
  }
  return {
    address: addressOf(privateKey),
    signOnce: (key: OnceKey, digest: Root, body?: Uint8Array) => {
      const checked = toRoot(digest)
      const place = [key.domain, key.instance, key.round, key.type] as const
      const earlier = find.get(...place)?.digest
      if (earlier !== undefined && earlier !== checked) {
        const message = `expected digest ${String(earlier)} for ${place.join(' ')}, got ${checked}`
        throw new GateError('CONFLICTING_MESSAGE', message, { ...key, earlier, digest: checked })
      }
      if (earlier === undefined) {
        if (key.slot !== undefined && announcements.mayHaveLost(key.slot)) {
          const message = `expected silence in ${key.instance} (${key.domain}): the machine stopped since, and may have lost what was said`
          throw new GateError('RECORDS_LOST', message, { ...key, digest: checked })
        }
        const write = (): void => {
          insert.run(...place, checked)
          if (body !== undefined && body.length > 0) keepBody(place, body)
        }
        database.record(write, durabilityOf(key.slot))
      }
      // RFC 6979: the same digest always gets the same signature.
      return signEcdsa(checked, privateKey)
    },
    together: (work, slot) => database.together(work, durabilityOf(slot)),
    announce: (slot) => announcements.announce(slot),
    recall: (domain, instance) =>
      said.all(domain, instance).map((row) => ({
        round: Number(row.round),
        type: String(row.type),
        digest: toRoot(row.digest),
        body: row.body instanceof Uint8Array ? row.body : new Uint8Array(),
      })),
  }
}

/** Signs routine transactions with the operator key. */
export function createTransactionSigner(privateKey: Uint8Array): TransactionSigner {
  return {
    address: addressOf(privateKey),
    signTransaction: (unsigned) => {
      const transaction = Transaction.from(unsigned)
      transaction.signature = Signature.from(signEcdsa(toRoot(transaction.unsignedHash), privateKey))
      return transaction.serialized as Hex
    },
  }
}
