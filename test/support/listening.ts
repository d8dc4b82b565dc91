import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const TCP_LISTENS = '0A'
/** 127.0.0.1 as the kernel's tables print it: the 32-bit word of the host's byte order. */
const LOOPBACK = '0100007F'

/**
 * Sockets of a process that others could reach from outside this machine: TCP that listens, and bound UDP, on any address but
 * 127.0.0.1. Linux alone: it tells of them in /proc.
 */
export function openToOthers(pid: number): readonly string[] {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`))
  const inodes = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => row.trim().split(/\s+/))
      .filter(([, local, , state, , , , , , inode]) => {
        const counts = table.startsWith('udp') || state === TCP_LISTENS
        return counts && inodes.has(inode ?? '') && !local?.startsWith(`${LOOPBACK}:`)
      })
      .map(([, local]) => `${table} ${local}`),
  )
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    // Closed since it was listed.
    return ''
  }
}
