import { readFileSync } from 'node:fs'
import { ROUTES } from '@ariftly/http'

/** Written by `npm run generate`, published and compared with the code by a test. */
const FILE = new URL('../../../../schemas/openapi.json', import.meta.url)
const ASYNCAPI_FILE = new URL('../../../../schemas/asyncapi.json', import.meta.url)
/** The day of the examples in the file; served examples have yesterday instead, as some times must be in the last days. */
export const EXAMPLE_DAY = '2026-11-24T00:00:00.000Z'
const DAY_MS = 86_400_000

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>
}

/**
 * The committed OpenAPI document as this process serves it: clients reach the API where they got the document, and operations of the api
 * are those with a handler.
 * @param served names of the api's routes that have a handler.
 * @throws Error if the file is not there: the process must not start without it.
 */
export function readOpenapi(served: ReadonlySet<string>, nowMs: number): Buffer {
  const yesterday = new Date(Math.floor(nowMs / DAY_MS - 1) * DAY_MS).toISOString()
  const document = JSON.parse(readFileSync(FILE, 'utf8').replaceAll(EXAMPLE_DAY, yesterday)) as Document
  const absent = new Set<string>(
    ROUTES.filter(({ name, service }) => service === 'api' && !served.has(name)).map(({ name }) => name),
  )
  const paths = Object.entries(document.paths).flatMap(([path, methods]) => {
    const kept = Object.entries(methods).filter(([, { operationId }]) => !absent.has(operationId))
    return kept.length === 0 ? [] : [[path, Object.fromEntries(kept)] as const]
  })
  return Buffer.from(JSON.stringify({ ...document, servers: [{ url: '/' }], paths: Object.fromEntries(paths) }))
}

/**
 * The version of the API, as the OpenAPI document has it.
 * @throws Error if the file is not there: the process must not start without it.
 */
export function readVersion(): string {
  return (JSON.parse(readFileSync(FILE, 'utf8')) as { readonly info: { readonly version: string } }).info.version
}

/**
 * The committed AsyncAPI document, unchanged.
 * @throws Error if the file is not there: the process must not start without it.
 */
export function readAsyncapi(): Buffer {
  return readFileSync(ASYNCAPI_FILE)
}
