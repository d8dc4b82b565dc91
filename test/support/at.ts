/** The element at an index that is there. */
export function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new Error(`expected an item at ${index} of ${items.length}`)
  return item
}
