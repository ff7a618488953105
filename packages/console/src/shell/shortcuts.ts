import { createContext, use, useEffect, useRef } from 'react'

/** A key, or two in a row, that does something: `p`, `g l`. */
export interface Shortcut {
  readonly keys: string
  readonly title: string
  readonly run: () => void
}

/** Two keys belong together when the second follows within this time. */
const SEQUENCE_MS = 1_500

/** The shortcuts of the page in view. One owner: the shell makes it, and pages add theirs while they are shown. */
export class Shortcuts {
  readonly #all = new Set<Shortcut>()
  #first: { readonly key: string; readonly atMs: number } | undefined

  add(shortcut: Shortcut): () => void {
    this.#all.add(shortcut)
    return () => this.#all.delete(shortcut)
  }

  get list(): readonly Shortcut[] {
    return [...this.#all]
  }

  /** Does what a key is for; keys that are typed into a field, or held with others, are left alone. */
  press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || isInDialog()) return
    const first = this.#first
    this.#first = undefined
    const keys =
      first !== undefined && event.timeStamp - first.atMs < SEQUENCE_MS ? `${first.key} ${event.key}` : event.key
    const found = this.list.find((shortcut) => shortcut.keys === keys)
    if (found !== undefined) {
      event.preventDefault()
      found.run()
    } else if (this.list.some((shortcut) => shortcut.keys.startsWith(`${event.key} `))) {
      this.#first = { key: event.key, atMs: event.timeStamp }
    }
  }
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

function isInDialog(): boolean {
  return document.querySelector('dialog[open]') !== null
}

/** The shortcuts of the shell. */
export const ShortcutsContext = createContext<Shortcuts | undefined>(undefined)

/** A shortcut for as long as the component is shown. */
export function useShortcut(keys: string, title: string, run: () => void): void {
  const shortcuts = use(ShortcutsContext)
  const latest = useRef(run)
  useEffect(() => {
    latest.current = run
  })
  useEffect(() => shortcuts?.add({ keys, title, run: () => latest.current() }), [shortcuts, keys, title])
}
