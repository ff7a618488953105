/**
 * The partition of an ASCII key, as Java's client and kafkajs choose it: murmur2 of the key's bytes with the sign bit cleared,
 * modulo the number of partitions.
 */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

const MULTIPLIER = 0x5bd1e995

/** MurmurHash2, 32 bits, seed 0x9747b28c (`org.apache.kafka.common.utils.Utils.murmur2`). */
function murmur2(text: string): number {
  const { length } = text
  let hash = 0x9747b28c ^ length
  const whole = length & ~3
  for (let at = 0; at < whole; at += 4) {
    let word = byte(text, at) | (byte(text, at + 1) << 8) | (byte(text, at + 2) << 16) | (byte(text, at + 3) << 24)
    word = Math.imul(word, MULTIPLIER)
    word = Math.imul(word ^ (word >>> 24), MULTIPLIER)
    hash = Math.imul(hash, MULTIPLIER) ^ word
  }
  const rest = length & 3
  if (rest > 0) {
    if (rest === 3) hash ^= byte(text, whole + 2) << 16
    if (rest >= 2) hash ^= byte(text, whole + 1) << 8
    hash = Math.imul(hash ^ byte(text, whole), MULTIPLIER)
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER)
  return hash ^ (hash >>> 15)
}

function byte(text: string, at: number): number {
  return text.charCodeAt(at) & 0xff
}
