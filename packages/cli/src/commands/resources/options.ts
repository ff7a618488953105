import { CHOICES } from '../../command/choices.ts'
import type { OptionSpec } from '../../command/command.ts'

/** Only of one task. The options here belong to more than one command; `parameter` is the name in a query. */
export const TASK: OptionSpec = { name: 'task', shown: 'id', summary: 'only of this task', parameter: 'task_id' }
/** Only of one session. */
export const SESSION: OptionSpec = {
  name: 'session',
  shown: 'id',
  summary: 'only of this session',
  parameter: 'session_id',
}
/** Only from one agent. */
export const AGENT: OptionSpec = { name: 'agent', shown: 'name', summary: 'only from this agent', parameter: 'agent' }
/** Exact types. */
export const TYPES: OptionSpec = {
  name: 'type',
  shown: 'types',
  kind: 'list',
  summary: 'only of these types, separated by commas',
  parameter: 'type',
}
/** The beginning of a range of time. */
export const SINCE: OptionSpec = {
  name: 'since',
  shown: 'time',
  kind: 'time',
  summary: 'only after this: 10m ago, or 2026-11-28T10:00:00Z',
  parameter: 'after',
}
/** The end of a range of time. */
export const BEFORE: OptionSpec = {
  name: 'before',
  shown: 'time',
  kind: 'time',
  summary: 'only before this',
  parameter: 'before',
}
/** Whose keys or entries. */
export const TENANT: OptionSpec = {
  name: 'tenant',
  shown: 'id',
  summary: 'another tenant, with the scope platform',
  parameter: 'tenant',
}
/** Counts, and changes nothing. */
export const DRY_RUN: OptionSpec = { name: 'dry-run', summary: 'only count', parameter: 'dry_run' }
/** How long what a rotation replaces stays valid. */
export const OVERLAP: OptionSpec = {
  name: 'overlap-hours',
  shown: 'n',
  kind: 'number',
  min: 0,
  max: 168,
  summary: 'how long the old one stays valid',
  parameter: 'overlap_hours',
}

/** What deliveries are narrowed by, but for their status. */
export const DELIVERY_FILTER: readonly OptionSpec[] = [
  { name: 'event', shown: 'id', idPrefix: 'evt_', summary: 'only of this event', parameter: 'event_id' },
  TASK,
  {
    name: 'error-class',
    shown: 'class',
    choices: CHOICES.errorClass,
    summary: 'only deliveries whose newest attempt has this error class',
    parameter: 'error_class',
  },
  SINCE,
  BEFORE,
]
/** Only of one webhook. */
export const WEBHOOK: OptionSpec = {
  name: 'webhook',
  shown: 'id',
  idPrefix: 'whk_',
  summary: 'only of this webhook',
  parameter: 'webhook_id',
}

/** The same options, whose parameters are members of `parent`. */
export function below(parent: string, options: readonly OptionSpec[]): readonly OptionSpec[] {
  return options.map((option) => ({ ...option, parameter: `${parent}.${option.parameter}` }))
}
