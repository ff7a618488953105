import type {
  GetWebhookStatsQuery,
  ListDeliveriesQuery,
  ListedDelivery,
  ListWebhooksQuery,
  NewWebhook,
  RotateSecret,
  TestWebhook,
  Webhook,
  WebhookChanges,
} from '@ariftly/sdk'
import type { Command, OptionSpec } from '../../command/command.ts'
import { itemCommand } from '../../command/item-command.ts'
import { listCommand } from '../../command/list-command.ts'
import { BODY, IDEMPOTENCY_KEY } from '../../command/parameters.ts'
import { DELIVERY_COLUMNS, DELIVERY_OPTIONS } from './deliveries.ts'
import { IDS } from './ids.ts'
import { OVERLAP } from './options.ts'

const SECRET: OptionSpec = {
  name: 'secret-file',
  shown: 'path',
  kind: 'secret',
  summary: 'a secret of your own, in a file or, with -, on standard input',
  parameter: 'secret',
}
/** Members of a webhook that may be set. */
const MEMBERS: readonly OptionSpec[] = [
  { name: 'url', shown: 'url', summary: 'where events are sent', parameter: 'url' },
  {
    name: 'events',
    shown: 'types',
    kind: 'list',
    summary: "types separated by commas, groups such as 'task.*', or '*'",
    parameter: 'events',
  },
  { name: 'task', shown: 'id', summary: 'only events of this task', parameter: 'task_id' },
  { name: 'session', shown: 'id', summary: 'only events of this session', parameter: 'session_id' },
  { name: 'agent', shown: 'name', summary: 'only events from this agent', parameter: 'agent' },
  {
    name: 'filter',
    shown: 'json',
    kind: 'json',
    summary: 'what an event must hold, as JSON or @file',
    parameter: 'filter',
  },
  { name: 'description', shown: 'text', summary: 'for people', parameter: 'description' },
  {
    name: 'headers',
    shown: 'json',
    kind: 'json',
    summary: 'headers of each delivery, as JSON or @file',
    parameter: 'headers',
  },
  {
    name: 'rate-limit',
    shown: 'n',
    kind: 'integer',
    min: 1,
    max: 1000,
    summary: 'deliveries a second',
    parameter: 'rate_limit',
  },
  {
    name: 'ordering',
    shown: 'how',
    choices: ['none', 'task'],
    summary: 'task: the events of a task one after another',
    parameter: 'ordering',
  },
  { name: 'enabled', shown: 'true|false', kind: 'boolean', summary: 'false to pause it', parameter: 'enabled' },
  BODY,
]

