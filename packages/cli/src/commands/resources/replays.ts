import type { ListReplaysQuery, Replay } from '@ariftly/sdk'
import { CHOICES } from '../../command/choices.ts'
import type { Command, OptionSpec } from '../../command/command.ts'
import { itemCommand } from '../../command/item-command.ts'
import { listCommand } from '../../command/list-command.ts'
import { IDEMPOTENCY_KEY, readParameters } from '../../command/parameters.ts'
import { WAIT, waitUntilEnded } from '../../command/wait-until-ended.ts'
import { CliError } from '../../errors/cli-error.ts'
import { IDS } from './ids.ts'
import { BEFORE, DRY_RUN, SINCE } from './options.ts'

const OPTIONS: readonly OptionSpec[] = [
  { ...SINCE, summary: 'from when on, at most 30 days ago' },
  { name: 'from', shown: 'position', summary: 'from a position of a stream on, instead of --since', parameter: 'from' },
  BEFORE,
  {
    name: 'type',
    shown: 'types',
    kind: 'list',
    summary: 'only of these types, separated by commas',
    parameter: 'types',
  },
  {
    name: 'status',
    shown: 'status',
    choices: CHOICES.endedStatus,
    summary: 'only events whose delivery has this status',
    parameter: 'status',
  },
  DRY_RUN,
  WAIT,
  IDEMPOTENCY_KEY,
]

/** `ariftly replays …`. */
export const REPLAYS: readonly Command[] = [
  {
    name: 'create',
    summary: 'Deliver the events of a time to a webhook again.',
    routes: ['POST /v1/webhooks/{id}/replay'],
    output: 'api:Replay',
    args: [IDS.webhook],
    options: OPTIONS,
    asks: 'Deliver all of them again?',
    asksUnless: 'dry-run',
    example: 'ariftly replays create whk_01h455vb4pex5vsknk084sn02q --since 2h --dry-run',
    async run(context, input) {
      const webhook = input.required('webhook')
      if ((input.value('since') === undefined) === (input.value('from') === undefined)) {
        throw new CliError('usage', 'Name either --since or --from.', { pointer: '--from' })
      }
      const client = await context.client()
      const { signal } = context
      const options = { signal, idempotencyKey: input.text('idempotency-key') }
      const created = await client.webhooks.replay(webhook, readParameters(OPTIONS, input), options)
      const read = async () => await client.webhooks.getReplay(webhook, created.id, { signal })
      return await waitUntilEnded(context, input, created, read)
    },
  },
  listCommand<Replay, ListReplaysQuery>({
    name: 'list',
    summary: 'List the replays of a webhook, newest first.',
    route: 'GET /v1/webhooks/{id}/replays',
    output: 'api:Replay',
    args: [IDS.webhook],
    example: 'ariftly replays list whk_01h455vb4pex5vsknk084sn02q',
    columns: [
      { title: 'CREATED', value: (replay) => replay.created_at },
      { title: 'ID', value: (replay) => replay.id },
      { title: 'STATUS', value: ({ status, dry_run }) => (dry_run ? `${status} (dry run)` : status) },
      { title: 'SCANNED', value: (replay) => replay.scanned_count },
      { title: 'DELIVERIES', value: (replay) => replay.delivery_count },
      { title: 'FROM', value: ({ after, truncated }) => (truncated ? `${after} (truncated)` : after) },
      { title: 'TO', value: (replay) => replay.before },
    ],
    list: (client, input, query, options) => client.webhooks.listReplays(input.required('webhook'), query, options),
  }),
  itemCommand({
    name: 'get',
    summary: 'Show a replay and how far it is.',
    route: 'GET /v1/webhooks/{id}/replays/{replay}',
    output: 'api:Replay',
    args: [IDS.webhook, IDS.replay],
    example: 'ariftly replays get whk_01h455vb4pex5vsknk084sn02q rpl_01h455vb4pex5vsknk084sn02q',
    call: (client, input, _, options) =>
      client.webhooks.getReplay(input.required('webhook'), input.required('replay'), options),
  }),
  itemCommand({
    name: 'cancel',
    summary: 'End a replay. What was made pending is still sent.',
    route: 'DELETE /v1/webhooks/{id}/replays/{replay}',
    args: [IDS.webhook, IDS.replay],
    example: 'ariftly replays cancel whk_01h455vb4pex5vsknk084sn02q rpl_01h455vb4pex5vsknk084sn02q',
    call: (client, input, _, options) =>
      client.webhooks.cancelReplay(input.required('webhook'), input.required('replay'), options),
  }),
]
