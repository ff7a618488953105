import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type ConnectionOptions, type SecureContext } from 'node:tls'
import { messageOf } from '@ariftly/fault'

/** PEM files of the TLS of one backend, by path. */
export interface TlsFiles {
  /** Certificates of trusted authorities; default: Node's. */
  readonly ca?: string | undefined
  /** The certificate that this client shows, its chain included. */
  readonly cert?: string | undefined
  /** Its key, not encrypted. */
  readonly key?: string | undefined
}

/** What `tls.connect` and the drivers that hand it their options take. Spread or copy it at each connect, not before. */
export interface ClientTls extends Pick<ConnectionOptions, 'checkServerIdentity'> {
  /** From the files' current content. */
  readonly secureContext: SecureContext
}

/**
 * TLS of a client. The server's certificate is always verified, and its name unless `checkName` is false. The files are read
 * again at each connect, so renewed ones are used without a restart; while they cannot be read, or do not match, the previous
 * ones are used. Throws when they cannot be read now.
 */
export function createClientTls(files: TlsFiles, o: { readonly checkName?: boolean } = {}): ClientTls {
  let texts = readTexts(files)
  let context = createSecureContext(texts)
  return {
    get secureContext() {
      try {
        const found = readTexts(files)
        if (JSON.stringify(found) !== JSON.stringify(texts)) {
          context = createSecureContext(found)
          texts = found
        }
      } catch {
        // The files are being written. Keep the previous ones: a driver does not expect an error in the middle of a handshake.
      }
      return context
    },
    ...(o.checkName === false ? { checkServerIdentity: () => undefined } : {}),
  }
}

function readTexts(files: TlsFiles): Partial<Record<keyof TlsFiles, string>> {
  return Object.fromEntries(
    Object.entries(files).flatMap(([name, file]: [string, string | undefined]) =>
      file === undefined ? [] : [[name, readFileSync(file, 'utf8')]],
    ),
  )
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** The fault of a file of certificates, as the end of a sentence that starts with the setting's name. */
export function faultOfCertificates(file: string): string | undefined {
  return explain(() => {
    const certificates = readFileSync(file, 'utf8').match(CERTIFICATE) ?? []
    // A certificate that cannot be parsed throws.
    const parsed = certificates.map((certificate) => new X509Certificate(certificate))
    return parsed.length > 0 ? undefined : `names a file without a PEM certificate: ${file}`
  }, `names a file that cannot be used as certificates`)
}

/** The fault of a private key's file: unreadable, or not the key of the certificate. */
export function faultOfKey(file: string, certificateFile: string | undefined): string | undefined {
  return explain(() => {
    const key = createPrivateKey(readFileSync(file))
    // A fault of the certificate is reported by its own setting.
    if (certificateFile === undefined || faultOfCertificates(certificateFile) !== undefined) return undefined
    const fits = new X509Certificate(readFileSync(certificateFile)).checkPrivateKey(key)
    return fits ? undefined : `names a key that does not belong to the certificate in ${certificateFile}`
  }, `names a file that cannot be used as a private key (PEM, not encrypted)`)
}

/** Errors of the crypto library do not contain file content. */
function explain(check: () => string | undefined, otherwise: string): string | undefined {
  try {
    return check()
  } catch (error) {
    return `${otherwise}: ${messageOf(error)}`
  }
}
