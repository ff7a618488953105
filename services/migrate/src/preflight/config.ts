import { redisConfig, type ConfigOf } from '@ariftly/runtime'
import { migrateConfig } from '../config.ts'

const { ARIFTLY_BOOTSTRAP_KEY: _key, ...backends } = migrateConfig

/** Settings of `preflight`: the backends of all services. */
export const preflightConfig = { ...backends, ...redisConfig } as const

/** The values of {@link preflightConfig}. */
export type PreflightConfig = ConfigOf<typeof preflightConfig>
