export { followEpochs, type EpochSession } from './follow-epochs.ts'
export { ensureStart } from './ensure-start.ts'
