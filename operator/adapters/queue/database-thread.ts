// Thread of the embedded Postgres (PGlite): queries come in, results, errors and notifications go out.
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'

export type Query = { readonly id: number; readonly text: string; readonly params?: readonly unknown[] }
export type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'rows'; readonly id: number; readonly rows: readonly unknown[]; readonly rowCount: number }
  | { readonly kind: 'error'; readonly id: number; readonly message: string; readonly code?: string; readonly detail?: string }
  | { readonly kind: 'notification'; readonly channel: string; readonly payload: string }

if (parentPort === null) throw new Error('this module runs as a worker thread only')
const port = parentPort
const send = (answer: Answer): void => port.postMessage(answer)

const INT8 = 20
const db = await PGlite.create({
  dataDir: workerData.folder,
  // The default is made for a server; a few thousand job rows need next to nothing.
  startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=2MB'],
  // As node-postgres does, which BullMQ expects.
  parsers: { [INT8]: (value: string) => value },
})
db.onNotification((channel, payload) => send({ kind: 'notification', channel, payload }))

async function answer({ id, text, params }: Query): Promise<void> {
  try {
    // Only `exec` takes several statements at once; only `query` takes parameters.
    const result = params === undefined ? (await db.exec(text)).at(-1) : await db.query(text, [...params])
    const rows = result?.rows ?? []
    send({ kind: 'rows', id, rows, rowCount: rows.length || (result?.affectedRows ?? 0) })
  } catch (error) {
    const { message, code, detail } = error as Error & { code?: string; detail?: string }
    send({ kind: 'error', id, message, ...(code === undefined ? {} : { code }), ...(detail === undefined ? {} : { detail }) })
  }
}

port.on('message', (message: Query | 'close') => {
  if (message !== 'close') void answer(message)
  else void db.close().finally(() => port.close())
})
send({ kind: 'ready' })
