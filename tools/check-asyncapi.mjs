// Validates an AsyncAPI document (standard input) by its specification, examples included.
import { Parser } from '@asyncapi/parser'
import { printFaults, readStdin } from './read-stdin.mjs'

/** Errors and warnings. */
const SERIOUS = [0, 1]

const diagnostics = await new Parser().validate(readStdin())
printFaults(
  diagnostics
    .filter(({ severity }) => SERIOUS.includes(severity))
    .map(({ code, message, path }) => `${code}: ${message} (/${path.join('/')})`),
)
