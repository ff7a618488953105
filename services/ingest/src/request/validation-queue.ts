import type { Validation, ValidationResult } from '@ariftly/events'

/** Time of one event-loop tick for validating large bodies, ms; the last slice of a tick may exceed it. */
const TICK_MS = 1

interface Waiting {
  readonly validation: Validation
  readonly resolve: (result: ValidationResult) => void
  readonly reject: (error: unknown) => void
}

/**
 * Runs validations so that a large body does not delay small ones: a body that is not done after its first slice waits here,
 * and in each event-loop tick one body is continued for 1 ms. Tenants take turns; the bodies of one tenant are validated one
 * after another. The queue is bounded by the memory that bodies may hold.
 */
export class ValidationQueue {
  /** By tenant; the first tenant's turn is next. */
  readonly #waiting = new Map<string, Waiting[]>()

  /** The result; no promise if the body is small. */
  run(tenant: string, validation: Validation): ValidationResult | Promise<ValidationResult> {
    const first = validation.next()
    if (first.done === true) return first.value
    return new Promise((resolve, reject) => {
      if (this.#waiting.size === 0) setImmediate(this.#takeTurn)
      const waiting = { validation, resolve, reject }
      const before = this.#waiting.get(tenant)
      if (before === undefined) this.#waiting.set(tenant, [waiting])
      else before.push(waiting)
    })
  }

  readonly #takeTurn = (): void => {
    for (const [tenant, bodies] of this.#waiting) {
      const [first] = bodies
      if (first !== undefined && advance(first)) bodies.shift()
      this.#waiting.delete(tenant)
      if (bodies.length > 0) this.#waiting.set(tenant, bodies)
      break
    }
    if (this.#waiting.size > 0) setImmediate(this.#takeTurn)
  }
}

/** Runs slices for a tick; true when the validation has ended. */
function advance({ validation, resolve, reject }: Waiting): boolean {
  const endMs = performance.now() + TICK_MS
  try {
    do {
      const step = validation.next()
      if (step.done !== true) continue
      resolve(step.value)
      return true
    } while (performance.now() < endMs)
    return false
  } catch (error) {
    reject(error)
    return true
  }
}
