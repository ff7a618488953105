/** Whether Kafka takes writes, as far as this process knows. */
export interface Breaker {
  /** Whether a write may go to the lanes now. While it is half open this lets one through: the caller must then send it. */
  admit(): boolean
  /** A send began; what it returns goes to {@link sendEnded}. */
  sendBegan(): Send
  /** A send ended: `answered` if Kafka took or refused any of its partitions. */
  sendEnded(send: Send, answered: boolean): void
  readonly state: 'closed' | 'open' | 'halfOpen'
  /** False until Kafka has given its first sign of life. */
  readonly started: boolean
  /** Probes now, unless a probe is under way. */
  ask(): Promise<void>
  close(): void
}

/** A send under way. */
interface Send {
  readonly beganMs: number
}

/** What a breaker needs. */
export interface BreakerOptions {
  /** Asks Kafka for a sign of life; must answer within about a second. */
  readonly probe: () => Promise<boolean>
  /** Called when writes stop being admitted: what waits is to be answered. */
  readonly onOpen: () => void
  readonly onChange?: (state: Breaker['state']) => void
  readonly now?: () => number
}

/** A send that takes longer than this, or a silence of this length, makes the breaker ask. */
const SLOW_SEND_MS = 1000
const SILENCE_MS = 2000
const LOOK_EVERY_MS = 250

/**
 * Creates a breaker, open until the first probe succeeds. It opens when a send failed and none succeeded since that one began, or when Kafka gives no
 * sign of life while a send is slow or nothing is sent: so an outage is known within about two seconds, with traffic or without. While open it probes
 * every 250 ms; after a probe it is half open: one write is tried, and its outcome closes or opens it. The very first probe closes it.
 */
export function createBreaker(options: BreakerOptions): Breaker {
  const { probe, onOpen, onChange, now = () => performance.now() } = options
  const sends = new Set<Send>()
  let state: Breaker['state'] = 'open'
  let trying = false
  let signOfLifeMs = Number.NEGATIVE_INFINITY
  let answeredMs = Number.NEGATIVE_INFINITY
  let probing = false
  let starting = true
  let closed = false
  const clock = setInterval(look, LOOK_EVERY_MS)
  clock.unref()
  look()

  function look(): void {
    if (state === 'open' || isSuspicious()) void ask()
  }

  function isSuspicious(): boolean {
    const nowMs = now()
    for (const { beganMs } of sends)
      if (nowMs - beganMs > SLOW_SEND_MS && nowMs - signOfLifeMs > SLOW_SEND_MS) return true
    return nowMs - Math.max(signOfLifeMs, answeredMs) > SILENCE_MS
  }

  async function ask(): Promise<void> {
    if (probing || closed) return
    probing = true
    let alive = false
    try {
      alive = await probe()
    } finally {
      probing = false
      if (alive) signOfLifeMs = now()
      if (!closed) {
        if (!alive) change('open')
        else if (state === 'open') change(starting ? 'closed' : 'halfOpen')
        if (alive) starting = false
      }
    }
  }

  function change(next: Breaker['state']): void {
    trying = false
    if (next === state) return
    state = next
    onChange?.(next)
    if (next === 'open') onOpen()
  }

  function admit(): boolean {
    if (state === 'closed') return true
    if (state === 'open' || trying) return false
    trying = true
    return true
  }

  function sendBegan(): Send {
    const send = { beganMs: now() }
    sends.add(send)
    return send
  }

  function sendEnded(send: Send, answered: boolean): void {
    sends.delete(send)
    if (answered) {
      answeredMs = now()
      change('closed')
    } else if (answeredMs < send.beganMs) change('open')
  }

  return {
    admit,
    sendBegan,
    sendEnded,
    get state() {
      return state
    },
    get started() {
      return !starting
    },
    ask,
    close() {
      closed = true
      clearInterval(clock)
    },
  }
}
