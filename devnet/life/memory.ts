import { readFileSync } from 'node:fs'

/** Peak resident memory of a process so far in MB, from the kernel's high-water mark; 0 where the system does not tell. */
function peakMb(pid: number): number {
  try {
    const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return match === null ? 0 : Math.round(Number(match[1]) / 1024)
  } catch {
    return 0
  }
}

/** Peaks of groups of processes over a life, also of those that have ended since. */
export class MemoryWatch {
  readonly #peaks = new Map<string, number>()
  readonly #watched: { readonly group: string; readonly pid: number }[] = []

  watch(group: string, pid: number): void {
    this.#watched.push({ group, pid })
  }

  sample(): void {
    for (const { group, pid } of this.#watched) this.#peaks.set(group, Math.max(this.#peaks.get(group) ?? 0, peakMb(pid)))
  }

  peak(group: string): number {
    return this.#peaks.get(group) ?? 0
  }
}
