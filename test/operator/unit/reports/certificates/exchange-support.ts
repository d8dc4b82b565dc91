import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { SecretKey } from '@chainsafe/blst'
import { openStore } from '../../../../../operator/adapters/store/sqlite.ts'
import type { BlsSignature, PoolId, ProducerId, PublicKey, Root, Slot } from '../../../../../operator/core/ids.ts'
import type { NetworkState } from '../../../../../operator/core/network.ts'
import { bytesToHex, hexToBytes } from '../../../../../operator/core/parse.ts'
import type { ChainFollower } from '../../../../../operator/core/ports/chain.ts'
import type { MessageHandler } from '../../../../../operator/core/ports/network.ts'
import { aggregateSignatures } from '../../../../../operator/protocol/bls/signatures.ts'
import { certificateDigest, type DutyCertificate } from '../../../../../operator/protocol/messages/certificate.ts'
import { type CertificateFrame, encodeCertificateFrame } from '../../../../../operator/protocol/messages/certificate-channel.ts'
import { emptyState, foldEvents } from '../../../../../operator/protocol/state/network-state.ts'
import { CertificateExchange } from '../../../../../operator/reports/certificates/exchange.ts'
import { recordingLog, settle, TestClock } from '../../duties/support.ts'
import { address, event, fundedPool, producer } from '../../protocol/state/support.ts'

const domain = `0x${'ab'.repeat(32)}` as Root
const secrets = [1, 2, 3, 4, 5].map((seed) => SecretKey.fromKeygen(Buffer.alloc(32, seed)))
export const SLOT_MS = 1_000

export const state: NetworkState = foldEvents(emptyState(), [
  ...secrets.map((secret, at) =>
    event('BlockProducers.ProducerRegistered', 1, {
      producerId: producer(at + 1),
      owner: address(90 + at),
      operator: address(at + 1),
      signingKey: bytesToHex(secret.toPublicKey().toBytes()) as PublicKey,
      peerAddress: '',
      shares: 0n,
    }),
  ),
  ...fundedPool(1, 'staker', 0, 10),
])

/** A certificate of pool 1 signed by the members at these places; `change` afterwards. */
export function by(places: readonly number[], duty: Partial<DutyCertificate> = {}): DutyCertificate {
  const place = { poolId: 1 as PoolId, round: 0, slot: 100 as Slot, dutyType: 1, signingRoot: `0x${'11'.repeat(32)}` as Root, ...duty }
  const digest = hexToBytes(certificateDigest(domain, place))
  const signatures = places.map((at) => bytesToHex(secrets[at]?.sign(digest).toBytes() ?? new Uint8Array()) as BlsSignature)
  return { ...place, participation: places.reduce((bits, at) => bits | (1n << BigInt(at)), 0n), signature: aggregateSignatures(signatures) }
}

/** What all of them see of the chain. */
export const view = { head: state }

/** Exchanges of producers that hear each other at once, as far as `hears` lets them. */
export async function setUp(t: TestContext, ids: readonly number[], hears: (from: number, to: number) => boolean = () => true) {
  const clock = new TestClock()
  await clock.advanceTo(100 * SLOT_MS)
  const handlers = new Map<number, MessageHandler>()
  const controller = new AbortController()
  const nodes = ids.map((id) => {
    const folder = mkdtempSync(join(tmpdir(), 'open-pools-certificates-'))
    const store = openStore(join(folder, 'state.sqlite'))
    const { log, lines } = recordingLog()
    const exchange = new CertificateExchange({
      self: id as ProducerId,
      clock,
      chain: { view: () => view } as unknown as ChainFollower,
      network: {
        self: id as ProducerId,
        send: (to, _, bytes) => hears(id, to) && handlers.get(to)?.(id as ProducerId, bytes),
        onMessage: (_, handler) => {
          handlers.set(id, handler)
          return () => handlers.delete(id)
        },
      },
      store,
      log,
      domainSeparator: domain,
      time: { genesisTimeMs: 0, slotDurationMs: SLOT_MS, slotsPerEpoch: 4 },
      slotsKept: 50,
    })
    exchange.start(controller.signal)
    t.after(() => {
      controller.abort()
      store.close()
      rmSync(folder, { recursive: true, force: true })
    })
    return { exchange, store, lines }
  })
  const hear = (from: number, to: number, frame: CertificateFrame) => handlers.get(to)?.(from as ProducerId, encodeCertificateFrame(frame))
  /** Until all of them have had their turn. */
  const send = async (from: number, to: number, ...certificates: readonly DutyCertificate[]): Promise<void> => {
    hear(from, to, { kind: 'certificates', certificates })
    await turns(certificates.length + 2)
  }
  const [first, second] = nodes
  assert.ok(first && second)
  return { clock, first, second, send, hear, handlers }
}

export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await settle()
}
export const all = (exchange: CertificateExchange) => exchange.book.between(0 as Slot, 1_000 as Slot)
