/** BLS12-381 points as the contracts take them: 64-byte big-endian field elements in 32-byte words, G2 as (c0, c1). */

export type G1Words = { xHi: string; xLo: string; yHi: string; yLo: string }

export type G2Words = {
  xc0Hi: string
  xc0Lo: string
  xc1Hi: string
  xc1Lo: string
  yc0Hi: string
  yc0Lo: string
  yc1Hi: string
  yc1Lo: string
}

const LOW = (1n << 256n) - 1n

function words(element: bigint): readonly [string, string] {
  const word = (value: bigint) => `0x${value.toString(16).padStart(64, '0')}`
  return [word(element >> 256n), word(element & LOW)]
}

/** A G1 point from its coordinates, canonical or not. */
export function g1FromAffine({ x, y }: { readonly x: bigint; readonly y: bigint }): G1Words {
  const [xHi, xLo] = words(x)
  const [yHi, yLo] = words(y)
  return { xHi, xLo, yHi, yLo }
}

/** A G2 point from its coordinates, canonical or not. */
export function g2FromAffine({ x, y }: { readonly x: Fp2; readonly y: Fp2 }): G2Words {
  const [xc0Hi, xc0Lo] = words(x.c0)
  const [xc1Hi, xc1Lo] = words(x.c1)
  const [yc0Hi, yc0Lo] = words(y.c0)
  const [yc1Hi, yc1Lo] = words(y.c1)
  return { xc0Hi, xc0Lo, xc1Hi, xc1Lo, yc0Hi, yc0Lo, yc1Hi, yc1Lo }
}

export type Fp2 = { readonly c0: bigint; readonly c1: bigint }

/** A G1 point from blst's 96 bytes: `publicKey.toBytes(false)`. */
export function g1FromBlst(bytes: Uint8Array): G1Words {
  const [x = 0n, y = 0n] = elements(bytes)
  return g1FromAffine({ x, y })
}

/** A G2 point from blst's 192 bytes (c1 before c0): `signature.toBytes(false)`. */
export function g2FromBlst(bytes: Uint8Array): G2Words {
  const [xc1 = 0n, xc0 = 0n, yc1 = 0n, yc0 = 0n] = elements(bytes)
  return g2FromAffine({ x: { c0: xc0, c1: xc1 }, y: { c0: yc0, c1: yc1 } })
}

function elements(bytes: Uint8Array): bigint[] {
  const result: bigint[] = []
  for (let at = 0; at < bytes.length; at += 48) {
    result.push(BigInt(`0x${Buffer.from(bytes.subarray(at, at + 48)).toString('hex')}`))
  }
  return result
}
