/** Messages that came before anybody listens, so many of each sender; then they go straight through. */
export class Early<From, Message> {
  readonly #most: number
  readonly #kept = new Map<From, Message[]>()
  #handler: ((from: From, message: Message) => void) | undefined

  constructor(most: number) {
    this.#most = most
  }

  receive(from: From, message: Message): void {
    if (this.#handler !== undefined) {
      this.#handler(from, message)
      return
    }
    const kept = this.#kept.get(from) ?? []
    if (kept.length < this.#most) this.#kept.set(from, [...kept, message])
  }

  /** Hands over what came early, in each sender's order, then all that comes. One listener only. */
  listen(handler: (from: From, message: Message) => void): void {
    this.#handler = handler
    const kept = [...this.#kept]
    this.#kept.clear()
    for (const [from, messages] of kept) for (const message of messages) handler(from, message)
  }
}
