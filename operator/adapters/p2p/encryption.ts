import { noise } from '@libp2p/noise'
import { readLengths } from './noise-lengths.ts'
import { holdWindowUpdates } from './window-updates.ts'

type MakeNoise = ReturnType<typeof noise>
type Encrypter = ReturnType<MakeNoise>
type MessageStream = Parameters<Encrypter['secureOutbound']>[0]

/**
 * Noise as libp2p ships it, with fewer packets for the small messages of a duty: a Noise message leaves in one write (its
 * length and its body would leave in two, each a system call and a wake-up of the receiver), and the multiplexer's window
 * updates are sent when they matter. Lengths are read without an exception for each packet.
 */
export function frugalNoise(): (components: Parameters<MakeNoise>[0]) => Encrypter {
  const make = noise()
  return (components) => {
    const inner = make(components)
    const frugal = async (secured: ReturnType<Encrypter['secureOutbound']>) => {
      const result = await secured
      holdWindowUpdates(result.connection)
      readLengths(result.connection)
      return result
    }
    return {
      protocol: inner.protocol,
      secureOutbound: (connection, options) => frugal(inner.secureOutbound(joinWrites(connection), options)),
      secureInbound: (connection, options) => frugal(inner.secureInbound(joinWrites(connection), options)),
    }
  }
}

/** What is sent at once is written at once. */
function joinWrites(stream: MessageStream): MessageStream {
  const send = stream.send.bind(stream)
  stream.send = (data) => send(data.subarray())
  return stream
}
