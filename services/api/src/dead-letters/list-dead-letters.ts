import { withTimeout } from '@ariftly/async'
import { DEAD_LETTER_REASONS } from '@ariftly/contract'
import {
  choiceParam,
  cursorParam,
  instantParam,
  limitParam,
  Problem,
  readQuery,
  type ApiHandler,
  type CursorCodec,
} from '@ariftly/http'
import type { KafkaClient } from '@ariftly/kafka'
import type { Pool } from '@ariftly/store'
import { deletedTenants } from '@ariftly/store/tenants'
import { sendObjects } from '../send-list.ts'
import { readDeadLetters, type DeadLetterPage, type DeadLetterPlace } from './read-dead-letters.ts'

interface ListDeadLettersOptions {
  readonly kafka: KafkaClient
  readonly pool: Pool
  /** The topic of dead letters. */
  readonly topic: string
  readonly cursors: CursorCodec
}

const QUERY = {
  reason: choiceParam(DEAD_LETTER_REASONS),
  after: instantParam(),
  before: instantParam(),
  limit: limitParam(),
  cursor: cursorParam(),
}
/** Time for a page; after it, the rows read so far are returned. */
const READ_MS = 1_500
/** Kafka counts as unavailable without an answer within this. */
const ANSWER_MS = 2_500

/** Answers `GET /v1/dead-letters`, newest first, without deleted tenants'. While Kafka is unavailable only this route is 503. */
export function createListDeadLetters({ kafka, pool, topic, cursors }: ListDeadLettersOptions): ApiHandler {
  async function read(
    wanted: Omit<Parameters<typeof readDeadLetters>[1], 'topic' | 'untilMs' | 'deletedTenants'>,
  ): Promise<DeadLetterPage> {
    const untilMs = performance.now() + READ_MS
    const reading = readDeadLetters(kafka, {
      ...wanted,
      topic,
      untilMs,
      deletedTenants: (tenants) => deletedTenants(pool, tenants),
    })
    return await withTimeout(reading, ANSWER_MS, kafkaUnavailable)
  }

  return async function listDeadLetters({ url }, _req, res) {
    const query = readQuery(url, QUERY)
    const filter = {
      ...(query.reason === undefined ? {} : { reason: query.reason }),
      ...(query.after === undefined ? {} : { fromMs: query.after.ceilMs }),
      ...(query.before === undefined ? {} : { beforeMs: query.before.ceilMs }),
    }
    const place =
      query.cursor === undefined ? {} : { place: placeOf(cursors.decode('dead-letters', filter, query.cursor)) }
    const { deadLetters, next } = await read({ ...filter, ...place, limit: query.limit })
    const cursor =
      next === undefined ? null : cursors.encode('dead-letters', filter, `${next.partition} ${next.offset}`)
    sendObjects(res, deadLetters, cursor)
  }
}

/** The cursor is sealed, so its content is valid. */
function placeOf(text: string): DeadLetterPlace {
  const [partition, offset] = text.split(' ').map(Number)
  return { partition: partition ?? 0, offset: offset ?? 0 }
}

function kafkaUnavailable(): Problem {
  return new Problem(503, 'unavailable', {
    detail: 'Kafka does not answer at the moment.',
    headers: { 'Retry-After': '1' },
  })
}
