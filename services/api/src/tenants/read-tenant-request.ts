import { createBodyReader, tenantRequestSchema } from '@ariftly/contract'
import type { TenantChanges } from '@ariftly/store/tenants'

const readRequest = createBodyReader(tenantRequestSchema, { nulls: 'kept' })

/** Reads the body of `PUT /v1/tenants/{id}`; null takes a limit away. @throws Problem 422 that names what is wrong. */
export function readTenantRequest(body: unknown): TenantChanges {
  const { state, limits } = readRequest(body)
  return {
    ...(state === undefined ? {} : { state }),
    ...(limits === undefined ? {} : { limits: limitsOf(limits) }),
  }
}

function limitsOf({
  events_per_s: eventsPerS,
  streams,
  webhooks,
  api_keys: apiKeys,
}: NonNullable<ReturnType<typeof readRequest>['limits']>): NonNullable<TenantChanges['limits']> {
  return {
    ...(eventsPerS === undefined ? {} : { eventsPerS }),
    ...(streams === undefined ? {} : { streams }),
    ...(webhooks === undefined ? {} : { webhooks }),
    ...(apiKeys === undefined ? {} : { apiKeys }),
  }
}
