import type { Socket } from 'node:net'

/** Opens a TCP connection to an address that has passed the policy. Tests give one that records and never connects. */
export type Dial = (o: { readonly address: string; readonly family: 4 | 6; readonly port: number }) => Socket
