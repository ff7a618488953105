import type { WireReader } from './reader.ts'
import type { WireWriter } from './writer.ts'

/** A request, and how its answer is read. Source: Kafka protocol guide, "Protocol Messages". */
export interface BrokerRequest<T> {
  readonly apiKey: number
  readonly apiName: string
  readonly version: number
  /** A version with compact and tagged fields (KIP-482), sent to brokers that support it. */
  readonly flexibleVersion?: number | undefined
  write(to: WireWriter): void
  read(from: WireReader): T
}
