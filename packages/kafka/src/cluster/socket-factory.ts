import { connect, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ClientTls } from '@ariftly/runtime'
import type { ISocketFactory } from 'kafkajs'

/** kafkajs sets neither: small requests are sent without delay, and dead connections are detected. */
const SOCKET = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 } as const

/**
 * Makes the sockets of all connections to brokers, kafkajs's and our own. With `tls` a socket is connected once the broker's
 * certificate has been verified.
 */
export function createSocketFactory(tls: ClientTls | undefined): ISocketFactory {
  if (tls === undefined)
    return ({ host, port, onConnect }) => connect({ host, port, ...SOCKET }).on('connect', onConnect)
  return ({ host, port, onConnect }) => {
    const name = isIP(host) === 0 ? { servername: host } : {}
    const socket = connectTls({ host, port, ...tls, ...name }, () => {
      // `tls.connect` does not take these as options.
      socket.setNoDelay(SOCKET.noDelay).setKeepAlive(SOCKET.keepAlive, SOCKET.keepAliveInitialDelay)
      onConnect()
    })
    return socket
  }
}
