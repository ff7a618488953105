/** What a webhook may hold; the docs are made from these. */
export const WEBHOOK_LIMITS = {
  webhooksPerTenantMax: 100,
  eventsMax: 32,
  descriptionCharsMax: 1000,
  headersMax: 20,
  headerNameCharsMax: 128,
  headerValueCharsMax: 2048,
  rateLimitMax: 1000,
  overlapHoursMax: 168,
  replayDaysMax: 30,
} as const
