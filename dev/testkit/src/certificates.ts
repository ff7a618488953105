import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import forge from 'node-forge'

/** A certificate and its key (PKCS #8), both PEM. */
export interface TestCertificate {
  readonly cert: string
  readonly key: string
}

/** What a certificate says. */
export interface TestCertificateOptions {
  /** Host names and addresses; default: `localhost` and `127.0.0.1`. */
  readonly names?: readonly string[]
  /** Default: the first name. */
  readonly commonName?: string
  /** Ended yesterday; default false. */
  readonly expired?: boolean
}

/** A test's own certificate authority. */
export interface TestAuthority {
  /** Its own certificate, PEM. */
  readonly cert: string
  /** A certificate for servers and clients. */
  issue(options?: TestCertificateOptions): TestCertificate
}

const DAY_MS = 86_400_000

/** Makes an authority; about 0.1 s, like each of its certificates. */
export function createTestAuthority(commonName = 'Test CA'): TestAuthority {
  const keys = createKeys()
  const own = createCertificate(keys, commonName, { from: -2, to: 30 })
  own.setIssuer(own.subject.attributes)
  own.setExtensions([
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ])
  own.sign(keys.privateKey, forge.md.sha256.create())

  function issue(options: TestCertificateOptions = {}): TestCertificate {
    const { names = ['localhost', '127.0.0.1'] } = options
    const mine = createKeys()
    const days = options.expired === true ? { from: -2, to: -1 } : { from: -2, to: 30 }
    const certificate = createCertificate(mine, options.commonName ?? names[0] ?? 'client', days)
    certificate.setIssuer(own.subject.attributes)
    certificate.setExtensions([
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames: names.map(altName) },
    ])
    certificate.sign(keys.privateKey, forge.md.sha256.create())
    return { cert: forge.pki.certificateToPem(certificate), key: mine.pem }
  }

  return { cert: forge.pki.certificateToPem(own), issue }
}

/** Types of RFC 5280, 4.2.1.6: 2 is a host name, 7 an address. */
function altName(name: string): object {
  return isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name }
}

interface Keys {
  readonly pem: string
  readonly publicKey: forge.pki.rsa.PublicKey
  readonly privateKey: forge.pki.rsa.PrivateKey
}

function createKeys(): Keys {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return {
    pem: privateKey,
    publicKey: forge.pki.publicKeyFromPem(publicKey),
    privateKey: forge.pki.privateKeyFromPem(privateKey),
  }
}

function createCertificate(
  keys: Keys,
  commonName: string,
  days: { readonly from: number; readonly to: number },
): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = keys.publicKey
  certificate.serialNumber = `01${randomBytes(8).toString('hex')}` // Positive: the first bit is not set.
  certificate.validity.notBefore = new Date(Date.now() + days.from * DAY_MS)
  certificate.validity.notAfter = new Date(Date.now() + days.to * DAY_MS)
  certificate.setSubject([{ name: 'commonName', value: commonName }])
  return certificate
}
