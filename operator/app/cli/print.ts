/** Prints a command's result: sentences for people, one JSON object for programs. Amounts and ids as decimal strings where big. */
export function print(result: { readonly json: boolean; readonly text: readonly string[]; readonly data: object }): void {
  const plain = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)
  process.stdout.write(`${result.json ? JSON.stringify(result.data, plain) : result.text.join('\n')}\n`)
}

/** Rows of equal columns, two spaces apart. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
