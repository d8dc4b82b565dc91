const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const
const REFRESH_MS = 100
const PLAIN_EVERY_MS = 15_000

/** What a person sees: one line a stage when it is over, and a living line about what goes on. Plain lines without a terminal. */
export class Screen {
  readonly #terminal: boolean
  readonly #start = Date.now()
  #status = ''
  #stage = ''
  #stageStart = 0
  #frame = 0
  #lastPlain = 0
  #timer: NodeJS.Timeout | undefined
  #pulse: () => string = () => ''

  constructor(terminal: boolean) {
    this.#terminal = terminal
  }

  #elapsed(since: number): string {
    const seconds = Math.floor((Date.now() - since) / 1000)
    return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`
  }

  begin(stage: string): void {
    this.#stage = stage
    this.#stageStart = Date.now()
    this.#status = ''
    this.#lastPlain = Date.now()
    if (!this.#terminal) process.stdout.write(`${this.#elapsed(this.#start)}  … ${stage}\n`)
    this.#timer = setInterval(() => this.#draw(), REFRESH_MS)
  }

  /** What stands after every status: where the chain is and how the operators are. */
  showPulse(pulse: () => string): void {
    this.#pulse = pulse
  }

  /** What goes on right now. */
  status(text: string): void {
    this.#status = text
  }

  done(summary: string): void {
    this.#clear()
    process.stdout.write(`${this.#elapsed(this.#start)}  ✓ ${this.#stage.padEnd(34)} ${this.#elapsed(this.#stageStart)}  ${summary}\n`)
  }

  failed(reason: string): void {
    this.#clear()
    process.stdout.write(`${this.#elapsed(this.#start)}  ✗ ${this.#stage}: ${reason}\n`)
  }

  line(text: string): void {
    if (this.#terminal) process.stdout.write('\r\x1b[2K')
    process.stdout.write(`${text}\n`)
  }

  #clear(): void {
    clearInterval(this.#timer)
    if (this.#terminal) process.stdout.write('\r\x1b[2K')
  }

  #draw(): void {
    if (this.#terminal) {
      this.#frame = (this.#frame + 1) % SPINNER.length
      const width = (process.stdout.columns ?? 120) - 1
      const text = `${this.#elapsed(this.#start)}  ${SPINNER[this.#frame]} ${this.#stage}  ${this.#elapsed(this.#stageStart)}  ${this.#status}  ${this.#pulse()}`
      process.stdout.write(`\r\x1b[2K${text.slice(0, width)}`)
    } else if (Date.now() - this.#lastPlain > PLAIN_EVERY_MS) {
      this.#lastPlain = Date.now()
      process.stdout.write(`${this.#elapsed(this.#start)}    ${this.#status}  ${this.#pulse()}\n`)
    }
  }
}
