export { followEpochs, type EpochSession, type FollowEpochsOptions, type LogFollower } from './follow-epochs.ts'
export { ensureStart } from './ensure-start.ts'
