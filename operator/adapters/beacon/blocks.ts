import { ForkName } from '@lodestar/params'
import { type electra, ssz } from '@lodestar/types'
import { reasonOf } from '../../core/errors.ts'
import type { BlsSignature } from '../../core/ids.ts'
import { bytesToHex, hexToBytes, toRoot, toSlot, toValidatorIndex } from '../../core/parse.ts'
import { BeaconError, type ProducedBlock } from '../../core/ports/beacon.ts'

type EncodedBlock = { readonly fork: string; readonly blinded: boolean; readonly ssz: Uint8Array }

// Fulu changed the limits of the proofs beside the block, not the block; the values of both have the same types.
function typesOf(fork: string): typeof ssz.electra | typeof ssz.fulu {
  if (fork === ForkName.electra) return ssz.electra
  if (fork === ForkName.fulu) return ssz.fulu
  throw new BeaconError('MALFORMED', `expected a block of Electra or Fulu, got fork ${String(fork).slice(0, 20)}`, { fork })
}

function readContents({ fork, ssz: bytes }: EncodedBlock): electra.BlockContents {
  return parse(() => typesOf(fork).BlockContents.deserialize(bytes))
}

function readBlinded({ fork, ssz: bytes }: EncodedBlock): electra.BlindedBeaconBlock {
  return parse(() => typesOf(fork).BlindedBeaconBlock.deserialize(bytes))
}

/**
 * Facts of a block from SSZ that a peer may have chosen: block contents (with blobs and proofs) or a blinded block of Electra
 * or Fulu. Throws `BeaconError` MALFORMED on anything else.
 */
export function decodeBlock(encoded: EncodedBlock): ProducedBlock {
  const types = typesOf(encoded.fork)
  const { block, root, feeRecipient } = encoded.blinded ? blindedFacts(types, encoded) : fullFacts(types, encoded)
  return {
    fork: encoded.fork,
    blinded: encoded.blinded,
    slot: parse(() => toSlot(block.slot)),
    proposerIndex: parse(() => toValidatorIndex(block.proposerIndex)),
    parentRoot: toRoot(bytesToHex(block.parentRoot)),
    blockRoot: toRoot(bytesToHex(root)),
    feeRecipient: bytesToHex(feeRecipient),
    ssz: encoded.ssz,
  }
}

function fullFacts(types: ReturnType<typeof typesOf>, encoded: EncodedBlock) {
  const { block } = readContents(encoded)
  return { block, root: types.BeaconBlock.hashTreeRoot(block), feeRecipient: block.body.executionPayload.feeRecipient }
}

function blindedFacts(types: ReturnType<typeof typesOf>, encoded: EncodedBlock) {
  const block = readBlinded(encoded)
  return { block, root: types.BlindedBeaconBlock.hashTreeRoot(block), feeRecipient: block.body.executionPayloadHeader.feeRecipient }
}

/** What `publishBlockV2` takes: the contents that were agreed on, with the signature over the block. */
export function signContents(block: ProducedBlock, signature: BlsSignature): electra.SignedBlockContents {
  const contents = readContents(block)
  return {
    signedBlock: { message: contents.block, signature: hexToBytes(signature) },
    kzgProofs: contents.kzgProofs,
    blobs: contents.blobs,
  }
}

export function signBlinded(block: ProducedBlock, signature: BlsSignature): electra.SignedBlindedBeaconBlock {
  return { message: readBlinded(block), signature: hexToBytes(signature) }
}

function parse<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof BeaconError) throw error
    throw new BeaconError('MALFORMED', `not a block: ${reasonOf(error)}`, {}, { cause: error })
  }
}
