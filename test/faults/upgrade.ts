import { randomBytes } from 'node:crypto'
import { eventually, startServiceProcess, type World } from '@ariftly/testkit'
import { expect } from '@jest/globals'

/** An installation of an earlier release that is upgraded while it works. */
export interface Upgrade {
  /**
   * Posts events to the earlier release, reads them back, deletes a tenant there, then runs `migrate` of this release while it runs
   * and deletes another one.
   */
  writeAndMigrate(urls: { readonly ingest: string; readonly api: string }): Promise<void>
  /** The events of the earlier release are listed unchanged, and the deleted tenants are deleted. */
  expectKept(api: string): Promise<void>
}

const EVENTS = 300
/** Deleted by the earlier release, and by it on the schema of this one. */
const DELETED = ['deleted-before', 'deleted-on-new-schema'] as const
/** Their task, by which the ledger of a run leaves them out. */
export const UPGRADED_TASK = 'of-the-earlier-release'

/** Replaces the schema of a world by the earlier release's, made by its own `migrate`. `dir` is its built checkout. */
export async function startUpgrade(o: {
  readonly dir: string
  readonly world: World
  readonly env: Readonly<Record<string, string>>
}): Promise<Upgrade> {
  const { dir, world, env } = o
  const apiKey = `bootstrap_${randomBytes(18).toString('hex')}`
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  let before: readonly string[] = []

  async function migrate(root?: string): Promise<void> {
    const owner = { ...env, DATABASE_URL: world.database.adminUrl, ARIFTLY_BOOTSTRAP_KEY: apiKey }
    const options = { untilReady: false, ...(root === undefined ? {} : { root }) }
    const process = await startServiceProcess('migrate', owner, options)
    expect({ code: await process.exited, output: process.output() }).toMatchObject({ code: 0 })
  }

  async function call(api: string, method: string, path: string, body?: object): Promise<number> {
    const answer = await fetch(`${api}/v1/${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    await answer.text()
    return answer.status
  }

  async function deleteTenant(api: string, tenant: string): Promise<void> {
    expect(await call(api, 'POST', 'api-keys', { name: tenant, tenant, scopes: ['events:write'] })).toBe(201)
    expect(await call(api, 'DELETE', `tenants/${tenant}`)).toBe(202)
    await eventually('the tenant is gone', async () => (await call(api, 'GET', `tenants/${tenant}`)) === 404)
  }

  /** Each event as text, so that a number that was rounded would show. */
  async function list(api: string): Promise<readonly string[]> {
    const answer = await fetch(`${api}/v1/events?task_id=${UPGRADED_TASK}&limit=500`, { headers })
    const text = await answer.text()
    expect({ status: answer.status, text }).toMatchObject({ status: 200 })
    return text.match(/\{"object":"event".*?"n":[\d.]+\}\}/g) ?? []
  }

  await world.admin.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  await migrate(dir)
  return {
    async writeAndMigrate({ ingest, api }) {
      const events = Array.from({ length: EVENTS }, (_, n) => {
        return `{"type":"task.progress","task_id":"${UPGRADED_TASK}","data":{"message":"kept","n":${n}.0}}`
      })
      const answer = await fetch(`${ingest}/v1/events`, { method: 'POST', headers, body: `[${events.join(',')}]` })
      expect({ status: answer.status, text: await answer.text() }).toMatchObject({ status: 202 })
      await eventually('all events are listed', async () => {
        before = await list(api)
        return before.length === EVENTS
      })
      await deleteTenant(api, DELETED[0])
      await migrate()
      await deleteTenant(api, DELETED[1])
      expect(await call(api, 'PUT', `tenants/${DELETED[1]}`, {})).toBe(409)
      expect(await call(api, 'POST', 'api-keys', { name: 'n', tenant: DELETED[1], scopes: ['events:write'] })).toBe(409)
    },
    async expectKept(api) {
      expect(await list(api)).toEqual(before)
      for (const tenant of DELETED) {
        expect(await call(api, 'GET', `tenants/${tenant}`)).toBe(404)
        expect(await call(api, 'PUT', `tenants/${tenant}`, {})).toBe(409)
      }
    },
  }
}