/** `ariftly webhooks …`. */
export const WEBHOOKS: readonly Command[] = [
  listCommand<Webhook, ListWebhooksQuery>({
    name: 'list',
    summary: 'List webhooks, newest first.',
    route: 'GET /v1/webhooks',
    output: 'api:Webhook',
    example: 'ariftly webhooks list',
    columns: [
      { title: 'ID', value: (webhook) => webhook.id },
      { title: 'STATE', value: (webhook) => stateOf(webhook) },
      { title: 'PENDING', value: (webhook) => webhook.pending_count },
      { title: 'EVENTS', value: (webhook) => webhook.events.join(',') },
      { title: 'URL', value: (webhook) => webhook.url },
    ],
    list: (client, _, query, options) => client.webhooks.list(query, options),
  }),
  itemCommand({
    name: 'get',
    summary: 'Show a webhook.',
    route: 'GET /v1/webhooks/{id}',
    output: 'api:Webhook',
    args: [IDS.webhook],
    example: 'ariftly webhooks get whk_01h455vb4pex5vsknk084sn02q',
    call: (client, input, _, options) => client.webhooks.get(input.required('webhook'), options),
  }),
  itemCommand<NewWebhook>({
    name: 'create',
    summary: 'Create a webhook. Its secret is shown this once.',
    route: 'POST /v1/webhooks',
    output: 'api:WebhookWithSecret',
    options: [...MEMBERS, SECRET, IDEMPOTENCY_KEY],
    example: "ariftly webhooks create --url https://example.com/hook --events 'task.*'",
    call: (client, _, webhook, options) => client.webhooks.create(webhook, options),
  }),
  itemCommand<WebhookChanges>({
    name: 'update',
    summary: 'Change a webhook. A member that --body sets to null is removed.',
    description: 'With another --url, and when it is enabled again, its pending deliveries are sent now.',
    route: 'PATCH /v1/webhooks/{id}',
    output: 'api:Webhook',
    args: [IDS.webhook],
    options: MEMBERS,
    example: 'ariftly webhooks update whk_01h455vb4pex5vsknk084sn02q --rate-limit 20',
    call: (client, input, changes, options) => client.webhooks.update(input.required('webhook'), changes, options),
  }),
  itemCommand<RotateSecret>({
    name: 'rotate',
    summary: 'Give a webhook a new secret. It is shown this once.',
    route: 'POST /v1/webhooks/{id}/rotate-secret',
    output: 'api:WebhookWithSecret',
    args: [IDS.webhook],
    options: [OVERLAP, SECRET, IDEMPOTENCY_KEY],
    example: 'ariftly webhooks rotate whk_01h455vb4pex5vsknk084sn02q --overlap-hours 24',
    call: (client, input, rotation, options) =>
      client.webhooks.rotateSecret(input.required('webhook'), rotation, options),
  }),
  itemCommand<TestWebhook>({
    name: 'test',
    summary: 'Send an example to a webhook at once, and show the attempt.',
    description: 'After a 2xx the pending deliveries of the webhook are sent now.',
    route: 'POST /v1/webhooks/{id}/test',
    output: 'api:TestAttempt',
    args: [IDS.webhook],
    options: [{ name: 'type', shown: 'type', summary: 'type of the example', parameter: 'type' }],
    example: 'ariftly webhooks test whk_01h455vb4pex5vsknk084sn02q --type task.complete',
    call: (client, input, test, options) => client.webhooks.test(input.required('webhook'), test, options),
  }),
  itemCommand({
    name: 'delete',
    summary: 'Delete a webhook. Its pending deliveries are cancelled.',
    route: 'DELETE /v1/webhooks/{id}',
    args: [IDS.webhook],
    asks: 'Delete the webhook?',
    example: 'ariftly webhooks delete whk_01h455vb4pex5vsknk084sn02q --yes',
    call: (client, input, _, options) => client.webhooks.delete(input.required('webhook'), options),
  }),
  itemCommand<GetWebhookStatsQuery>({
    name: 'stats',
    summary: 'Show how the deliveries of a webhook went.',
    route: 'GET /v1/webhooks/{id}/stats',
    output: 'api:WebhookStats',
    args: [IDS.webhook],
    options: [
      { name: 'window', shown: 'window', choices: ['1h', '24h', '7d'], summary: 'how far back', parameter: 'window' },
    ],
    example: 'ariftly webhooks stats whk_01h455vb4pex5vsknk084sn02q --window 24h',
    call: (client, input, query, options) => client.webhooks.stats(input.required('webhook'), query, options),
  }),
  listCommand<ListedDelivery, ListDeliveriesQuery>({
    name: 'deliveries',
    summary: 'List the deliveries of a webhook, newest first.',
    route: 'GET /v1/webhooks/{id}/deliveries',
    output: 'api:ListedDelivery',
    args: [IDS.webhook],
    options: DELIVERY_OPTIONS,
    example: 'ariftly webhooks deliveries whk_01h455vb4pex5vsknk084sn02q --status failed',
    columns: DELIVERY_COLUMNS,
    list: (client, input, query, options) => client.webhooks.listDeliveries(input.required('webhook'), query, options),
  }),
]

function stateOf({ enabled, disabled_reason, failing_since }: Webhook): string {
  if (!enabled) return `off (${disabled_reason ?? 'manual'})`
  return failing_since === null ? 'on' : 'failing'
}
