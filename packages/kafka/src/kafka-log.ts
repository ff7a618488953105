/** The part of a logger that this package needs; pino's `Logger` fits. */
export interface KafkaLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  debug(fields: object, message: string): void
}
