/** A request of one tenant, and its answer. */
export interface Exchange {
  /** Method and path, for the report. */
  readonly request: string
  /** 0 when no answer arrived in time, or the connection broke before one did. */
  readonly status: number
  /** Head and body, or the data of a stream while it was open. */
  readonly answer: string
  /** Whether the path names an object of the other tenant. */
  readonly namesForeignObject: boolean
}

/**
 * What is wrong with an exchange, one sentence each; none if all is well.
 * @param hidden texts of the other tenant that this one never sent, so that no answer can hold them but by a leak.
 */
export function checkExchange(exchange: Exchange, hidden: readonly string[]): readonly string[] {
  const { request, status, answer, namesForeignObject } = exchange
  const faults = findHidden(answer, hidden).map((text) => `shows ${text} of the other tenant`)
  if (status === 0) faults.push('got no answer')
  if (status >= 500) faults.push(`was answered ${status}`)
  if (namesForeignObject && status > 0 && status < 400) faults.push(`reached an object of the other tenant (${status})`)
  return faults.map((fault) => `${request} ${fault}`)
}

/** The ones of `hidden` that are in a text, in any case: some are hexadecimal. */
export function findHidden(text: string, hidden: readonly string[]): readonly string[] {
  const lower = text.toLowerCase()
  return hidden.filter((one) => lower.includes(one.toLowerCase()))
}
