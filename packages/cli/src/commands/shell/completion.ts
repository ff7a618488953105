import type { Command, CommandGroup, OptionSpec } from '../../command/command.ts'
import type { Context } from '../../command/context.ts'
import { GLOBAL_OPTIONS } from '../../command/global-options.ts'
import { isGroup } from '../../command/list-commands.ts'
import { listProfiles } from '../../settings/profile.ts'
import { literal, show } from '../../terminal/show.ts'
import { suggestionOf, type Suggestion } from './suggestion.ts'

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const
/** Words that the scripts ask for. */
const WORDS = {
  profiles: async ({ folders }: Context) => (await listProfiles(folders.config)).map(({ name }) => name),
  webhooks: listWebhooks,
} as const
/** How long a shell waits for ids at most. */
const ASK_MS = 2000

/** `ariftly completion`: a script for a shell, made of the tree of commands, and what such a script asks for. */
export function createCompletion(tree: () => CommandGroup): Command {
  const choices = [...Object.keys(SCRIPTS), ...Object.keys(WORDS)]
  return {
    name: 'completion',
    summary: 'Print the completion script of a shell.',
    description:
      'bash: source <(ariftly completion bash)\nzsh: source <(ariftly completion zsh)\nfish: ariftly completion fish | source\nprofiles and webhooks print the words that these scripts ask for.',
    args: [{ name: 'shell', summary: choices.join(', '), choices }],
    example: 'ariftly completion bash',
    async run(context, input) {
      const shell = input.required('shell')
      if (isIn(WORDS, shell)) {
        for (const word of await WORDS[shell](context)) await context.out.line(show`${word}`)
      } else if (isIn(SCRIPTS, shell)) await context.out.line(literal(SCRIPTS[shell](listPlaces(tree(), []))))
    },
  }
}

function isIn<T extends object>(table: T, name: string): name is Extract<keyof T, string> {
  return Object.hasOwn(table, name)
}

async function listWebhooks(context: Context): Promise<readonly string[]> {
  const client = await context.client({ maxRetries: 0, totalTimeoutMs: ASK_MS })
  const webhooks = await client.webhooks.list({ limit: 100 }, { signal: context.signal }).toArray({ limit: 100 })
  return webhooks.map(({ id }) => id)
}

/** What may follow some words of a command line. */
interface Place {
  readonly words: readonly string[]
  /** Commands; a command has `args` in their place. */
  readonly next: readonly { readonly word: string; readonly summary: string }[]
  /** What its arguments may be. */
  readonly args: readonly { readonly suggestion: Suggestion; readonly summary: string }[]
  readonly options: readonly OptionSpec[]
}

function listPlaces(group: CommandGroup, words: readonly string[]): readonly Place[] {
  const next = group.commands.map(({ name, summary }) => ({ word: name, summary }))
  const below = group.commands.flatMap((node) => {
    const path = [...words, node.name]
    return isGroup(node) ? listPlaces(node, path) : [placeOf(node, path)]
  })
  return [{ words, next, args: [], options: [] }, ...below]
}

function placeOf({ args = [], options = [] }: Command, words: readonly string[]): Place {
  return {
    words,
    next: [],
    args: args.map((spec) => ({ suggestion: suggestionOf(spec), summary: spec.summary })),
    options,
  }
}

/** `--name`, and `-n` where there is one. */
function flagsOf({ name, short }: OptionSpec): readonly string[] {
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]
}

function bashScript(places: readonly Place[]): string {
  const cases = places.map(({ words, next, args, options }) => {
    const named = args.flatMap(({ suggestion }) => (suggestion.type === 'words' ? suggestion.words : []))
    const flags = [...options, ...GLOBAL_OPTIONS].flatMap(flagsOf)
    const suggested = [...next.map(({ word }) => word), ...named, ...flags, '--help']
    const asked = args.flatMap(({ suggestion }) => (suggestion.type === 'asked' ? [asking(suggestion.what)] : []))
    return `    '${words.join(' ')}') suggested="${[...asked, ...suggested].join(' ')}" ;;`
  })
  return `# bash completion of ariftly
_ariftly() {
  local cur prev place='' word suggested='' before=''
  cur=\${COMP_WORDS[COMP_CWORD]}
  prev=\${COMP_WORDS[COMP_CWORD-1]}
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}"; do
    case "$place$word" in
${pathCase(places)}
    esac
  done
  place=\${place% }
  # A shell may take the @ before a file for a word of its own.
  case "$prev" in @) COMPREPLY=($(compgen -f -- "$cur")); return ;; esac
  case "$place $prev" in
${valueCases(places)}
  esac
  [ -n "$suggested" ] || case "$place" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -P "$before" -W "$suggested" -- "$cur"))
}
complete -F _ariftly ariftly`
}

