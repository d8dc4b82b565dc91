import { type G1, GROUP_ORDER, herumi } from './backend.ts'
import { BlsError } from './errors.ts'
import { multiply, pointsEqual, sumPoints } from './points.ts'
import { assertIndex, fieldId, modOrder, scalarFromBigInt } from './scalars.ts'

/** A point of a polynomial in the exponent: the value at a member index. */
export type IndexedPoint = { readonly index: number; readonly point: G1 }

/** Π_k commitments[k]^(at^k): a committed polynomial's value at a member index, in the commitments' base. */
export function evaluateCommitments(commitments: readonly G1[], at: number): G1 {
  assertIndex(at)
  const value = new herumi.PublicKey()
  value.share([...commitments], fieldId(at))
  return value
}

/** Commitments of the sum of polynomials: the product, coefficient by coefficient. All must have one degree. */
export function sumCommitments(polynomials: readonly (readonly G1[])[]): readonly G1[] {
  const [first] = polynomials
  if (first === undefined) throw new BlsError('TOO_FEW_PARTIALS', 'expected at least one polynomial, got none')
  return first.map((_, k) => sumPoints(polynomials.map((commitments) => coefficient(commitments, k))))
}

function coefficient(commitments: readonly G1[], k: number): G1 {
  const point = commitments[k]
  if (point === undefined) throw new BlsError('BAD_POINT', `expected a commitment of degree ${k}, got ${commitments.length} commitments`)
  return point
}

/** Values of a committed polynomial at 1…size, in order. */
export function publicSharesOf(commitments: readonly G1[], size: number): readonly G1[] {
  return Array.from({ length: size }, (_, i) => evaluateCommitments(commitments, i + 1))
}

/** Indices that can interpolate: valid, distinct and not empty. Throws `BlsError`. */
export function assertDistinct(indices: readonly number[]): void {
  indices.forEach(assertIndex)
  if (indices.length === 0 || new Set(indices).size !== indices.length) {
    throw new BlsError('BAD_INDEX', `expected distinct member indices, got [${indices.join(', ')}]`, { indices })
  }
}

/** Lagrange coefficients at 0 for the given member indices, in their order: λ_i = Π_{j≠i} j / (j − i) mod r. */
export function lagrangeCoefficients(indices: readonly number[]): readonly bigint[] {
  assertDistinct(indices)
  return indices.map((i) => {
    const others = indices.filter((j) => j !== i).map(BigInt)
    const numerator = others.reduce((product, j) => modOrder(product * j), 1n)
    const denominator = others.reduce((product, j) => modOrder(product * (j - BigInt(i))), 1n)
    return modOrder(numerator * inverse(denominator))
  })
}

/** Larger ones are no cheaper than field elements. */
const MAX_WHOLE = 1 << 16

/**
 * Lagrange coefficients at 0 where all of them are small whole numbers, as of any neighbours: 3, −3, 1 for members 1 to 3.
 * Undefined otherwise.
 */
export function wholeLagrangeCoefficients(indices: readonly number[]): readonly number[] | undefined {
  const coefficients = indices.map((i) =>
    indices.reduce(({ above, below }, j) => (j === i ? { above, below } : { above: above * j, below: below * (j - i) }), {
      above: 1,
      below: 1,
    }),
  )
  // Products of larger vaults pass what a number can hold exactly.
  const exact = coefficients.every(({ above, below }) => Math.abs(below) <= Number.MAX_SAFE_INTEGER && above <= Number.MAX_SAFE_INTEGER)
  if (!exact || coefficients.some(({ above, below }) => above % below !== 0 || above > Math.abs(below) * MAX_WHOLE)) return undefined
  return coefficients.map(({ above, below }) => above / below)
}

// Extended Euclid on public numbers.
function inverse(value: bigint): bigint {
  let [a, b] = [modOrder(value), GROUP_ORDER]
  let [x, y] = [1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a - quotient * b]
    ;[x, y] = [y, x - quotient * y]
  }
  return modOrder(x)
}

/** The value at a member index of the polynomial of least degree through the points, in the exponent. */
export function interpolateAt(points: readonly IndexedPoint[], at: number): G1 {
  const indices = points.map(({ index }) => index)
  assertDistinct(indices)
  const terms = points.map(({ index, point }) => {
    const others = indices.filter((j) => j !== index).map(BigInt)
    const numerator = others.reduce((product, j) => modOrder(product * (j - BigInt(at))), 1n)
    const denominator = others.reduce((product, j) => modOrder(product * (j - BigInt(index))), 1n)
    return multiply(point, scalarFromBigInt(modOrder(numerator * inverse(denominator))))
  })
  return sumPoints(terms)
}

/** The value at 0 of the polynomial of least degree through the points, in the exponent. */
export function interpolate(points: readonly IndexedPoint[]): G1 {
  assertDistinct(points.map(({ index }) => index))
  const value = new herumi.PublicKey()
  value.recover(
    points.map(({ point }) => point),
    points.map(({ index }) => fieldId(index)),
  )
  return value
}

/**
 * Do the values at 0, 1, 2 … lie on one polynomial of degree below `threshold`? Exact: the differences of that order of a
 * polynomial sampled at consecutive integers vanish just then. The positive and the negative binomial terms are compared,
 * so that only multiplications by small integers are needed.
 */
export function haveDegreeBelow(threshold: number, values: readonly G1[]): boolean {
  const binomials = Array.from({ length: threshold + 1 }, (_, k) => scalarFromBigInt(binomial(threshold, k)))
  for (let from = 0; from + threshold < values.length; from++) {
    const window = values.slice(from, from + threshold + 1)
    const terms = window.map((value, k) => multiply(value, binomials[k] ?? scalarFromBigInt(0n)))
    const even = sumPoints(terms.filter((_, k) => k % 2 === 0))
    const odd = sumPoints(terms.filter((_, k) => k % 2 === 1))
    if (!pointsEqual(even, odd)) return false
  }
  return true
}

function binomial(n: number, k: number): bigint {
  let value = 1n
  for (let i = 1n; i <= BigInt(k); i++) value = (value * (BigInt(n) - i + 1n)) / i
  return value
}
