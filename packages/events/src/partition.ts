/**
 * The partition of a key, as Java's client and kafkajs choose it: murmur2 of the key's bytes with the sign bit cleared,
 * modulo the number of partitions.
 */
export function partitionOf(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

const MULTIPLIER = 0x5bd1e995

/** MurmurHash2, 32 bits, seed 0x9747b28c (`org.apache.kafka.common.utils.Utils.murmur2`). */
function murmur2(data: Buffer): number {
  const length = data.length
  let hash = 0x9747b28c ^ length
  const whole = length & ~3
  for (let at = 0; at < whole; at += 4) {
    let word = (data[at] ?? 0) | ((data[at + 1] ?? 0) << 8) | ((data[at + 2] ?? 0) << 16) | ((data[at + 3] ?? 0) << 24)
    word = Math.imul(word, MULTIPLIER)
    word = Math.imul(word ^ (word >>> 24), MULTIPLIER)
    hash = Math.imul(hash, MULTIPLIER) ^ word
  }
  const rest = length & 3
  if (rest > 0) {
    if (rest === 3) hash ^= (data[whole + 2] ?? 0) << 16
    if (rest >= 2) hash ^= (data[whole + 1] ?? 0) << 8
    hash = Math.imul(hash ^ (data[whole] ?? 0), MULTIPLIER)
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER)
  return hash ^ (hash >>> 15)
}
