import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { newEventId, renderEvent } from '@ariftly/events'
import { generateSecret, signWebhook } from '@ariftly/signatures'
import { eventually, findFreePort, testFolder } from '@ariftly/testkit'
import { STANDARD_FORMAT } from '@ariftly/webhook-sending'

const ROOT = join(import.meta.dirname, '../..')
const PAGE = readFileSync(join(ROOT, 'docs/webhooks.md'), 'utf8')
/** A workspace has an entry without a version, which points to its folder. */
const LOCK = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, { readonly version?: string }>>
}
const SECRET = generateSecret()

let child: ChildProcess | undefined

afterEach(async () => {
  if (child === undefined) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  child = undefined
  await exited
})

/** Runs a receiver word for word as the page shows it, in a folder that has nothing but the published packages that it imports. */
async function startDocumented(name: string): Promise<{ url: string; output: () => string }> {
  const code = new RegExp(`<!-- receiver: ${name} -->\n+\`\`\`js\n([^]*?)\`\`\``).exec(PAGE)?.[1]
  if (code === undefined) throw new Error(`the page shows no receiver ${name}`)
  const cwd = testFolder(`receiver-${name}`)
  installPublished(cwd, code)
  writeFileSync(join(cwd, 'receiver.mjs'), code)
  const port = await findFreePort()
  const env = { PATH: process.env['PATH'], PORT: String(port), WEBHOOK_SECRET: SECRET }
  const started = spawn(process.execPath, ['receiver.mjs'], { env, cwd })
  child = started
  let output = ''
  for (const stream of [started.stdout, started.stderr])
    stream.on('data', (text: Buffer) => (output += text.toString()))
  const url = `http://127.0.0.1:${port}/ariftly-webhook`
  await eventually('the receiver answers', async () => {
    if (started.exitCode !== null) throw new Error(`the receiver ended with ${started.exitCode}: ${output}`)
    return (await fetch(url, { method: 'POST' })).status > 0
  })
  return { url, output: () => output }
}

/** Links the packages that the code imports. A workspace of this repository is none that a reader of the page can install. */
function installPublished(folder: string, code: string): void {
  const imported = [...code.matchAll(/from '([^']+)'/g)].map(([, name = '']) => name)
  for (const name of imported.filter((each) => !each.startsWith('node:'))) {
    const entry = LOCK.packages[`node_modules/${name}`]
    if (entry?.version === undefined) throw new Error(`${name} is no published package`)
    const target = join(folder, 'node_modules', name)
    mkdirSync(dirname(target), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), target)
  }
}

describe.each(['express', 'bare'])('the receiver %s of docs/webhooks.md', (name) => {
  test('takes each delivery once, and refuses forged ones', async () => {
    const { url, output } = await startDocumented(name)
    const id = newEventId(Date.now())
    const data = Buffer.from('{"task_id":"t","artifact_count":1.0}')
    const body = renderEvent({ id, type: 'task.complete', taskId: 't', sessionId: null, agent: null, data })
    const post = async (payload: Buffer, secret = SECRET) => {
      const signed = signWebhook({ id, timestampS: Math.floor(Date.now() / 1000), body, secrets: [secret] })
      const headers = { 'content-type': 'application/json', ...signed }
      return (await fetch(url, { method: 'POST', headers, body: new Uint8Array(payload) })).status
    }
    expect(await post(Buffer.from(body.toString().replace('1.0', '1.1')))).toBe(401)
    expect(await post(body, generateSecret())).toBe(401)
    expect(output()).not.toContain('task.complete')
    expect(await post(body)).toBe(204)
    expect(await post(body)).toBe(204)
    await eventually('the receiver shows the event', () => output().includes('task.complete'))
    expect(output().match(/task\.complete/g)).toHaveLength(1)
  })
})

test('the retry schedule of docs/webhooks.md is the implemented one', () => {
  let sinceS = 0
  const rows = STANDARD_FORMAT.retries.scheduleS.map((waitS, index) => {
    sinceS += waitS
    return `| ${index + 2} | ${inWords(waitS)} | ${inWords(sinceS)} |`
  })
  expect(PAGE.replace(/ +/g, ' ')).toContain(['| 1 | | 0 s |', ...rows].join('\n'))
})

function inWords(seconds: number): string {
  const [h, min, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  return [h > 0 ? `${h} h` : '', min > 0 ? `${min} min` : '', s > 0 ? `${s} s` : ''].filter(Boolean).join(' ')
}
