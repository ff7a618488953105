import type { ArgumentSpec, Command, CommandGroup, OptionSpec } from '../../command/command.ts'
import { GLOBAL_OPTIONS } from '../../command/global-options.ts'
import { isGroup } from '../../command/list-commands.ts'
import { literal } from '../../terminal/show.ts'

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

/** `ariftly completion`: a script for a shell, made of the tree of commands. */
export function createCompletion(tree: () => CommandGroup): Command {
  const choices = Object.keys(SCRIPTS)
  return {
    name: 'completion',
    summary: 'Print the completion script of a shell.',
    description:
      'bash: source <(ariftly completion bash)\nzsh: source <(ariftly completion zsh)\nfish: ariftly completion fish | source',
    args: [{ name: 'shell', summary: choices.join(', '), choices }],
    example: 'ariftly completion bash',
    async run(context, input) {
      const shell = input.required('shell') as keyof typeof SCRIPTS
      await context.out.line(literal(SCRIPTS[shell](listPlaces(tree(), []))))
    },
  }
}

/** What may follow some words of a command line. */
interface Place {
  readonly words: readonly string[]
  /** Commands, or the words that an argument takes. */
  readonly next: readonly Suggestion[]
  readonly options: readonly OptionSpec[]
}

interface Suggestion {
  readonly word: string
  readonly summary: string
}

function listPlaces(group: CommandGroup, words: readonly string[]): readonly Place[] {
  const next = group.commands.map(({ name, summary }) => ({ word: name, summary }))
  const below = group.commands.flatMap((node) => {
    const path = [...words, node.name]
    return isGroup(node) ? listPlaces(node, path) : [placeOf(node, path)]
  })
  return [{ words, next, options: [] }, ...below]
}

function placeOf({ args = [], options = [] }: Command, words: readonly string[]): Place {
  return { words, next: args.flatMap(suggestionsOf), options }
}

function suggestionsOf({ choices = [], summary }: ArgumentSpec): readonly Suggestion[] {
  return choices.map((word) => ({ word, summary }))
}

/** Flags of options: the words that begin with a dash. */
function flagsOf(options: readonly OptionSpec[]): readonly string[] {
  return [...options, ...GLOBAL_OPTIONS].flatMap(({ name, short }) => [
    `--${name}`,
    ...(short === undefined ? [] : [`-${short}`]),
  ])
}

/** `case` patterns of the options that take a value: after them no command or option is suggested. */
function valueFlags(places: readonly Place[]): string {
  const options = [...places.flatMap((place) => place.options), ...GLOBAL_OPTIONS]
  const names = options.filter(({ shown }) => shown !== undefined).map(({ name }) => `--${name}`)
  return [...new Set(names)].join('|')
}

function bashScript(places: readonly Place[]): string {
  const cases = places.map(({ words, next, options }) => {
    const suggested = [...next.map(({ word }) => word), ...flagsOf(options), '--help']
    return `    '${words.join(' ')}') suggested='${suggested.join(' ')}' ;;`
  })
  const choices = choicesOf(places).map(
    ({ place, name, words }) => `    '${place} --${name}') suggested='${words.join(' ')}' ;;`,
  )
  return `# bash completion of ariftly
_ariftly() {
  local cur prev place='' word suggested=''
  cur=\${COMP_WORDS[COMP_CWORD]}
  prev=\${COMP_WORDS[COMP_CWORD-1]}
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}"; do
    case "$place$word" in
${pathCase(places)}
    esac
  done
  place=\${place% }
  case "$place $prev" in
${choices.join('\n')}
    *)
      case "$prev" in
        ${valueFlags(places)}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
      esac
      ;;
  esac
  [ -n "$suggested" ] || case "$place" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$suggested" -- "$cur"))
}
complete -F _ariftly ariftly`
}

/** Patterns of the paths that are one: each followed by what it becomes. */
function pathCase(places: readonly Place[]): string {
  const paths = places.map(({ words }) => words.join(' ')).filter((path) => path !== '')
  return paths.map((path) => `      '${path}') place='${path} ' ;;`).join('\n')
}

function choicesOf(
  places: readonly Place[],
): readonly { readonly place: string; readonly name: string; readonly words: readonly string[] }[] {
  return places.flatMap(({ words, options }) =>
    options.flatMap(({ name, choices }) =>
      choices === undefined ? [] : [{ place: words.join(' '), name, words: choices }],
    ),
  )
}

/** zsh runs the script of bash by its own emulation; in it `path` and `words` are taken. */
function zshScript(places: readonly Place[]): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(places)}`
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ words, next, options }) => {
    const condition = `-n '__ariftly_at "${words.join(' ')}"'`
    return [
      ...next.map(({ word, summary }) => `complete -c ariftly -f ${condition} -a ${word} -d ${quote(summary)}`),
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

function fishOption({ name, short, shown, summary, choices }: OptionSpec): string {
  const value = shown === undefined ? '' : choices === undefined ? ' -r' : ` -x -a ${quote(choices.join(' '))}`
  return `-l ${name}${short === undefined ? '' : ` -s ${short}`}${value} -d ${quote(summary)}`
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
