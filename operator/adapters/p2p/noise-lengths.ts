/** Before each Noise message: its length, big-endian. */
const LENGTH_BYTES = 2

type Received = { readonly byteLength: number; getUint16(at: number): number }
type Lengths = { readonly decoder: { lengthDecoder: (bytes: Received) => number } }

/** Less than a length is not all of a message yet, whatever the length: the reader waits for more. */
const NOT_ALL_HERE = 0

/**
 * The library's reader of Noise messages finds the end of what came by an exception, once for each packet; making one, with the
 * stack it was made at, costs more than deciphering a small message. Here there is none. A version of the library that reads in
 * another way is left alone.
 */
export function readLengths(connection: object): void {
  if (!hasLengths(connection)) return
  connection.decoder.lengthDecoder = (bytes) => {
    return bytes.byteLength < LENGTH_BYTES ? NOT_ALL_HERE : bytes.getUint16(0)
  }
}

function hasLengths(connection: object): connection is Lengths {
  const { decoder } = connection as Partial<Lengths>
  return typeof decoder?.lengthDecoder === 'function'
}
