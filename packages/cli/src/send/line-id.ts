import { createHash } from 'node:crypto'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** Lines that ids can be given to, 2^36. */
export const LINES_MAX = 2 ** 36

/** Gives the id of a line: a TypeID (0.3) of a UUIDv7 of this millisecond. */
export type LineId = (ms: number, line: number) => string

/**
 * Ids that depend on nothing but the time, the number of the line and `seed`, so that a line that is sent again has its id: behind the millisecond
 * are 36 bits of the number, so that ids rise with it, and then 38 bits of the digest of `seed`. Numbers begin at 1.
 */
export function createLineId(seed: string): LineId {
  const digest = createHash('sha256').update(seed).digest()
  const own = BigInt.asUintN(38, digest.readBigUInt64BE(0))
  return function lineId(ms, line) {
    const high = Math.floor(line / 2 ** 24)
    const tail = (2n << 62n) | (BigInt(line % 2 ** 24) << 38n) | own
    const value = (BigInt(ms) << 80n) | (7n << 76n) | (BigInt(high) << 64n) | tail
    return `evt_${base32(value)}`
  }
}

/** 128 bits in 26 characters, two zero bits in front. */
function base32(value: bigint): string {
  let text = ''
  for (let shift = 125n; shift >= 0n; shift -= 5n) text += ALPHABET[Number((value >> shift) & 31n)] ?? ''
  return text
}
