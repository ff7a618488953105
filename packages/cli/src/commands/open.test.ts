import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { run } from '../test-run.ts'
import { fragmentOf } from './open.ts'

const SOURCES = join(import.meta.dirname, '../../../console/src')
const read = (file: string) => readFileSync(join(SOURCES, file), 'utf8')

test.each(['evt_1', 'whk_1', 'dlv_1', 'rdl_1', 't_1', 'a/b c'])('%s is opened at a page that the console has', (id) => {
  const [path = '', search] = fragmentOf(id).slice(1).split('?')
  const routes = [...read('app/router.tsx').matchAll(/\bat\('([^']+)'\)/g)].map(([, route = '']) => route)
  expect(routes.length).toBeGreaterThan(10)
  const [, page, value] = path.split('/')
  expect(routes).toContain(value === undefined ? `/${page}` : `/${page}/$id`)
  const [name = '', given] = search?.split('=') ?? []
  if (search !== undefined) expect(read('deliveries/delivery-search.ts')).toMatch(new RegExp(`\\b${name}\\b`))
  expect(decodeURIComponent(given ?? value ?? '')).toBe(id)
})

test('without a terminal the address is printed', async () => {
  const env = { ARIFTLY_URL: 'https://api.example/base/', ARIFTLY_API_KEY: 'k' }
  expect(await run(['open', 't_1'], { env })).toEqual({
    code: 0,
    out: '{"url":"https://api.example/base/console#/tasks/t_1"}\n',
    err: '',
  })
  expect((await run(['open'], { env })).out).toBe('{"url":"https://api.example/base/console"}\n')
})
