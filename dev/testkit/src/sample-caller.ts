import type { Caller } from '@ariftly/http'

/** The caller of a key of tenant `acme` without scopes, limits or an end. */
export function sampleCaller(changes: Partial<Caller> = {}): Caller {
  return {
    keyId: 'key_1',
    secret: 1,
    tenant: 'acme',
    scopes: [],
    quota: { eventsPerS: null, bytesPerS: null },
    limits: { eventsPerS: null, streams: null, webhooks: null },
    suspended: false,
    expiresAtMs: null,
    endsAtMs: null,
    ...changes,
  }
}
