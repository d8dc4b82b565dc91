import { reasonOf } from '../../core/errors.ts'
import type { Epoch, Root, Slot } from '../../core/ids.ts'
import { bytesToHex, hexToBytes } from '../../core/parse.ts'
import type { AttestationDataValue } from '../../core/ports/beacon.ts'
import type { AttestationToSign } from '../../core/ports/signer.ts'
import type { DutyStages } from '../pipeline.ts'
import { DutyError } from '../reasons.ts'
import { orAbort } from '../time.ts'
import type { AttestationDuty } from '../types.ts'
import type { StagePorts } from './ports.ts'
import { broadcasting, signing } from './ports.ts'

const DATA_BYTES = 128

/** SSZ of AttestationData: the index is zero since EIP-7549. */
export function encodeAttestationData({ slot, source, target, beaconBlockRoot }: AttestationDataValue): Uint8Array {
  const bytes = Buffer.alloc(DATA_BYTES)
  bytes.writeBigUInt64LE(BigInt(slot), 0)
  bytes.set(hexToBytes(beaconBlockRoot), 16)
  bytes.writeBigUInt64LE(BigInt(source.epoch), 48)
  bytes.set(hexToBytes(source.root), 56)
  bytes.writeBigUInt64LE(BigInt(target.epoch), 88)
  bytes.set(hexToBytes(target.root), 96)
  return new Uint8Array(bytes)
}

/** Inverse of `encodeAttestationData`; undefined for anything that it does not write. */
export function decodeAttestationData(value: Uint8Array): AttestationDataValue | undefined {
  if (value.length !== DATA_BYTES) return undefined
  const bytes = Buffer.from(value)
  const number = (at: number): number => Number(bytes.readBigUInt64LE(at))
  const root = (at: number): Root => bytesToHex(bytes.subarray(at, at + 32)) as Root
  const [slot, index, source, target] = [number(0), number(8), number(48), number(88)]
  if (index !== 0 || ![slot, source, target].every(Number.isSafeInteger)) return undefined
  return {
    slot: slot as Slot,
    beaconBlockRoot: root(16),
    source: { epoch: source as Epoch, root: root(56) },
    target: { epoch: target as Epoch, root: root(96) },
  }
}

/** An attestation: wait for the slot's block, agree on the data, sign. */
export function attestationStages(ports: StagePorts): DutyStages<AttestationDuty, AttestationDataValue> {
  const { beacon, signer, view, consensus, partials, time } = ports

  const asked = new WeakSet<AttestationDuty>()

  // A value is judged and signed: it is read and hashed once.
  const readings = new WeakMap<Uint8Array, AttestationDataValue>()
  const requests = new WeakMap<AttestationDataValue, AttestationToSign>()

  function read({ slot }: AttestationDuty, value: Uint8Array): AttestationDataValue | undefined {
    const data = readings.get(value) ?? decodeAttestationData(value)
    if (data !== undefined) readings.set(value, data)
    return data?.slot === slot ? data : undefined
  }

  function toSign({ pool: { poolId, round } }: AttestationDuty, data: AttestationDataValue): AttestationToSign {
    const known = requests.get(data)
    if (known?.poolId === poolId && known.round === round) return known
    const [sourceEpoch, targetEpoch] = [data.source.epoch, data.target.epoch]
    const request = { poolId, round, slot: data.slot, sourceEpoch, targetEpoch, signingRoot: beacon.signingRoots.attestation(data) }
    requests.set(data, request)
    return request
  }

  /** A member prepares only what it would sign itself; what a quorum has prepared need not be its own view of the chain. */
  function isValid(duty: AttestationDuty, value: Uint8Array, vouched: boolean): boolean {
    const data = read(duty, value)
    if (data === undefined) return false
    if (data.target.epoch !== time.epochOf(duty.slot) || data.source.epoch > data.target.epoch) return false
    if (!vouched && !view.supports(data)) return false
    return signer.checkAttestation(toSign(duty, data)) === undefined
  }

  return {
    wait: (duty, signal) => view.attestable(duty.slot, signal),
    async fetch(duty, signal) {
      const unavailable = (): DutyError => new DutyError('NO_BEACON_DATA')
      // In a later round the members differ, or a leader failed: the node may have learned since.
      const data = view.attestationData(duty.slot, asked.has(duty))
      asked.add(duty)
      try {
        return await orAbort(data, signal, unavailable)
      } catch (cause) {
        throw new DutyError('NO_BEACON_DATA', reasonOf(cause), { cause })
      }
    },
    async agree(duty, fetch, signal) {
      const question = {
        duty,
        isValid: (value: Uint8Array, vouched: boolean) => isValid(duty, value, vouched),
        input: async () => encodeAttestationData(await fetch()),
        always: true,
        onChange: (listener: () => void) => view.onChange(listener),
      }
      const { value, round } = await consensus.agree(question, signal)
      const data = read(duty, value)
      if (data === undefined) throw new DutyError('VALUE_REFUSED', 'a quorum decided on malformed data')
      return { value: data, round }
    },
    sign: (duty, data) => signing(ports, { duty, request: toSign(duty, data) }, (request) => signer.signAttestation(request)),
    share: (duty, signed, signal) => partials.share(duty, signed, signal),
    aggregate: (duty, signal) => partials.aggregate(duty, signal),
    broadcast: (duty, data, signature, signal) =>
      broadcasting(() => beacon.publishAttestation({ data, duty: duty.attester, signature }, signal), time, signal),
  }
}
