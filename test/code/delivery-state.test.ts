import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { TRANSITIONS } from '@ariftly/store/deliveries'
import { sourceFiles } from './source-files.ts'

const OWNER = 'packages/store/src/deliveries/delivery-state.ts'

const UPDATE = /\bupdate\s+(?:only\s+)?(?:public\.)?deliveries\b(?:\s+(?:as\s+)?(?!set\b)\w+)?\s+set\s/gi
const INSERT = /\binsert\s+into\s+(?:public\.)?deliveries\b[^(]*\(([^)]*)\)/gi
const OTHER = /\bmerge\s+into\s+(?:public\.)?deliveries\b|\btrigger\b[^;]*\son\s+deliveries\b/gi

/** The assignments of each update of deliveries: up to its `FROM`, `WHERE` or `RETURNING` that is in no parentheses, or its end. */
function assignmentsIn(text: string): readonly string[] {
  return Array.from(text.matchAll(UPDATE), (found) => {
    const rest = text.slice(found.index + found[0].length)
    let depth = 0
    for (const { 0: token, index } of rest.matchAll(/[()`;]|\b(?:from|where|returning)\b/gi)) {
      if (token === '(') depth += 1
      else if (token === ')' && depth > 0) depth -= 1
      else if (depth === 0 || token === '`') return rest.slice(0, index)
    }
    return rest
  })
}

/** The SQL in a text that sets the state of a delivery otherwise than by a transition. */
function writersIn(text: string): readonly string[] {
  const sets = assignmentsIn(text).filter((set) => {
    const parts = Array.from(set.matchAll(/\$\{([^}]*)\}/g), ([, part = '']) => part)
    return /\bstate\b\s*=/i.test(set) || parts.some((part) => !/^TRANSITIONS\.\w+\.set$/.test(part))
  })
  const inserts = Array.from(text.matchAll(INSERT), ([, columns = '']) => columns).filter((columns) =>
    /\bstate\b/i.test(columns),
  )
  return [...sets, ...inserts, ...(text.match(OTHER) ?? [])]
}

const schema = readFileSync(join(import.meta.dirname, '../../packages/store/migrations/0001_schema.sql'), 'utf8')
const files = [{ path: 'the schema', text: schema }, ...sourceFiles()].filter(({ path }) => !path.endsWith(OWNER))

test('the state of a delivery is set by transitions alone', () => {
  expect(files.flatMap(({ text }) => assignmentsIn(text)).length).toBeGreaterThan(8)
  expect(files.flatMap(({ path, text }) => writersIn(text).map((sql) => `${path}: ${sql}`))).toEqual([])
})

test('each transition is performed', () => {
  const all = files.map(({ text }) => text).join('\n')
  expect(Object.keys(TRANSITIONS).filter((name) => !all.includes(`SET \${TRANSITIONS.${name}.set}`))).toEqual([])
})

test('transitions are between the states of the schema, set what each is made of, and reach all of them', () => {
  const [, listed = ''] = /state text not null default 'pending' check \(state in \(('[^)]*)\)\)/.exec(schema) ?? []
  const states = listed.split(', ').map((quoted) => quoted.slice(1, -1))
  const arrows = Object.values(TRANSITIONS)
  expect(new Set(arrows.flatMap(({ from, to }) => [...from, ...to]))).toEqual(new Set(states))
  // The checks of the table: a pending delivery has `due_at`, a queued one `lease_until`, a finished one `finished_at`.
  const partOf: Readonly<Record<string, string>> = { pending: 'due_at', queued: 'lease_until' }
  for (const { from, to, set } of arrows) {
    const touched = [...from, ...to].map((state) => partOf[state] ?? 'finished_at')
    expect(touched.filter((column) => !set.includes(`${column} = `))).toEqual([])
    const named = Array.from(set.matchAll(/(?<!d\.)\bstate = '(\w+)'/g), ([, state]) => state)
    expect(to).toEqual(expect.arrayContaining(named.slice(0, 1)))
  }
})

test.each([
  `UPDATE deliveries d SET due_at = now(), state = 'pending' WHERE d.id = $1`,
  `update public.deliveries\n  set state='failed'\n  where id = $1;`,
  `UPDATE deliveries SET due_at = (SELECT now() FROM x WHERE y), state = 'failed'`,
  'db.query(`UPDATE deliveries AS d SET ${change} WHERE d.id = $1`)',
  'INSERT INTO deliveries (id, tenant_id, state) VALUES ($1, $2, $3)',
  `MERGE INTO deliveries d USING x ON true`,
  `create trigger finish before update on deliveries for each row execute function finish()`,
])('another writer is found: %s', (sql) => {
  expect(writersIn(sql)).toHaveLength(1)
})

test('a transition, and an update of something else, are none', () => {
  expect(
    writersIn(
      '`UPDATE deliveries d\n  SET ${TRANSITIONS.cancel.set}, replay_id = NULL\n WHERE d.id = $1 AND state = 1`',
    ),
  ).toEqual([])
  expect(writersIn(`UPDATE deliveries SET due_at = now() WHERE state = 'pending'`)).toEqual([])
  expect(writersIn(`UPDATE webhook_replays SET state = 'running'`)).toEqual([])
})
