import { reasonOf } from '../../core/errors.ts'
import type { ProducedBlock } from '../../core/ports/beacon.ts'
import type { BlockToSign } from '../../core/ports/signer.ts'
import { ByteReader, ByteWriter } from '../../protocol/messages/bytes.ts'
import type { DutyStages } from '../pipeline.ts'
import { DutyError } from '../reasons.ts'
import type { ProposalDuty } from '../types.ts'
import type { StagePorts } from './ports.ts'
import { broadcasting, signing } from './ports.ts'

/** A block as agreed on: fork's name, blinded or not, SSZ. */
export function encodeBlock({ fork, blinded, ssz }: Pick<ProducedBlock, 'fork' | 'blinded' | 'ssz'>): Uint8Array {
  const name = new TextEncoder().encode(fork)
  const head = new ByteWriter(name.length + 2 + ssz.length).u8(name.length).raw(name)
  return head
    .u8(blinded ? 1 : 0)
    .raw(ssz)
    .done()
}

/** Inverse of `encodeBlock`. Throws `CodecError`. */
export function decodeBlockValue(value: Uint8Array): Pick<ProducedBlock, 'fork' | 'blinded' | 'ssz'> {
  const reader = new ByteReader(value)
  const name = reader.raw(reader.u8())
  const blinded = reader.u8() === 1
  return { fork: new TextDecoder().decode(name), blinded, ssz: value.subarray(name.length + 2) }
}

/** A block proposal: the RANDAO reveal is signed ahead; whoever leads builds a block, the vault judges it by its facts. */
export function proposalStages(ports: StagePorts): DutyStages<ProposalDuty, ProducedBlock> {
  const { beacon, signer, view, consensus, partials, time } = ports
  // A block is judged, signed and published: its large SSZ is read once.
  const decoded = new WeakMap<Uint8Array, ProducedBlock>()

  function read(value: Uint8Array): ProducedBlock {
    const known = decoded.get(value)
    if (known !== undefined) return known
    const block = beacon.decodeBlock(decodeBlockValue(value))
    decoded.set(value, block)
    return block
  }

  const toSign = ({ pool }: ProposalDuty, { slot, blockRoot }: ProducedBlock): BlockToSign => ({
    poolId: pool.poolId,
    round: pool.round,
    slot,
    epoch: time.epochOf(slot),
    signingRoot: beacon.signingRoots.block(slot, blockRoot),
  })

  /** What does not depend on anybody's view of the chain. */
  function fits({ pool, slot }: ProposalDuty, block: ProducedBlock): boolean {
    const paysUs = block.feeRecipient.toLowerCase() === pool.feeRecipient
    return block.slot === slot && block.proposerIndex === pool.validatorIndex && paysUs
  }

  function isValid(duty: ProposalDuty, value: Uint8Array, vouched: boolean): boolean {
    try {
      const block = read(value)
      if (!fits(duty, block) || (!vouched && !view.knows(block.parentRoot))) return false
      return signer.checkBlock(toSign(duty, block)) === undefined
    } catch {
      return false // no block of that fork
    }
  }

  return {
    async wait(_, signal) {
      // A proposal is judged by its parent; the event of the last head may be on its way still. Nothing waits for it here.
      void view.refreshHead(signal).catch(() => undefined)
    },
    async fetch({ pool, slot }, signal) {
      const randao = { type: 'randao', pool, slot } as const
      partials.hurry(randao)
      const reveal = await partials.aggregate(randao, signal).catch((cause) => {
        throw new DutyError('NO_RANDAO', reasonOf(cause), { cause })
      })
      try {
        const block = await beacon.produceBlock(slot, reveal, signal)
        await view.refreshHead(signal).catch(() => undefined)
        return block
      } catch (cause) {
        throw new DutyError('NO_BEACON_DATA', reasonOf(cause), { cause })
      }
    },
    async agree(duty, fetch, signal) {
      const question = {
        duty,
        isValid: (value: Uint8Array, vouched: boolean) => isValid(duty, value, vouched),
        input: async () => encodeBlock(await fetch()),
        always: false,
        onChange: (listener: () => void) => view.onChange(listener),
      }
      const { value, round } = await consensus.agree(question, signal)
      const block = readDecided(value)
      if (!fits(duty, block)) throw new DutyError('VALUE_REFUSED', 'a quorum decided on a block that is not ours')
      return { value: block, round }
    },
    sign: (duty, block) => signing(ports, { duty, request: toSign(duty, block) }, (request) => signer.signBlock(request)),
    share: (duty, signed, signal) => partials.share(duty, signed, signal),
    aggregate: (duty, signal) => partials.aggregate(duty, signal),
    broadcast: (_, block, signature, signal) =>
      broadcasting(
        async () => {
          try {
            await beacon.publishBlock(block, signature, signal)
          } catch (refusal) {
            // Every member publishes: a node that already has the block from another may refuse it.
            const known = await beacon.header(block.blockRoot, signal).catch(() => undefined)
            if (known === undefined) throw refusal
          }
        },
        time,
        signal,
      ),
  }

  function readDecided(value: Uint8Array): ProducedBlock {
    try {
      return read(value)
    } catch (cause) {
      throw new DutyError('VALUE_REFUSED', 'a quorum decided on something that is no block', { cause })
    }
  }
}
