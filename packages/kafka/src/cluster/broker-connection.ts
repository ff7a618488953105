import { withTimeout } from '@ariftly/async'
import type { InternalBroker, InternalConnection } from './internals.ts'
import type { LogIdentity } from '../log-identity.ts'
import type { BrokerRequest } from '../wire/broker-request.ts'
import { sendRequest } from './send-request.ts'
import type { BrokerAddress } from '../wire/metadata.ts'

interface BrokerConnectionOptions {
  readonly address: BrokerAddress
  /** The log that it may lead to, which `onOpened` checks; undefined: any. */
  readonly identity: LogIdentity | undefined
  /** Makes kafkajs's broker of an address, not connected yet. */
  createBroker(address: BrokerAddress): Promise<InternalBroker>
  /** Checks a connection that was just made; its error closes it. */
  onOpened?(send: <T>(request: BrokerRequest<T>) => Promise<T>): Promise<void>
}

/** A connection attempt (TCP, TLS, ApiVersions, SASL) that takes longer has failed. */
const DIAL_MS = 3_000

/**
 * One TCP connection to one broker, opened on first use and again after it broke. A request that times out closes it: the
 * broker may be frozen or the path dead, and a late answer must not be taken for another request's. A kafkajs broker object
 * is used for one connection only, as it never counts as disconnected when its first request gets no answer.
 */
export class BrokerConnection {
  readonly address: BrokerAddress
  readonly identity: LogIdentity | undefined
  readonly #o: BrokerConnectionOptions
  #broker: InternalBroker | undefined
  #opening: Promise<InternalConnection> | undefined
  /** The connection of the broker, once it is dialled. */
  #connection: InternalConnection | undefined
  #outstanding = 0
  #drops = 0
  #closed = false

  constructor(o: BrokerConnectionOptions) {
    this.#o = o
    this.address = o.address
    this.identity = o.identity
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
      const connection = this.#broker?.isConnected() === true ? this.#connection : undefined
      const opened = connection ?? (await withTimeout(this.#open(), timeoutMs))
      const leftMs = timeoutMs - (performance.now() - startedMs)
      onSent?.()
      return await this.#exchange(opened, request, leftMs)
    } finally {
      this.#outstanding -= 1
    }
  }

  /** Closes the connection and rejects its pending requests with `cause`. The next request opens a new connection. */
  drop(cause: unknown): void {
    this.#drops += 1
    const broker = this.#broker
    this.#broker = undefined
    this.#opening = undefined
    this.#connection = undefined
    if (broker !== undefined) destroy(broker, cause)
  }

  /** As `drop`, and later requests are refused, so that no connection is opened that the cluster would not close. */
  close(cause: unknown): void {
    this.#closed = true
    this.drop(cause)
  }

  async #exchange<T>(connection: InternalConnection, request: BrokerRequest<T>, timeoutMs: number): Promise<T> {
    const broker = this.#broker
    try {
      return await withTimeout(sendRequest(connection, request), timeoutMs)
    } catch (error) {
      if (broker === this.#broker) this.drop(error)
      throw error
    }
  }

  #open(): Promise<InternalConnection> {
    if (this.#broker !== undefined && !this.#broker.isConnected() && this.#opening === undefined) this.drop('closed')
    this.#opening ??= this.#dial()
    return this.#opening
  }

  async #dial(): Promise<InternalConnection> {
    if (this.#closed) throw new Error('the connection is closed')
    const drops = this.#drops
    const broker = await this.#o.createBroker(this.address)
    // Dialled after all, it would stay open, and keep a process that has closed its client from ending.
    if (this.#drops !== drops) throw new Error('the connection was dropped')
    this.#broker = broker
    try {
      await withTimeout(broker.connect(), DIAL_MS)
      const connection = await broker.connectionPool.getConnection(0)
      await this.#o.onOpened?.((request) => withTimeout(sendRequest(connection, request), DIAL_MS))
      if (this.#broker !== broker) throw new Error('the connection was dropped')
      this.#opening = undefined
      this.#connection = connection
      return connection
    } catch (error) {
      destroy(broker, error)
      if (this.#broker === broker) this.drop(error)
      throw error
    }
  }
}

function destroy(broker: InternalBroker, cause: unknown): void {
  const reason = cause instanceof Error ? cause : new Error(String(cause))
  for (const connection of broker.connectionPool.pool) connection.socket?.destroy(reason)
}
