import { createLogger, type Logger } from '@ariftly/runtime'

/** A log for clients and services of tests: it discards all lines, or writes those from TEST_LOG_LEVEL on. */
export const silentLog: Logger = createLogger({ service: 'test', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' })
