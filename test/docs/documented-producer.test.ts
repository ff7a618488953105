import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { readPage } from './markdown.ts'

interface Posted {
  readonly id?: string
  readonly type: string
}

async function bodyOf(req: IncomingMessage): Promise<readonly Posted[]> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString()) as Posted[]
}

test('the retry loop of docs/ingest.md posts unaccepted events again with the same ids, and nothing else', async () => {
  const code = /<!-- producer: retry -->\n+```js\n([^]*?)```/.exec(readPage('docs/ingest.md'))?.[1]
  expect(code).toBeDefined()
  const posts: (readonly Posted[])[] = []
  const answers = [
    { status: 503, body: { events: [0, 1, 2].map((index) => ({ index, id: `id${index}`, status: 'retry' })) } },
    undefined, // The connection is cut.
    {
      status: 207,
      body: {
        data: [
          { index: 0, id: 'id0', status: 'accepted' },
          { index: 1, status: 'refused', error: { code: 'invalid_type' } },
          { index: 2, id: 'id2', status: 'retry' },
        ],
      },
    },
    { status: 202, body: { data: [{ index: 0, id: 'id2', status: 'accepted' }] } },
  ]
  const server = createServer((req, res) => {
    void bodyOf(req).then((body) => {
      const answer = answers[posts.push(body) - 1]
      if (answer === undefined) return res.destroy()
      return res.writeHead(answer.status, { 'retry-after': '0' }).end(JSON.stringify(answer.body))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const file = join(mkdtempSync(join(tmpdir(), 'ariftly-producer-')), 'producer.mjs')
  const events = "[{ type: 'a' }, { type: 'b' }, { type: 'c' }]"
  writeFileSync(file, `${code}\nawait postEvents(${events}, { url: 'http://127.0.0.1:${port}', apiKey: 'k' })\n`)
  const child = spawn(process.execPath, [file], { stdio: 'ignore' })
  const [exitCode] = await once(child, 'exit')
  server.close()
  const all = [0, 1, 2].map((index) => ({ id: `id${index}`, type: 'abc'[index] }))
  expect(posts).toEqual([all.map(({ type }) => ({ type })), all, all, [{ id: 'id2', type: 'c' }]])
  expect(exitCode).toBe(0)
})
