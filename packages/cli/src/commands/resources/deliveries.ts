import type { FindDeliveriesQuery, ListedDelivery } from '@ariftly/sdk'
import { CHOICES } from '../../command/choices.ts'
import type { Command, OptionSpec } from '../../command/command.ts'
import { itemCommand } from '../../command/item-command.ts'
import { listCommand } from '../../command/list-command.ts'
import { IDEMPOTENCY_KEY } from '../../command/parameters.ts'
import type { Column } from '../../command/print.ts'
import { IDS } from './ids.ts'
import { DELIVERY_FILTER, TYPES, WEBHOOK } from './options.ts'

/** Options of the lists of deliveries. */
export const DELIVERY_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'status',
    shown: 'status',
    choices: CHOICES.deliveryStatus,
    summary: 'only deliveries with this status',
    parameter: 'status',
  },
  ...DELIVERY_FILTER,
  TYPES,
  {
    name: 'include',
    shown: 'what',
    kind: 'list',
    choices: ['attempts'],
    summary: 'also the newest attempts',
    parameter: 'include',
  },
]

/** How deliveries are listed. */
export const DELIVERY_COLUMNS: readonly Column<ListedDelivery>[] = [
  { title: 'CREATED', value: (delivery) => delivery.created_at },
  { title: 'ID', value: (delivery) => delivery.id },
  { title: 'STATUS', value: (delivery) => delivery.status },
  { title: 'ATTEMPTS', value: (delivery) => delivery.attempt_count },
  { title: 'LAST', value: (delivery) => delivery.last_response_status ?? delivery.last_error_class },
  { title: 'TYPE', value: (delivery) => delivery.event_type },
  { title: 'EVENT', value: (delivery) => delivery.event_id },
  { title: 'WEBHOOK', value: (delivery) => delivery.webhook_id },
]

/** `ariftly deliveries …`. */
export const DELIVERIES: readonly Command[] = [
  listCommand<ListedDelivery, FindDeliveriesQuery>({
    name: 'list',
    summary: 'List deliveries of all webhooks, newest first.',
    description: 'Needs one of --webhook, --event, --task, --since and --status failed.',
    route: 'GET /v1/deliveries',
    output: 'api:ListedDelivery',
    options: [WEBHOOK, ...DELIVERY_OPTIONS],
    example: 'ariftly deliveries list --status failed --since 1d',
    columns: DELIVERY_COLUMNS,
    list: (client, _, query, options) => client.deliveries.list(query, options),
  }),
  itemCommand({
    name: 'get',
    summary: 'Show a delivery with its attempts.',
    route: 'GET /v1/deliveries/{id}',
    output: 'api:DeliveryWithAttempts',
    args: [IDS.delivery],
    example: 'ariftly deliveries get dlv_01h455vb4pex5vsknk084sn02q',
    call: (client, input, _, options) => client.deliveries.get(input.required('id'), options),
  }),
  itemCommand({
    name: 'redeliver',
    summary: 'Send a delivery now, or again.',
    description:
      'A pending delivery is due now, before its next attempt would be. One that was delivered, failed or was cancelled is sent again.',
    route: 'POST /v1/deliveries/{id}/redeliver',
    output: 'api:Delivery',
    args: [IDS.delivery],
    options: [IDEMPOTENCY_KEY],
    example: 'ariftly deliveries redeliver dlv_01h455vb4pex5vsknk084sn02q',
    call: (client, input, _, options) => client.deliveries.redeliver(input.required('id'), options),
  }),
]
