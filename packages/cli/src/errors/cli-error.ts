import { EXIT, type ExitCode } from './exit-code.ts'

/** What is known of a {@link CliError} in addition to its message. */
export interface CliErrorDetails extends ErrorOptions {
  /** Default 1. */
  readonly exit?: ExitCode
  /** What to do about it, in one sentence. */
  readonly remedy?: string
  /** JSON pointer, or the name of an option, of what is wrong. */
  readonly pointer?: string
}

/** Ends a command with a message for its user; `code` is stable and in snake_case. Neither it nor the message may hold a key. */
export class CliError extends Error {
  readonly code: string
  readonly exit: ExitCode
  readonly remedy: string | undefined
  readonly pointer: string | undefined

  constructor(
    code: string,
    message: string,
    { exit = EXIT.failed, remedy, pointer, ...options }: CliErrorDetails = {},
  ) {
    super(message, options)
    this.name = 'CliError'
    this.code = code
    this.exit = exit
    this.remedy = remedy
    this.pointer = pointer
  }
}
