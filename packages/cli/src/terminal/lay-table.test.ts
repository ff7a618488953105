import { expect, test } from '@jest/globals'
import { layTable } from './lay-table.ts'
import { widthOf } from './width.ts'

const ID = 'evt_01h455vb4pex5vsknk084sn02q'
const ROWS = [
  ['CREATED', 'ID', 'TYPE', 'DATA'],
  ['2026-11-28T10:41:03.000Z', ID, 'task.progress', '{"message":"Größe 漢字漢字漢字"}'],
]

test('a table with room is as wide as its texts', () => {
  expect(layTable(ROWS, Infinity)).toEqual([
    `CREATED                   ID${' '.repeat(28)}  TYPE           DATA`,
    `2026-11-28T10:41:03.000Z  ${ID}  task.progress  {"message":"Größe 漢字漢字漢字"}`,
  ])
})

test.each([100, 80, 70, 60, 40, 20, 1])(
  'in %i columns no line is wider, and ids are whole where they have room',
  (room) => {
    const lines = layTable(ROWS, room)
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(room)
    expect(lines[1]?.includes(ID)).toBe(room >= 40)
    if (room >= 60) expect(lines[1]).toMatch(/^2026.*evt_\w+  task\.p.*  \{"mess.*…$/)
  },
)

test('no rows are no lines', () => {
  expect(layTable([], 80)).toEqual([])
})
