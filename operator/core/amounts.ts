const DECIMALS = 18
/** Digits after the point that people are shown: to the gwei, below which balances only differ by rounding. */
const SHOWN_DECIMALS = 9
const UNIT = 10n ** BigInt(DECIMALS)
const STEP = 10n ** BigInt(DECIMALS - SHOWN_DECIMALS)

/** An amount of wei in ETH, all digits: "1.5", "0.499999999999999999". */
export function exactEth(wei: bigint): string {
  const size = wei < 0n ? -wei : wei
  const fraction = (size % UNIT).toString().padStart(DECIMALS, '0').replace(/0+$/, '')
  return `${wei < 0n ? '-' : ''}${size / UNIT}${fraction === '' ? '' : `.${fraction}`}`
}

/** An amount of wei for people to read, with its unit, rounded to the nearest gwei: "0.5 ETH". What rounds to nothing is given in wei. */
export function ethText(wei: bigint): string {
  const size = wei < 0n ? -wei : wei
  const rounded = ((size + STEP / 2n) / STEP) * STEP
  if (rounded === 0n && size > 0n) return `${wei} wei`
  return `${exactEth(wei < 0n ? -rounded : rounded)} ETH`
}

/** Two amounts to compare: rounded, unless rounding would make them look the same. */
export function ethTexts(one: bigint, other: bigint): readonly [string, string] {
  const texts = [ethText(one), ethText(other)] as const
  return one !== other && texts[0] === texts[1] ? [`${exactEth(one)} ETH`, `${exactEth(other)} ETH`] : texts
}
