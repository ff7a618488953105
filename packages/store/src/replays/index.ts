export { deleteExpiredReplays, getReplay, insertReplay, listReplays, replayRow, stopReplay } from './replays.ts'
export type { ReplayDeliveryStatus, ReplayRow, ReplayStart } from './replays.ts'
export { findPosition } from './find-position.ts'
