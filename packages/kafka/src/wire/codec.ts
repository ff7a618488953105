import * as zlib from 'node:zlib'
import { Decompress } from 'fzstd'

/** The codecs in the attributes of a record batch. Source: Kafka protocol guide, "Record Batch". */
export const GZIP = 1
const ZSTD = 4
const NAMES: Readonly<Record<number, string>> = { 2: 'snappy', 3: 'lz4' }
/** What one batch may unpack to. The topic takes batches of 1 MiB, and JSON packs to a tenth or so. */
const UNPACKED_BYTES_MAX = 64 * 1024 * 1024

/** Node 24 has zstd; the types are those of Node 20. */
const { zstdDecompressSync } = zlib as { readonly zstdDecompressSync?: typeof zlib.gunzipSync }

/** Unpacks the records of a batch. Throws on another codec than gzip and zstd, damage, and above 64 MiB. */
export function unpack(codec: number, packed: Buffer): Buffer {
  if (codec === 0) return packed
  if (codec === GZIP) return zlib.gunzipSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX })
  if (codec === ZSTD) return unpackZstd(packed)
  const name = NAMES[codec] === undefined ? '' : ` (${NAMES[codec]})`
  throw new Error(`records compressed by codec ${codec}${name} cannot be read`)
}

function unpackZstd(packed: Buffer): Buffer {
  if (zstdDecompressSync !== undefined) return zstdDecompressSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX })
  const chunks: Uint8Array[] = []
  let bytes = 0
  const stream = new Decompress((chunk) => {
    bytes += chunk.length
    if (bytes > UNPACKED_BYTES_MAX) throw new RangeError(`a batch unpacks to more than ${UNPACKED_BYTES_MAX} bytes`)
    chunks.push(chunk)
  })
  stream.push(packed, true)
  return Buffer.concat(chunks)
}
