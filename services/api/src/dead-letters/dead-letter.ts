import type { RawRecord } from '@ariftly/events'

/** A dead letter as the API shows it. */
export interface DeadLetter {
  readonly object: 'dead_letter'
  /** `<partition>-<offset>` in the topic of dead letters. */
  readonly id: string
  readonly at: string
  readonly reason: string
  readonly detail: string
  readonly source: string | null
  /** The position of the record in the log. */
  readonly partition: number | null
  readonly offset: string | null
  readonly key: string | null
  readonly headers: Readonly<Record<string, string>>
  readonly value_preview: string | null
}

/** Bytes of key and value that are shown. */
const PREVIEW_BYTES = 1024
/** Headers that are shown, and characters of each: a record has a megabyte of them at most. */
const HEADERS_MAX = 50
const HEADER_CHARS = 256

/** Renders a record of the topic of dead letters. What another producer has put there has no reason and no position. */
export function toDeadLetter(record: RawRecord): DeadLetter {
  const headers = Object.entries(record.headers).map(([name, value]) => [name, textOf(value)] as const)
  const ours = new Map(headers.filter(([name]) => name.startsWith('dlq_')))
  const theirs = headers.filter(([name]) => !name.startsWith('dlq_')).slice(0, HEADERS_MAX)
  const offset = ours.get('dlq_offset') ?? ''
  const partition = ours.get('dlq_partition') ?? ''
  return {
    object: 'dead_letter',
    id: `${record.partition}-${record.offset}`,
    at: new Date(record.timestampMs).toISOString(),
    reason: ours.get('dlq_reason') ?? 'unknown',
    detail: ours.get('dlq_detail') ?? '',
    source: theirs.find(([name]) => name === 'ce_source')?.[1] ?? null,
    partition: /^\d{1,9}$/.test(partition) ? Number(partition) : null,
    offset: /^\d{1,19}$/.test(offset) ? offset : null,
    key: previewOf(record.key),
    headers: Object.fromEntries(theirs),
    value_preview: previewOf(record.value),
  }
}

function previewOf(bytes: Buffer | null): string | null {
  return bytes === null ? null : bytes.subarray(0, PREVIEW_BYTES).toString('base64')
}

/** A header's text, cut; a repeated one is a comma list. */
function textOf(value: RawRecord['headers'][string]): string {
  const values = Array.isArray(value) ? value : [value]
  const text = values.map((one) => (one === null || one === undefined ? '' : one.toString('utf8'))).join(', ')
  return text.slice(0, HEADER_CHARS)
}
