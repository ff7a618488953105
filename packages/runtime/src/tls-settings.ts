import { faultOfCertificates, faultOfKey } from './client-tls.ts'
import { path, type Setting } from './config-items.ts'

/** When the TLS of a backend is in use. */
export interface TlsSwitch {
  /** The setting that says so. */
  readonly setting: string
  /** Whether its value means TLS. */
  readonly on: (value: unknown) => boolean
  /** What it has to be, as `KAFKA_TLS=true`. */
  readonly doc: string
}

/** The setting of the file of authorities: it must hold certificates, and counts only with TLS. */
export function caFile(backend: string, tls: TlsSwitch): Setting<string | undefined> {
  return tlsFile(`Trusted CA certificates (PEM) for ${backend}; default: Node's.`, tls, faultOfCertificates)
}

/** The setting of a client certificate's file, which needs the key's setting. */
export function certFile(backend: string, tls: TlsSwitch, keySetting: string): Setting<string | undefined> {
  const doc = `Client certificate (PEM, with its chain) shown to ${backend} that ask for one (mutual TLS).`
  return tlsFile(doc, tls, (file, others) => needs(others, keySetting) ?? faultOfCertificates(file))
}

/** The setting of the file of its key, which must fit the certificate. */
export function keyFile(tls: TlsSwitch, certSetting: string): Setting<string | undefined> {
  const doc = `Private key (PEM, not encrypted) of the certificate in \`${certSetting}\`.`
  return tlsFile(
    doc,
    tls,
    (file, others) => needs(others, certSetting) ?? faultOfKey(file, others[certSetting] as string | undefined),
  )
}

type Check = (file: string, others: Readonly<Record<string, unknown>>) => string | undefined

function tlsFile(doc: string, tls: TlsSwitch, check: Check): Setting<string | undefined> {
  return {
    ...path({ doc }),
    check(file, others) {
      if (file === undefined) return undefined
      const value = others[tls.setting]
      return value !== undefined && !tls.on(value) ? `counts only with ${tls.doc}` : check(file, others)
    },
  }
}

function needs(others: Readonly<Record<string, unknown>>, setting: string): string | undefined {
  return others[setting] === undefined ? `needs ${setting} too` : undefined
}
