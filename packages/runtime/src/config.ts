import { readFileSync } from 'node:fs'
import type { Setting } from './config-items.ts'
import { Fault, messageOf } from '@ariftly/fault'

/** A specification: names of environment variables and how each is read. */
export type ConfigSpec = Readonly<Record<string, Setting<unknown>>>

/** The values of a specification; the members are named as the environment variables. */
export type ConfigOf<S extends ConfigSpec> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never
}

/** The settings cannot be used; `faults` has one sentence for each: what cannot be read, then what does not fit together. Exit code 78. */
export class ConfigFault extends Fault {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super({ code: 'bad_config', message: `The configuration has ${faults.length} fault(s):\n- ${faults.join('\n- ')}` })
    this.name = 'ConfigFault'
    this.faults = faults
  }
}

/**
 * Reads settings from environment variables. `NAME_FILE` names a file whose content, without its last line end, is the
 * value of the secret `NAME`. An empty variable is an absent one. Throws one {@link ConfigFault} that lists every fault.
 */
export function readConfig<S extends ConfigSpec>(spec: S, env: NodeJS.ProcessEnv): ConfigOf<S> {
  const values: Record<string, unknown> = {}
  const faults: string[] = []
  for (const [name, setting] of Object.entries(spec)) {
    const read = readSetting(name, setting, env)
    if (read.ok) values[name] = read.value
    else faults.push(`${name} ${read.fault}`)
  }
  for (const [name, setting] of Object.entries(spec)) {
    const fault = Object.hasOwn(values, name) ? setting.check?.(values[name], values) : undefined
    if (fault !== undefined) faults.push(`${name} ${fault}`)
  }
  if (faults.length > 0) throw new ConfigFault(faults)
  return values as ConfigOf<S>
}

type Read = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly fault: string }

function readSetting(name: string, setting: Setting<unknown>, env: NodeJS.ProcessEnv): Read {
  const source = readText(name, setting, env)
  if (!source.ok) return source
  if (source.text !== undefined) return setting.parse(source.text)
  if (setting.defaultText !== undefined) return setting.parse(setting.defaultText)
  if (setting.optional) return { ok: true, value: undefined }
  return {
    ok: false,
    fault: setting.secret ? `is missing (or ${name}_FILE): ${setting.doc}` : `is missing: ${setting.doc}`,
  }
}

type Text = { readonly ok: true; readonly text: string | undefined } | { readonly ok: false; readonly fault: string }

function readText(name: string, setting: Setting<unknown>, env: NodeJS.ProcessEnv): Text {
  const text = present(env[name])
  const path = setting.secret ? present(env[`${name}_FILE`]) : undefined
  if (path === undefined) return { ok: true, text }
  if (text !== undefined) return { ok: false, fault: `and ${name}_FILE are both set: one of them only` }
  try {
    return { ok: true, text: present(readFileSync(path, 'utf8').replace(/\r?\n$/, '')) }
  } catch (error) {
    return { ok: false, fault: `cannot be read from the file that ${name}_FILE names: ${messageOf(error)}` }
  }
}

function present(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text
}

/** The specification as a Markdown table, for the docs. The values of secrets are not in it. */
export function describeConfig(spec: ConfigSpec): string {
  const rows = Object.entries(spec).map(([name, setting]) => {
    return `| ${namesCell(name, setting)} | ${cell(setting.kind)} | ${defaultCell(setting)} | ${cell(setting.doc)} |`
  })
  return ['| variable | kind | default | what it is |', '| --- | --- | --- | --- |', ...rows, ''].join('\n')
}

function namesCell(name: string, { secret }: Setting<unknown>): string {
  return secret ? `\`${name}\` (or \`${name}_FILE\`)` : `\`${name}\``
}

function defaultCell(setting: Setting<unknown>): string {
  if (setting.defaultText === undefined) return setting.optional ? 'none' : '**required**'
  return setting.defaultText === '' ? 'empty' : `\`${cell(setting.defaultText)}\``
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
