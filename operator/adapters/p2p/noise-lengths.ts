/** Before each Noise message: its length, big-endian. */
const LENGTH_BYTES = 2

type Received = { readonly byteLength: number; getUint16(at: number): number }
type Lengths = { readonly decoder: { lengthDecoder: (bytes: Received) => number } }

/** What the decoder takes for "wait for more". */
const NOT_ALL_HERE = new RangeError('expected the two bytes of a length')

/**
 * The library's reader of Noise messages finds the end of what came by an exception, once for each packet; making one, with the
 * stack it was made at, costs more than deciphering a small message. Here it is made once. A version of the library that reads in
 * another way is left alone.
 */
export function readLengths(connection: object): void {
  if (!hasLengths(connection)) return
  connection.decoder.lengthDecoder = (bytes) => {
    if (bytes.byteLength < LENGTH_BYTES) throw NOT_ALL_HERE
    return bytes.getUint16(0)
  }
}

function hasLengths(connection: object): connection is Lengths {
  const { decoder } = connection as Partial<Lengths>
  return typeof decoder?.lengthDecoder === 'function'
}
