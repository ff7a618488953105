import { ApiError, AriftlyError } from '@ariftly/sdk'
import { visibleText } from './visible-text.ts'

/** What went wrong with a request: the API's own words, what is wrong where, and the request id for a request for help. */
export function Fault({ error, retry }: { readonly error: unknown; readonly retry?: (() => void) | undefined }) {
  const { title, detail, code, requestId, errors, remedy } = read(error)
  return (
    <div className="fault" role="alert">
      <p>
        <strong>{title}</strong>
        {detail !== undefined && ` ${visibleText(detail)}`}
      </p>
      {errors.length > 0 && (
        <ul>
          {errors.map(({ at, message }) => (
            <li key={`${at} ${message}`}>
              {at !== '' && <code>{visibleText(at)}</code>} {visibleText(message)}
            </li>
          ))}
        </ul>
      )}
      {remedy !== undefined && <p>{remedy}</p>}
      <p className="small muted">
        {code !== undefined && <a href={`/problems/${encodeURIComponent(code)}`}>{code}</a>}
        {requestId !== undefined && (
          <>
            {' '}
            Request <code>{requestId}</code>
          </>
        )}
      </p>
      {retry !== undefined && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  )
}

interface ReadError {
  readonly title: string
  readonly detail?: string | undefined
  /** The code of a problem. */
  readonly code?: string | undefined
  readonly requestId?: string | undefined
  readonly errors: readonly { readonly at: string; readonly message: string }[]
  readonly remedy?: string | undefined
}

function read(error: unknown): ReadError {
  if (error instanceof ApiError) {
    const { problem, status, requestId, errors, retryAfterMs } = error
    return {
      title: problem?.title ?? `The answer had status ${status}.`,
      detail: problem?.detail,
      code: problem?.code,
      requestId,
      errors: errors.map(({ pointer, parameter, message }) => ({ at: pointer ?? parameter ?? '', message })),
      remedy: retryAfterMs === undefined ? undefined : `Try again in ${Math.ceil(retryAfterMs / 1000)} s.`,
    }
  }
  if (error instanceof AriftlyError) {
    const remedy = error.code === 'connection_failed' ? 'Is the server running, and this machine online?' : undefined
    return { title: error.message, requestId: error.requestId, errors: [], remedy }
  }
  return { title: error instanceof Error ? error.message : String(error), errors: [] }
}
