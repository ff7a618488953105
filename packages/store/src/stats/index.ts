export { deleteExpiredStats, deleteExpiredStatsWriters, readWebhookStats } from './webhook-stats.ts'
export { latencyBucket, latencyPercentile, STATS_STEPS_S, sumFigures } from './webhook-figures.ts'
export type { Figures, WebhookFigures } from './webhook-figures.ts'