/** Patterns of the paths that are one: each followed by what it becomes. */
function pathCase(places: readonly Place[]): string {
  const paths = places.map(({ words }) => words.join(' ')).filter((path) => path !== '')
  return paths.map((path) => `      '${path}') place='${path} ' ;;`).join('\n')
}

/** Cases of the options that take a value, one for each way to suggest it. */
function valueCases(places: readonly Place[]): string {
  const patterns = new Map<string, string[]>()
  const add = (option: OptionSpec, place: string) => {
    if (option.shown === undefined) return
    const act = bashOf(suggestionOf(option))
    patterns.set(act, [...(patterns.get(act) ?? []), ...flagsOf(option).map((flag) => `${place}' ${flag}'`)])
  }
  for (const { words, options } of places) for (const option of options) add(option, `'${words.join(' ')}'`)
  for (const option of GLOBAL_OPTIONS) add(option, '*')
  return [...patterns].map(([act, of]) => `    ${of.join('|')}) ${act} ;;`).join('\n')
}

function bashOf(suggestion: Suggestion): string {
  const list = 'case "$cur" in *,*) before="${cur%,*},"; cur="${cur##*,}" ;; esac'
  switch (suggestion.type) {
    case 'words':
      return `suggested='${suggestion.words.join(' ')}'; ${list}`
    case 'asked':
      return `suggested="${asking(suggestion.what)} "`
    case 'files':
      return 'COMPREPLY=($(compgen -f -- "$cur")); return'
    case 'atFiles':
      return 'case "$cur" in @) COMPREPLY=($(compgen -f)) ;; @*) COMPREPLY=($(compgen -P @ -f -- "${cur#@}")) ;; esac; return'
    case 'none':
      return 'return'
  }
}

/** Asks the program that is completed. */
function asking(what: string): string {
  return `$("\${COMP_WORDS[0]}" completion ${what} 2>/dev/null)`
}

/** zsh runs the script of bash by its own emulation; in it `path` and `words` are taken. */
function zshScript(places: readonly Place[]): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(places)}`
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ words, next, args, options }) => {
    const condition = `-n '__ariftly_at "${words.join(' ')}"'`
    const line = (word: string, summary: string) =>
      `complete -c ariftly -f ${condition} -a ${word} -d ${quote(summary)}`
    return [
      ...next.map(({ word, summary }) => line(word, summary)),
      ...args.flatMap(({ suggestion, summary }) => {
        const suggested = fishWords(suggestion)
        return suggested === undefined ? [] : [line(quote(suggested), summary)]
      }),
      ...options.map((option) => `complete -c ariftly ${condition} ${fishOption(option)}`),
    ]
  })
  return `# fish completion of ariftly
function __ariftly_at
  set -l path
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and continue
    set -l longer (string join ' ' $path $word)
    contains -- $longer ${places.map(({ words }) => `'${words.join(' ')}'`).join(' ')}; and set path $path $word
  end
  test "$path" = "$argv[1]"
end
${GLOBAL_OPTIONS.map((option) => `complete -c ariftly ${fishOption(option)}`).join('\n')}
${lines.join('\n')}`
}

function fishOption(option: OptionSpec): string {
  const { name, short, shown, summary } = option
  return `-l ${name}${short === undefined ? '' : ` -s ${short}`}${shown === undefined ? '' : fishValue(suggestionOf(option))} -d ${quote(summary)}`
}

function fishValue(suggestion: Suggestion): string {
  const words = fishWords(suggestion)
  if (words !== undefined) return ` -x -a ${quote(words)}`
  return suggestion.type === 'none' ? ' -x' : ' -r -F'
}

function fishWords(suggestion: Suggestion): string | undefined {
  if (suggestion.type === 'words') return suggestion.words.join(' ')
  return suggestion.type === 'asked' ? `(ariftly completion ${suggestion.what} 2>/dev/null)` : undefined
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
