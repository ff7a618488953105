/** A structured logger: fields first, then a fixed sentence. The logger of `@ariftly/runtime` (pino) fits. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
