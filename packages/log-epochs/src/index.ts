export { followEpochs, type EpochSession, type FollowEpochsOptions, type LogFollower } from './follow-epochs.ts'
export { ensureStart, sessionOf } from './reader-session.ts'
