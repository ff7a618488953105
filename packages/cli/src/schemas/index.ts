import { COMMAND_SCHEMAS, type JsonSchema } from './command-schemas.ts'

/** The published document `cli.json`: in `$defs`, every JSON object that a command prints and that is not one of openapi.json. */
export const CLI_SCHEMAS: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://schemas.ariftly.io/v1/cli.json',
  title: 'What the command line prints as JSON',
  $defs: COMMAND_SCHEMAS,
}
