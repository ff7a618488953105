import { show, type Shown } from '../terminal/show.ts'
import type { Context } from './context.ts'

/** Prints an answer: one JSON object, or a line for each member. */
export async function printObject({ out, json }: Context, value: object): Promise<void> {
  if (json) {
    await out.json(value)
    return
  }
  for (const line of describe(value, '')) await out.line(line)

  function describe(from: object, indent: string): readonly Shown[] {
    const entries = Object.entries(from as Readonly<Record<string, unknown>>).filter(
      ([, member]) => member !== undefined,
    )
    const width = Math.max(0, ...entries.map(([name]) => name.length))
    return entries.flatMap(([name, member]) => {
      const label = out.paint.dim(name.padEnd(width))
      if (!isNested(member)) return [show`${indent}${label}  ${textOf(member)}`]
      return [show`${indent}${label}`, ...describe(member, `${indent}  `)]
    })
  }
}

function isNested(value: unknown): value is object {
  if (Array.isArray(value)) return value.some((item) => typeof item === 'object' && item !== null)
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
