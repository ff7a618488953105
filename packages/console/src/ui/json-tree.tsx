import { useState } from 'react'
import { RawNumber, type Json } from './raw-json.ts'
import { visibleText } from './visible-text.ts'

/** Children that are rendered at once, and characters of one string: more are asked for. */
const CHILDREN_STEP = 100
const STRING_STEP = 2_000
/** Branches above this depth are open at first. */
const OPEN_DEPTH = 2

/** JSON as a tree whose branches are rendered when they are opened: 256 KiB cost no more than what is in view. */
export function JsonTree({
  value,
  name,
  depth = 0,
}: {
  readonly value: Json
  readonly name?: string
  readonly depth?: number
}) {
  const [isOpen, setOpen] = useState(depth < OPEN_DEPTH)
  if (typeof value !== 'object' || value === null || value instanceof RawNumber) {
    return (
      <div className="json-leaf">
        <Name name={name} />
        <Leaf value={value} />
      </div>
    )
  }
  const size = Array.isArray(value) ? value.length : Object.keys(value).length
  const summary = Array.isArray(value) ? `[ ${size} ]` : `{ ${size} }`
  return (
    <details className="json-branch" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Name name={name} />
        <span className="muted">{summary}</span>
      </summary>
      {isOpen && <Children entries={Object.entries(value)} depth={depth + 1} />}
    </details>
  )
}

function Children(props: { readonly entries: readonly (readonly [string, Json])[]; readonly depth: number }) {
  const { entries, depth } = props
  const [shown, setShown] = useState(CHILDREN_STEP)
  return (
    <div className="json-children">
      {entries.slice(0, shown).map(([name, value]) => (
        <JsonTree key={name} name={name} value={value} depth={depth} />
      ))}
      {entries.length > shown && (
        <button type="button" className="small-button" onClick={() => setShown(shown + CHILDREN_STEP)}>
          {entries.length - shown} more
        </button>
      )}
    </div>
  )
}

function Name({ name }: { readonly name: string | undefined }) {
  if (name === undefined) return null
  return <span className="json-name">{visibleText(name)}: </span>
}

function Leaf({ value }: { readonly value: string | boolean | null | RawNumber }) {
  const [isWhole, setWhole] = useState(false)
  if (typeof value !== 'string') {
    const text = value instanceof RawNumber ? value.source : String(value)
    return <span className="json-word">{text}</span>
  }
  const isCut = !isWhole && value.length > STRING_STEP
  return (
    <>
      <span className="json-string">{visibleText(JSON.stringify(isCut ? value.slice(0, STRING_STEP) : value))}</span>
      {isCut && (
        <button type="button" className="small-button" onClick={() => setWhole(true)}>
          all {value.length} characters
        </button>
      )}
    </>
  )
}
