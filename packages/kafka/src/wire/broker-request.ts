import type { WireReader } from './reader.ts'
import type { WireWriter } from './writer.ts'

/** A request, and how its answer is read. Source: Kafka protocol guide, "Protocol Messages". */
export interface BrokerRequest<T> {
  readonly apiKey: number
  readonly apiName: string
  /** The oldest version that is sent. */
  readonly version: number
  /** A version with compact and tagged fields (KIP-482): `version` itself, or a newer one for brokers that support it. */
  readonly flexibleVersion?: number | undefined
  write(to: WireWriter): void
  read(from: WireReader): T
}
