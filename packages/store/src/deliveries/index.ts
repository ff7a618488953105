export type { AttemptOutcome, AttemptRecord, NextStep, NextSteps } from './attempts/attempt-outcome.ts'
export { cancelOrphanedDeliveries } from './cancel-orphaned-deliveries.ts'
export { countDeliveries } from './count-deliveries.ts'
export type { DeliveryCounts } from './count-deliveries.ts'
export { countInFlight } from './scheduling/count-in-flight.ts'
export type { InFlight } from './scheduling/count-in-flight.ts'
export { deriveDeliveryId } from './matching/delivery-id.ts'
export { deliveryRow, OLDEST_UNFINISHED, STATUS_CONDITIONS, unfinishedOf } from './delivery-row.ts'
export type { DeliveryRow, DeliveryStatus } from './delivery-row.ts'
export { FINISHED, isNotStarted, isStill, SENT_AGAIN } from './delivery-state.ts'
export { disableWebhook, drainWebhook, probeSoon } from './operate-webhook.ts'
export {
  dropExpiredDeliveryPartitions,
  ensureDeliveryPartitions,
  readDeliveriesKeptFrom,
} from './delivery-partitions.ts'
export { advanceWithDeliveries, insertDeliveries } from './matching/insert-deliveries.ts'
export type { MatchedEvent, MatchedWrite, PassedPart } from './matching/insert-deliveries.ts'
export {
  deleteExpiredSuccessAnswers,
  keepSuccessAnswers,
  SUCCESS_ANSWERS_KEPT,
} from './attempts/keep-success-answers.ts'
export type { SuccessAnswer } from './attempts/keep-success-answers.ts'
export { lockEndpoints } from './scheduling/lock-endpoints.ts'
export type { LockedEndpoint } from './scheduling/lock-endpoints.ts'
export { queueDueDeliveries } from './scheduling/queue-due-deliveries.ts'
export type { EndpointCapacity } from './scheduling/capacity.ts'
export type { QueuedDelivery } from './scheduling/queue-due-deliveries.ts'
export { queueOrderedDeliveries } from './scheduling/queue-ordered-deliveries.ts'
export type { OrderedQueued } from './scheduling/queue-ordered-deliveries.ts'
export { readDueWebhooks } from './scheduling/read-due-webhooks.ts'
export type { DueWebhook } from './scheduling/read-due-webhooks.ts'
export { readSubscriptions, readWebhooksVersion } from './matching/read-subscriptions.ts'
export type { Subscription, SubscriptionChange } from './matching/read-subscriptions.ts'
export { recordOutcomesAgain } from './attempts/record-outcomes-again.ts'
export { recordOutcomes } from './attempts/record-outcomes.ts'
export type { FailingRule, RecordedOutcomes, TriedEndpoint } from './attempts/record-outcomes.ts'
export { claimQueue } from './scheduling/claim-queue.ts'
export type { QueueIdentity } from './scheduling/claim-queue.ts'
export { releaseDeliveriesOf, releaseExpiredLeases, releaseQueued } from './attempts/release-deliveries.ts'
export type { ReleasedDeliveries } from './attempts/release-deliveries.ts'
export { beatWorker, forgetWorker, listDeadWorkers } from './attempts/worker-heartbeat.ts'
export { spendRateTokens } from './scheduling/endpoint-times.ts'
export { startAttempts, withdrawStarts } from './attempts/start-attempts.ts'
export type { StartedAttempt } from './attempts/start-attempts.ts'
export { unqueueDeliveries } from './scheduling/unqueue-deliveries.ts'
export type { AttemptRef } from './scheduling/unqueue-deliveries.ts'
export {
  advanceMatchBacklog,
  anyMatchBacklog,
  lockNextMatchBacklog,
  readMatchBacklog,
} from './matching/match-backlog.ts'
export type { MatchBacklog } from './matching/match-backlog.ts'
export { createDeliveryShape } from './listing/delivery-shape.ts'
export type { DeliveryFilter, DeliveryListOptions } from './listing/delivery-shape.ts'
export { scanDeliveries } from './listing/scan-deliveries.ts'
export { fitsAll, SCAN_MAX, scannedPageSql, toScannedPage } from './listing/scanned-page.ts'
export type { ScannedColumns, ScannedPage } from './listing/scanned-page.ts'
