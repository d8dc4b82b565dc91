import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../core/errors.ts'
import { ceremonyTable } from './ceremony-table.ts'
import type { OperatorStatus } from './status.ts'
import { readStatus } from './status-table.ts'

const PAUSE_MS = 1_000
/** Cursor home, everything erased (ECMA-48). */
const CLEAR = '\u001b[H\u001b[2J'

type Screen = { readonly isTTY?: boolean; write(text: string): unknown }

/** Asks a running operator every second and shows its ceremonies: afresh on a terminal, elsewhere whenever they have changed. For ever. */
export async function watchCeremonies({
  url,
  first,
  screen,
}: {
  readonly url: string
  readonly first: OperatorStatus
  readonly screen: Screen
}): Promise<never> {
  let last = first
  let shown = ''
  const show = (trouble = ''): void => {
    const news = trouble + JSON.stringify(last.ceremonies)
    if (!screen.isTTY && news === shown) return
    shown = news
    const lines = [...ceremonyTable(last, Date.now()), ...(trouble === '' ? [] : ['', trouble])]
    screen.write(screen.isTTY ? `${CLEAR}${url}  ${new Date().toLocaleTimeString()}\n\n${lines.join('\n')}\n` : `${lines.join('\n')}\n\n`)
  }
  for (show(); ; ) {
    await sleep(PAUSE_MS)
    try {
      last = await readStatus(url)
      show()
    } catch (error) {
      show(reasonOf(error))
    }
  }
}
