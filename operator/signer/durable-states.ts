import type { SealedStates } from './sealed-states.ts'

/** Values by name, held in memory and sealed on disk. What is saved is seen at once, and durable when the promise resolves. */
export type DurableStates<State> = {
  find(name: string): State | undefined
  /** In memory only, until the next `save`: for what can be had again. */
  keep(name: string, state: State): void
  /** On disk when it resolves. Saves that come while another is being written are written as one. */
  save(name: string, state: State): Promise<void>
  /** Resolves when all that was saved is on disk; tries again what could not be written. */
  settle(name: string): Promise<void>
  erase(name: string): Promise<void>
}

type Held<State> = { state: State; saved: number; written: number; writing: Promise<void> | undefined }

/** A write waits for the disk off the main thread, which has duties to do meanwhile. */
export function createDurableStates<State>(sealed: SealedStates): DurableStates<State> {
  const held = new Map<string, Held<State>>()
  const entryOf = (name: string): Held<State> | undefined => {
    const known = held.get(name)
    if (known !== undefined) return known
    const bytes = sealed.load(name)
    if (bytes === undefined) return undefined
    // Authenticated encryption: only this module's own JSON comes back.
    const read: Held<State> = { state: JSON.parse(bytes.toString('utf8')) as State, saved: 0, written: 0, writing: undefined }
    held.set(name, read)
    return read
  }
  const keep = (name: string, state: State): Held<State> => {
    const entry = entryOf(name) ?? { state, saved: 0, written: 0, writing: undefined }
    entry.state = state
    held.set(name, entry)
    return entry
  }
  const write = async (name: string, entry: Held<State>): Promise<void> => {
    const { saved } = entry
    await sealed.save(name, Buffer.from(JSON.stringify(entry.state), 'utf8'))
    entry.written = saved
  }
  const settle = async (name: string, entry: Held<State>): Promise<void> => {
    const { saved } = entry
    while (entry.written < saved) {
      entry.writing ??= write(name, entry).finally(() => {
        entry.writing = undefined
      })
      await entry.writing
    }
  }
  return {
    find: (name) => entryOf(name)?.state,
    keep: (name, state) => void keep(name, state),
    save: async (name, state) => {
      const entry = keep(name, state)
      entry.saved += 1
      await settle(name, entry)
    },
    settle: async (name) => {
      const entry = held.get(name)
      if (entry !== undefined) await settle(name, entry)
    },
    erase: async (name) => {
      held.delete(name)
      await sealed.erase(name)
    },
  }
}
