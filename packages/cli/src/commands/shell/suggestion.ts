import { CHOICES } from '../../command/choices.ts'
import type { ArgumentSpec, OptionSpec } from '../../command/command.ts'

/** What a shell suggests for a value. `asked` are words that the program is asked for, by `ariftly completion <what>`. */
export type Suggestion =
  | { readonly type: 'words'; readonly words: readonly string[] }
  | { readonly type: 'asked'; readonly what: 'profiles' | 'webhooks' }
  | { readonly type: 'files' }
  /** Files behind an `@`. */
  | { readonly type: 'atFiles' }
  | { readonly type: 'none' }

/** What to suggest for an option or an argument, by what it declares. */
export function suggestionOf(spec: OptionSpec | ArgumentSpec): Suggestion {
  const { name, kind, choices, idPrefix } = spec
  const shown = 'shown' in spec ? spec.shown : undefined
  if (choices !== undefined) return { type: 'words', words: choices }
  if (name === 'profile') return { type: 'asked', what: 'profiles' }
  if (idPrefix === 'whk_') return { type: 'asked', what: 'webhooks' }
  if (kind === 'secret' || shown === 'path') return { type: 'files' }
  if (kind === 'json' || kind === 'source') return { type: 'atFiles' }
  if (name === 'type' || shown === 'types') return { type: 'words', words: CHOICES.eventType }
  return { type: 'none' }
}
