// Validates an AsyncAPI document (standard input) by its specification, examples included.
import { Parser } from '@asyncapi/parser'
import { printFaults, readStdin } from './read-stdin.mjs'

// Severity 0 is an error, 1 a warning.
const diagnostics = await new Parser().validate(readStdin())
printFaults(
  diagnostics
    .filter(({ severity }) => severity <= 1)
    .map(({ code, message, path }) => `${code}: ${message} (/${path.join('/')})`),
)
