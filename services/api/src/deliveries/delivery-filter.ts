import { ERROR_CLASSES, type ErrorClass } from '@ariftly/egress'
import { parseTypeId } from '@ariftly/events'
import { choiceParam, identifierParam, instantParam, Problem, textParam, type QueryOf } from '@ariftly/http'
import type { DeliveryFilter } from '@ariftly/store/deliveries'
import { readTypes, typeParams } from '../type-params.ts'

/** Which deliveries of a webhook are meant, as parameters of its list. */
export const webhookFilterParams = {
  event_id: typeIdParam('evt'),
  task_id: identifierParam(),
  status: choiceParam(['pending', 'delivered', 'failed', 'cancelled']),
  ...typeParams,
  error_class: choiceParam<ErrorClass>(ERROR_CLASSES),
  after: instantParam(),
  before: instantParam(),
}

/** Which deliveries are meant, as parameters of a list; members of the same names filter a redelivery. */
export const deliveryFilterParams = { webhook_id: typeIdParam('whk'), ...webhookFilterParams }

/**
 * The filter of the parameters. `created_at` has whole milliseconds: `after` is inclusive, `before` exclusive.
 * @throws Problem 400 for both names of the types.
 */
export function readDeliveryFilter(values: Partial<QueryOf<typeof deliveryFilterParams>>): DeliveryFilter {
  const types = readTypes(values)
  return {
    ...(values.webhook_id === undefined ? {} : { webhookId: values.webhook_id }),
    ...(values.event_id === undefined ? {} : { eventId: values.event_id }),
    ...(values.task_id === undefined ? {} : { taskId: values.task_id }),
    ...(values.status === undefined ? {} : { status: values.status }),
    // The order in which types are listed means nothing.
    ...(types === undefined ? {} : { types: types.toSorted() }),
    ...(values.error_class === undefined ? {} : { errorClass: values.error_class }),
    ...(values.after === undefined ? {} : { afterMs: values.after.ceilMs }),
    ...(values.before === undefined ? {} : { beforeMs: values.before.ceilMs }),
  }
}

/** Throws a `Problem` 400 for a filter that no index serves. */
export function refuseTooWide(filter: DeliveryFilter): void {
  const { webhookId, eventId, taskId, status, afterMs } = filter
  if ((webhookId ?? eventId ?? taskId ?? afterMs) !== undefined || status === 'failed') return
  throw new Problem(400, 'filter_too_wide', {
    detail: 'Give at least one of webhook_id, event_id, task_id, status=failed and after.',
  })
}

function typeIdParam(prefix: 'whk' | 'evt') {
  const shape = `the id of ${prefix === 'whk' ? 'a webhook' : 'an event'}, ${prefix}_…`
  const param = textParam({ pattern: new RegExp(`^${prefix}_`), shape })
  const parse: typeof param.parse = (text) =>
    parseTypeId(prefix, text) === undefined ? { ok: false, message: `must be ${shape}` } : { ok: true, value: text }
  return { ...param, parse }
}
