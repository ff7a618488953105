import { PermissionDeniedError, type Ariftly, type ListedDelivery, type QueriedEvent } from '@ariftly/sdk'
import { AnswerText } from '../command/answer-text.ts'
import type { Command } from '../command/command.ts'
import type { Context } from '../command/context.ts'
import type { Item } from '../command/print.ts'
import { rawEntries } from '../json/raw-json.ts'
import { show, type Shown } from '../terminal/show.ts'

/** Events of a page: the API takes no more with deliveries. */
const PAGE_MAX = 100
/** Events whose deliveries are asked for at the same time. */
const CONCURRENCY = 4

/** One event of a task, as `--json` prints it (`cli:TimelineEntry`). */
interface TimelineEntry {
  readonly event: Item<QueriedEvent>
  /** With their newest attempts; null when the key may not see them. */
  readonly deliveries: readonly ListedDelivery[] | null
}

/** `ariftly timeline <task>`: what happened in a task, and what became of it. */
export const timeline: Command = {
  name: 'timeline',
  summary: 'Show all events of a task: when the log and queries had them, their deliveries and attempts.',
  args: [{ name: 'task', summary: 'id of the task' }],
  example: 'ariftly timeline t_1',
  output: 'cli:TimelineEntry',
  async run(context, input) {
    const answer = new AnswerText(context)
    const lister = await context.client({ fetch: answer.fetch })
    const client = await context.client()
    const task_id = input.required('task')
    for await (const page of openPages(context, lister, task_id)) {
      const texts = answer.items
      const items = page.events.map((value, at) => ({ value, text: texts[at] ?? '' }))
      for (let at = 0; at < items.length; at += CONCURRENCY) {
        const events = items.slice(at, at + CONCURRENCY)
        const entries = await Promise.all(
          events.map(async (event) => await entryOf(context, client, event, page.withDeliveries)),
        )
        for (const entry of entries) await printEntry(context, entry)
      }
    }
  },
}

interface EventsPage {
  readonly events: readonly QueriedEvent[]
  readonly withDeliveries: boolean
}

/** Pages with deliveries, or without them where the key may not see those. */
async function* openPages(context: Context, client: Ariftly, task_id: string): AsyncGenerator<EventsPage> {
  const { signal } = context
  const query = { task_id, order: 'asc', limit: PAGE_MAX } as const
  let isBegun = false
  try {
    for await (const page of client.events.list({ ...query, include: ['log', 'deliveries'] }, { signal }).pages()) {
      isBegun = true
      yield { events: page.data, withDeliveries: true }
    }
  } catch (error) {
    if (isBegun || !(error instanceof PermissionDeniedError)) throw error
    await context.note(show`Deliveries are not shown: ${error.problem?.detail ?? error.message}`)
    for await (const page of client.events.list({ ...query, include: ['log'] }, { signal }).pages()) {
      yield { events: page.data, withDeliveries: false }
    }
  }
}

async function entryOf(
  { signal }: Context,
  client: Ariftly,
  event: Item<QueriedEvent>,
  withDeliveries: boolean,
): Promise<TimelineEntry> {
  const { id, deliveries = [], deliveries_truncated: isCut } = event.value
  if (!withDeliveries) return { event, deliveries: null }
  if (deliveries.length === 0 && isCut !== true) return { event, deliveries: [] }
  const query = { event_id: id, include: ['attempts'], limit: PAGE_MAX } as const
  const found: ListedDelivery[] = []
  for await (const delivery of client.deliveries.list(query, { signal })) found.push(delivery)
  return { event, deliveries: found }
}

async function printEntry({ out, json }: Context, entry: TimelineEntry): Promise<void> {
  if (json) {
    const { event, deliveries } = entry
    await out.jsonText(`{"event":${withoutDeliveries(event.text)},"deliveries":${JSON.stringify(deliveries)}}`)
    return
  }
  const { dim, bold } = out.paint
  const {
    event: { value: event },
    deliveries,
  } = entry
  const afterMs = (at: string | null) =>
    at === null ? 'not known' : signed(Date.parse(at) - Date.parse(event.created_at))
  const agent = event.agent === null ? show`` : show`  ${event.agent}`
  await out.line(show`${event.created_at}  ${bold(event.type)}${agent}  ${dim(event.id)}`)
  if (event.log !== undefined) {
    const { appended_at, projected_at } = event.log
    await out.line(show`  appended ${afterMs(appended_at)}, projected ${afterMs(projected_at)}`)
  }
  for (const delivery of deliveries ?? []) for (const line of describeDelivery(delivery)) await out.line(line)

  function describeDelivery({
    status,
    webhook_id,
    id,
    attempts = [],
    attempt_count,
  }: ListedDelivery): readonly Shown[] {
    const color =
      { delivered: out.paint.green, failed: out.paint.red, pending: out.paint.yellow, cancelled: dim }[status] ?? dim
    return [
      show`  ${color(status)} to ${webhook_id}, attempts ${attempt_count}  ${dim(id)}`,
      ...attempts.toReversed().map(({ attempt, started_at, status: answer, error, total_ms }) => {
        const time = total_ms === null ? '' : ` in ${total_ms} ms`
        return show`    ${attempt}. ${afterMs(started_at)}: ${answer ?? error ?? 'no answer'}${time}`
      }),
    ]
  }
}

/** The event with all other members as the server sent them: the entry has more of its deliveries. */
function withoutDeliveries(text: string): string {
  const members = rawEntries(text).filter(([name]) => name !== 'deliveries' && name !== 'deliveries_truncated')
  return `{${members.map(([name, raw]) => `${JSON.stringify(name)}:${raw}`).join(',')}}`
}

/** Clocks differ: a later event may have the earlier time. */
function signed(ms: number): string {
  return `${ms < 0 ? '-' : '+'}${Math.abs(ms)} ms`
}
