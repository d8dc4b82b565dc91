import { BeaconError } from '../../core/ports/beacon.ts'
import { endpoint, refusal } from './rest.ts'

export type ServerEvent = { readonly type: string; readonly data: string }

// No event of the topics followed here comes near this; a line that goes on is not one.
const MAX_BUFFER = 1 << 20

/**
 * Server-sent events of one connection (WHATWG HTML §9.2), until it ends, nothing came for `idleMs`, or the signal aborts.
 * `onOpen` is called once the server accepted. Throws what broke the connection.
 */
export async function readEvents(
  stream: { readonly url: string; readonly topics: readonly string[]; readonly idleMs: number },
  handlers: { readonly onOpen: () => void; readonly onEvent: (event: ServerEvent) => void },
  signal: AbortSignal,
): Promise<void> {
  const path = `/eth/v1/events?topics=${stream.topics.join(',')}`
  const idle = new AbortController()
  const expire = (): void => idle.abort(new BeaconError('TIMEOUT', `${path}: no event within ${stream.idleMs} ms`, { path }))
  let timer = setTimeout(expire, stream.idleMs)
  try {
    const response = await fetch(endpoint(stream.url, path), {
      headers: { accept: 'text/event-stream' },
      signal: AbortSignal.any([signal, idle.signal]),
    })
    if (!response.ok) throw refusal({ path, status: response.status, detail: await response.text() })
    if (response.body === null) return
    handlers.onOpen()
    const parser = createParser(handlers.onEvent)
    const decoder = new TextDecoder()
    for await (const chunk of response.body) {
      clearTimeout(timer)
      timer = setTimeout(expire, stream.idleMs)
      parser(decoder.decode(chunk, { stream: true }))
    }
  } finally {
    clearTimeout(timer)
    idle.abort()
  }
}

/** Takes the stream's text in pieces of any size and calls back for each complete event. */
export function createParser(onEvent: (event: ServerEvent) => void): (text: string) => void {
  let buffer = ''
  let type = ''
  let data: string[] = []
  const line = (text: string): void => {
    if (text === '') {
      if (data.length > 0) onEvent({ type: type || 'message', data: data.join('\n') })
      type = ''
      data = []
      return
    }
    const colon = text.indexOf(':')
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') type = value
    if (field === 'data') data.push(value)
  }
  return (text) => {
    buffer += text
    // A carriage return at the very end may be half of a line ending.
    const lines = buffer.split(/\r\n|\n|\r(?!$)/)
    buffer = lines.pop() ?? ''
    for (const complete of lines) line(complete)
    const held = buffer.length + data.reduce((sum, part) => sum + part.length, 0)
    if (held > MAX_BUFFER) throw new BeaconError('MALFORMED', `expected events below ${MAX_BUFFER} characters`)
  }
}
