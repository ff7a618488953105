import type { ListRedeliveriesQuery, Redelivery, RedeliveryRequest } from '@ariftly/sdk'
import { CHOICES } from '../../command/choices.ts'
import type { Command, OptionSpec } from '../../command/command.ts'
import { itemCommand } from '../../command/item-command.ts'
import { listCommand } from '../../command/list-command.ts'
import { IDEMPOTENCY_KEY, readParameters } from '../../command/parameters.ts'
import { WAIT, waitUntilEnded } from '../../command/wait-until-ended.ts'
import { IDS } from './ids.ts'
import { below, DELIVERY_FILTER, DRY_RUN, WEBHOOK } from './options.ts'

const OPTIONS: readonly OptionSpec[] = [
  ...below('filter', [
    WEBHOOK,
    {
      name: 'status',
      shown: 'status',
      choices: CHOICES.deliveryStatus,
      summary: 'only deliveries with this status; default: failed',
      parameter: 'status',
    },
    ...DELIVERY_FILTER,
    { name: 'type', shown: 'types', summary: 'only of these types, separated by commas', parameter: 'type' },
  ]),
  DRY_RUN,
  WAIT,
  IDEMPOTENCY_KEY,
]

/** `ariftly redeliveries …`. */
export const REDELIVERIES: readonly Command[] = [
  {
    name: 'create',
    summary: 'Send now, or again, all deliveries that a filter names. Needs --webhook or --since.',
    description: 'With --status pending, deliveries that wait for their next attempt are due now.',
    routes: ['POST /v1/deliveries/redeliver'],
    output: 'api:Redelivery',
    options: OPTIONS,
    asks: 'Send all of them now?',
    asksUnless: 'dry-run',
    example: 'ariftly redeliveries create --status failed --since 1d --dry-run',
    async run(context, input) {
      const request: RedeliveryRequest = { filter: {}, ...readParameters(OPTIONS, input) }
      const client = await context.client()
      const { signal } = context
      const created = await client.redeliveries.create(request, {
        signal,
        idempotencyKey: input.text('idempotency-key'),
      })
      return await waitUntilEnded(
        context,
        input,
        created,
        async () => await client.redeliveries.get(created.id, { signal }),
      )
    },
  },
  listCommand<Redelivery, ListRedeliveriesQuery>({
    name: 'list',
    summary: 'List redeliveries, newest first, dry runs too.',
    route: 'GET /v1/redeliveries',
    output: 'api:Redelivery',
    example: 'ariftly redeliveries list',
    columns: [
      { title: 'CREATED', value: (redelivery) => redelivery.created_at },
      { title: 'ID', value: (redelivery) => redelivery.id },
      { title: 'STATUS', value: ({ status, dry_run }) => (dry_run ? `${status} (dry run)` : status) },
      { title: 'SCANNED', value: (redelivery) => redelivery.scanned_count },
      { title: 'DELIVERIES', value: (redelivery) => redelivery.delivery_count },
      { title: 'FILTER', value: (redelivery) => JSON.stringify(redelivery.filter) },
    ],
    list: (client, _, query, options) => client.redeliveries.list(query, options),
  }),
  itemCommand({
    name: 'get',
    summary: 'Show a redelivery and how far it is.',
    route: 'GET /v1/redeliveries/{id}',
    output: 'api:Redelivery',
    args: [IDS.redelivery],
    example: 'ariftly redeliveries get rdl_01h455vb4pex5vsknk084sn02q',
    call: (client, input, _, options) => client.redeliveries.get(input.required('id'), options),
  }),
  itemCommand({
    name: 'cancel',
    summary: 'End a redelivery. What was made pending is still sent.',
    route: 'DELETE /v1/redeliveries/{id}',
    output: 'api:Redelivery',
    args: [IDS.redelivery],
    example: 'ariftly redeliveries cancel rdl_01h455vb4pex5vsknk084sn02q',
    call: (client, input, _, options) => client.redeliveries.cancel(input.required('id'), options),
  }),
]
