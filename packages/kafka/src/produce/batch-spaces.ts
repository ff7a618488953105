import type { BatchSpace } from '../wire/encode-record-batch.ts'

/** Shares out the memory in which the batches of one send are encoded. */
export interface BatchSpaces {
  /** Empty memory, for one send. */
  take(): BatchSpace
  /** Takes memory back that nothing reads any more: the broker has answered for all that was sent of it. What is not given back is garbage. */
  giveBack(space: BatchSpace): void
}

/** Sends that are larger have memory of their own for what does not fit. */
const SPACE_BYTES = 2 * 1024 * 1024
/** More than the sends that are usually under way. */
const SPARE_MAX = 16

/**
 * Creates spaces that are used again. New memory costs a page fault for each 4 KiB, and the garbage collector runs the more often the more of it is
 * allocated: for batches of 1,000 events that is a tenth of what ingest does.
 */
export function createBatchSpaces(): BatchSpaces {
  const spare: Buffer[] = []
  return {
    take: () => ({ bytes: spare.pop() ?? Buffer.allocUnsafeSlow(SPACE_BYTES), at: 0 }),
    giveBack({ bytes }) {
      if (spare.length < SPARE_MAX) spare.push(bytes)
    },
  }
}
