import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'

/** Base offset (8 bytes) and length of what follows (4). Source: Kafka, "Record Batch". */
const HEAD_BYTES = 12
const LENGTH_AT = 8

/**
 * Counts the record batches of a topic in the broker's files: each is what one produce request held for one partition. Each call
 * continues where the last one ended.
 */
export function createBatchCount(logDir: string, topic: string): () => number {
  const offsets = new Map<string, number>()
  let count = 0

  function countIn(file: string): void {
    const handle = openSync(file, 'r')
    const head = Buffer.alloc(HEAD_BYTES)
    let at = offsets.get(file) ?? 0
    while (readSync(handle, head, 0, HEAD_BYTES, at) === HEAD_BYTES) {
      at += HEAD_BYTES + head.readInt32BE(LENGTH_AT)
      count += 1
    }
    closeSync(handle)
    offsets.set(file, at)
  }

  return function countBatches() {
    const partitions = readdirSync(logDir).filter((name) => name.replace(/-\d+$/, '') === topic)
    for (const partition of partitions) {
      const files = readdirSync(join(logDir, partition)).filter((name) => name.endsWith('.log'))
      for (const file of files) countIn(join(logDir, partition, file))
    }
    return count
  }
}
