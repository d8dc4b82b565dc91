/** SSZ bits of a hex string, least significant first, as positions that are set. */
export function setBits(hex: string): readonly number[] {
  const bytes = Buffer.from(hex.slice(2), 'hex')
  const found: number[] = []
  bytes.forEach((byte, at) => {
    for (let bit = 0; bit < 8; bit++) if ((byte >> bit) & 1) found.push(at * 8 + bit)
  })
  return found
}
