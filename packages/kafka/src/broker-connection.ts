import { withTimeout } from '@ariftly/async'
import type { InternalBroker, InternalConnection, ProtocolRequest } from './internals.ts'
import type { BrokerAddress } from './wire/metadata.ts'

/** A request, and how its answer is read. Source: Kafka protocol guide, "Protocol Messages". */
export interface BrokerRequest<T> {
  readonly apiKey: number
  readonly apiVersion: number
  readonly apiName: string
  readonly body: Buffer
  readonly decode: (data: Buffer) => T
}

export interface BrokerConnectionOptions {
  readonly address: BrokerAddress
  /** Makes kafkajs's broker of an address, not connected yet. */
  createBroker(address: BrokerAddress): Promise<InternalBroker>
  /** Checks a connection that was just made; its error closes it. */
  onOpened?(send: <T>(request: BrokerRequest<T>) => Promise<T>): Promise<void>
}

/** A connection attempt (TCP, TLS, ApiVersions, SASL) that takes longer has failed. */
const DIAL_MS = 3_000

/**
 * One TCP connection to one broker, made when it is first needed and again after it broke. A request without an answer in
 * time breaks it: behind it may be a frozen broker or a dead path, and a late answer must not meet another request.
 * kafkajs's broker object is used once, as one whose first request was not answered takes itself for connected for ever.
 */
export class BrokerConnection {
  readonly address: BrokerAddress
  readonly #o: BrokerConnectionOptions
  #broker: InternalBroker | undefined
  #opening: Promise<InternalConnection> | undefined
  #outstanding = 0

  constructor(o: BrokerConnectionOptions) {
    this.#o = o
    this.address = o.address
  }

  get isOpen(): boolean {
    return this.#broker?.isConnected() ?? false
  }

  /** Requests without an answer yet. The broker takes the next one of a connection when it has answered the one before. */
  get outstanding(): number {
    return this.#outstanding
  }

  /**
   * Sends a request and resolves with its answer. Rejects when it cannot be sent or is not answered within `timeoutMs`,
   * dialling included. `onSent` is called when the request may have reached the broker.
   */
  async send<T>(request: BrokerRequest<T>, timeoutMs: number, onSent?: () => void): Promise<T> {
    this.#outstanding += 1
    try {
      const startedMs = performance.now()
      const connection = await withTimeout(this.#open(), timeoutMs)
      const leftMs = timeoutMs - (performance.now() - startedMs)
      onSent?.()
      return await this.#exchange(connection, request, leftMs)
    } finally {
      this.#outstanding -= 1
    }
  }

  /** Ends the connection at once; requests that wait for an answer are rejected with `cause`. The next request dials anew. */
  drop(cause: unknown): void {
    const broker = this.#broker
    this.#broker = undefined
    this.#opening = undefined
    if (broker !== undefined) destroy(broker, cause)
  }

  async #exchange<T>(connection: InternalConnection, request: BrokerRequest<T>, timeoutMs: number): Promise<T> {
    const broker = this.#broker
    try {
      return await withTimeout(connection.send(toProtocol(request, timeoutMs)), timeoutMs)
    } catch (error) {
      if (broker === this.#broker) this.drop(error)
      throw error
    }
  }

  #open(): Promise<InternalConnection> {
    if (this.#broker !== undefined && !this.#broker.isConnected() && this.#opening === undefined) this.drop('closed')
    if (this.#broker !== undefined && this.#broker.isConnected() && this.#opening === undefined) {
      return this.#broker.connectionPool.getConnection(0)
    }
    this.#opening ??= this.#dial()
    return this.#opening
  }

  async #dial(): Promise<InternalConnection> {
    const broker = await this.#o.createBroker(this.address)
    this.#broker = broker
    try {
      await withTimeout(broker.connect(), DIAL_MS)
      const connection = await broker.connectionPool.getConnection(0)
      await this.#o.onOpened?.((request) => withTimeout(connection.send(toProtocol(request, DIAL_MS)), DIAL_MS))
      if (this.#broker !== broker) throw new Error('the connection was dropped')
      this.#opening = undefined
      return connection
    } catch (error) {
      destroy(broker, error)
      if (this.#broker === broker) this.drop(error)
      throw error
    }
  }
}

function toProtocol<T>({ body, decode, ...names }: BrokerRequest<T>, timeoutMs: number): ProtocolRequest<T> {
  return {
    request: { ...names, encode: async () => ({ buf: body, buffer: body }) },
    response: { decode: async (data) => decode(data), parse: async (decoded) => decoded },
    // kafkajs's own timeout is by the wall clock and comes second.
    requestTimeout: timeoutMs + DIAL_MS,
    logResponseError: false,
  }
}

function destroy(broker: InternalBroker, cause: unknown): void {
  const reason = cause instanceof Error ? cause : new Error(String(cause))
  for (const connection of broker.connectionPool.pool) connection.socket?.destroy(reason)
}
