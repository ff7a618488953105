import { ConfigFault, readConfig, settings } from '@ariftly/runtime'

const { KAFKA_TLS, DATABASE_TLS } = settings

/** Of settings that say how a server is spoken to: the addresses that they belong to. */
const ADDRESSES = {
  KAFKA_TLS: ['KAFKA_BROKERS'],
  KAFKA_SASL_MECHANISM: ['KAFKA_BROKERS'],
  DATABASE_TLS: ['DATABASE_URL', 'DATABASE_ADMIN_URL'],
} as const

/**
 * The servers that are started here speak in the clear and to this machine alone, so TLS and logins are for those whose address is
 * given. Throws a {@link ConfigFault} that names each setting without one.
 */
export function checkOwnParts(env: NodeJS.ProcessEnv): void {
  // A user and a password need a mechanism; that is checked where they are used.
  const asked = readConfig({ KAFKA_TLS, DATABASE_TLS }, env)
  const isAsked = { ...asked, KAFKA_SASL_MECHANISM: Boolean(env['KAFKA_SASL_MECHANISM']) }
  const faults = Object.entries(ADDRESSES).flatMap(([name, addresses]) => {
    const isGiven = addresses.some((address) => env[address] || env[`${address}_FILE`])
    if (isGiven || !isAsked[name as keyof typeof ADDRESSES]) return []
    return [`${name} is for a server of yours: ${addresses.join(' or ')} is missing`]
  })
  if (faults.length > 0) throw new ConfigFault(faults)
}
