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

/** Resident memory of a process now in MB; undefined when it has ended, or the system does not tell. */
function residentMb(pid: number): number | undefined {
  try {
    const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return match === null ? undefined : Number(match[1]) / 1024
  } catch {
    return undefined
  }
}

/** Mean of the processes of a group that lived from the mark to now; MB. */
export type MemoryGrowth = { readonly from: number; readonly to: number; readonly perEpoch: number }

/** Peaks of groups of processes over a life, also of those that have ended since. */
export class MemoryWatch {
  readonly #peaks = new Map<string, number>()
  readonly #marked = new Map<number, number>()
  #markedEpoch = 0
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

  /** From here on growth is counted: everything has been warmed up. */
  mark(epoch: number): void {
    this.#markedEpoch = epoch
    for (const { pid } of this.#watched) {
      const resident = residentMb(pid)
      if (resident !== undefined) this.#marked.set(pid, resident)
    }
  }

  growth(group: string, epoch: number): MemoryGrowth {
    const lived = this.#watched.flatMap(({ group: of, pid }) => {
      const [from, to] = [this.#marked.get(pid), residentMb(pid)]
      return of !== group || from === undefined || to === undefined ? [] : [{ from, to }]
    })
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
    const [from, to] = [mean(lived.map((one) => one.from)), mean(lived.map((one) => one.to))]
    const round = (mb: number): number => Math.round(mb * 10) / 10
    return { from: round(from), to: round(to), perEpoch: Math.round(((to - from) / Math.max(1, epoch - this.#markedEpoch)) * 1000) / 1000 }
  }
}
