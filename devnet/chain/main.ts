#!/usr/bin/env -S node --import tsx
import './preset.ts'

import { Command, InvalidArgumentError } from 'commander'
import { startNode } from './node.ts'
import { DEFAULT_OPTIONS } from './options.ts'

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}`)
    }
    return value
  }
}

const port = whole(0, 65_535)
const program = new Command('chain')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'chain: ')) })
  .showHelpAfterError('See --help.')
  .description(
    [
      'A whole local Ethereum: EthereumJS executes, and a beacon chain in Electra runs on Lodestar’s state transition.',
      'Its own validators propose, attest and finalize; validators that are deposited do their duties over the Beacon API.',
      'When it is ready it prints one line of JSON on stdout with its addresses; it logs JSON lines on stderr.',
      'It stops on SIGTERM or SIGINT; a later start begins a new chain. Each flag can also be given as an environment variable.',
    ].join('\n'),
  )
  .option('--data-dir <folder>', 'empty folder for the execution client (default: a temporary one)')
  .option('--host <address>', 'address to listen on', DEFAULT_OPTIONS.host)
  .option('--beacon-port <port>', 'Beacon API; 0 = any free port', port, DEFAULT_OPTIONS.beaconPort)
  .option('--execution-port <port>', 'JSON-RPC; 0 = any free port', port, DEFAULT_OPTIONS.executionPort)
  .option('--engine-port <port>', 'Engine API; 0 = any free port', port, DEFAULT_OPTIONS.enginePort)
  .option('--slot-seconds <seconds>', 'seconds per slot', whole(1, 12), DEFAULT_OPTIONS.slotSeconds)
  .option('--genesis-delay <seconds>', 'seconds from ready to genesis', whole(1, 600), DEFAULT_OPTIONS.genesisDelay)
  .option('--validators <count>', 'validators of the chain’s own, 32 ETH each', whole(8, 512), DEFAULT_OPTIONS.validators)
  .option('--verbose', 'log every slot', DEFAULT_OPTIONS.verbose)
for (const option of program.options) option.env(`CHAIN_${option.attributeName().replace(/[A-Z]/g, '_$&').toUpperCase()}`)

async function main(): Promise<void> {
  const starting = startNode(program.parse().opts())
  let stopping = false
  const stop = async (exitCode: number): Promise<void> => {
    if (stopping) return
    stopping = true
    await (await starting).stop()
    process.exit(exitCode)
  }
  process.once('SIGTERM', () => void stop(0))
  process.once('SIGINT', () => void stop(0))
  // Started by another Node process over IPC: end when that one does, however it ends.
  process.once('disconnect', () => void stop(0))
  const node = await starting
  void node.failed.then(async (reason) => {
    if (stopping) return
    process.stderr.write(`${reason}\n`)
    await stop(1)
  })
  process.stdout.write(`${JSON.stringify(node.ready)}\n`)
}

main().catch((error: unknown) => {
  process.stderr.write(`chain: could not start: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
