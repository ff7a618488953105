import { chmodSync, chownSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PartName } from './part.ts'

/**
 * Makes the parts of a stack speak TLS alone and ask who is there: Kafka by SASL (plain, scram-sha-256, scram-sha-512), Postgres
 * by password (scram-sha-256), Redis by an ACL user. For tests of encrypted connections. The PEM files are read when a part
 * starts, so others count after its restart.
 */
export interface StackTls {
  /** The servers' certificate, with its chain. */
  readonly certFile: string
  /** Its key, PKCS #8, not encrypted. */
  readonly keyFile: string
  /** Authorities of clients: with it every client must show a certificate of theirs. */
  readonly clientCaFile?: string
  /** The user of all parts; in Postgres the owner. */
  readonly user: string
  readonly passwords: Readonly<Record<PartName, string>>
  /** Kafka also takes unsigned tokens (JWT without signature, SASL OAUTHBEARER): for tests of that login. */
  readonly kafkaTokens?: boolean
  /** How long a login at Kafka lasts until it has to be repeated (KIP-368), milliseconds; without limit if not given. */
  readonly kafkaLoginMs?: number
}

/** Copies certificate and key into a part's folder, readable for the part's user alone. */
export function copyPemFiles(
  tls: StackTls,
  dir: string,
  owner?: { readonly uid: number; readonly gid: number },
): { readonly cert: string; readonly key: string } {
  const files = { cert: join(dir, 'server-cert.pem'), key: join(dir, 'server-key.pem') }
  copyFileSync(tls.certFile, files.cert)
  copyFileSync(tls.keyFile, files.key)
  chmodSync(files.key, 0o600)
  if (owner !== undefined) for (const file of Object.values(files)) chownSync(file, owner.uid, owner.gid)
  return files
}

/** Key and certificate in one file, as Kafka's key store of type PEM wants them. */
export function writePemKeyStore(tls: StackTls, dir: string): string {
  const file = join(dir, 'key-store.pem')
  writeFileSync(file, `${readFileSync(tls.keyFile, 'utf8')}\n${readFileSync(tls.certFile, 'utf8')}`, { mode: 0o600 })
  return file
}
