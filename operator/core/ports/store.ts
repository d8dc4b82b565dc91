/** Durable key-value state of one node (not secrets, not slashing records). Values are JSON texts or bytes. */
export type Store = {
  get(space: string, key: string): string | undefined
  put(space: string, key: string, value: string): void
  delete(space: string, key: string): void
  /** Entries of a space in ascending key order, at most `limit`, from key `from` (inclusive). */
  list(space: string, options?: { readonly from?: string; readonly limit?: number }): readonly (readonly [key: string, value: string])[]
  getBytes(space: string, key: string): Uint8Array | undefined
  putBytes(space: string, key: string, value: Uint8Array): void
  /** Runs several changes as one durable transaction. */
  transaction<T>(change: () => T): T
}
