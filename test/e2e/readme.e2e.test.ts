import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { fencedBlocks, readPage, ROOT } from '../docs/markdown.ts'

const blocks = fencedBlocks(readPage('README.md'), 'sh')
const folder = mkdtempSync(join(tmpdir(), 'ariftly-readme-'))
const children: ChildProcess[] = []
let system: Output
let origin = ''

beforeAll(async () => {
  system = run('npm start', { PORT: '0', DATA_DIR: join(folder, '.data') }, ROOT)
  origin = await eventually(() => findOrigin(system), { timeoutMs: 110_000 })
})

afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

interface Output {
  readonly child: ChildProcess
  readonly text: string
  readonly errors: string
}

describe('the shell blocks of the README', () => {
  test('are the two commands, the key and three calls', () => {
    expect(blocks.map((block) => block.split(' ').slice(0, 2).join(' ').trim())).toEqual([
      'npm start',
      'npm test',
      'export ARIFTLY_API_KEY=$(cat',
      'curl http://localhost:8080/v1/events',
      'curl -N',
      'curl "http://localhost:8080/v1/events?task_id=task_1&limit=10"',
    ])
  })

  test('work as they stand, but for the port', async () => {
    const [, , key = '', post = '', stream = '', list = ''] = blocks.map((block) => {
      return block.replace('http://localhost:8080', origin)
    })
    expect(existsSync(join(folder, '.data/api-key'))).toBe(true)
    const streaming = run(`${key}exec ${stream}`, {}, folder)
    await eventually(() => streaming.text.includes('retry:'))
    expect(JSON.parse(shell(`${key}${post}`))).toMatchObject({ data: [{ index: 0, status: 'accepted' }] })
    await eventually(() => streaming.text.includes('event: task.progress\ndata: {"task_id":"task_1","message":'))
    await eventually(() => {
      expect(JSON.parse(shell(`${key}${list}`))).toMatchObject({ data: [{ type: 'task.progress', task_id: 'task_1' }] })
      return true
    })
  })

  test('of npm start: it prints where all is, the variables and the same calls, and they work as they are printed', async () => {
    expect(system.text).toContain(`  Base URL  ${origin}\n  Reference ${origin}/docs\n`)
    expect((await fetch(`${origin}/docs`)).status).toBe(200)
    expect(system.text).toContain(`  Data      ${join(folder, '.data')}\n`)
    const lines = system.text.split('\n')
    const exports = lines.filter((line) => line.startsWith('export '))
    expect(exports.map((line) => line.split('=')[0])).toEqual(['export ARIFTLY_URL', 'export ARIFTLY_API_KEY'])
    const printed = lines.filter((line) => line.startsWith('curl '))
    expect(printed.join('\n')).not.toContain('http')
    expect(printed).toHaveLength(4)
    const set = `${exports.join('\n')}\n`
    const [stream = '', post = '', list = '', key = ''] = printed
    const streaming = run(`${set}exec ${stream}`, {}, folder)
    await eventually(() => streaming.text.includes('retry:'))
    expect(JSON.parse(shell(set + post))).toMatchObject({ data: [{ status: 'accepted' }] })
    await eventually(() => /^event: task\.\w+$/m.test(streaming.text))
    expect(JSON.parse(shell(set + list))).toMatchObject({ object: 'list' })
    const { key: made } = JSON.parse(shell(set + key)) as { key: string }
    const own = shell(`${set}export ARIFTLY_API_KEY=${made}\n${list}`)
    expect(JSON.parse(own)).toMatchObject({ object: 'list' })
  })

  test('of npm start: Ctrl-C ends it within 10 s', async () => {
    const startedMs = performance.now()
    const ended = once(system.child, 'exit')
    system.child.kill('SIGINT')
    await ended
    expect(performance.now() - startedMs).toBeLessThan(10_000)
  })
})

function findOrigin({ text, errors }: Output): string {
  const found = /http:\/\/(?:localhost|127\.0\.0\.1):[1-9]\d+/.exec(text)
  if (found === null) throw new Error(`nothing was printed but: ${text}${errors}`)
  return found[0]
}

function run(command: string, env: Readonly<Record<string, string>>, cwd: string): Output {
  const child = spawn(command.startsWith('npm') ? `exec ${command}` : command, {
    shell: '/bin/sh',
    cwd,
    env: { ...withoutTests(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const output = { child, text: '', errors: '' }
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output.text += chunk))
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (output.errors += chunk))
  return output
}

function shell(command: string): string {
  const ended = spawnSync('/bin/sh', ['-c', command], { cwd: folder, env: withoutTests(), encoding: 'utf8' })
  if (ended.status !== 0) throw new Error(`${command} ended with ${ended.status}: ${ended.stderr}`)
  return ended.stdout
}

/** What a person's shell has: nothing of the test run. */
function withoutTests(): NodeJS.ProcessEnv {
  const { PATH, HOME, JAVA_HOME, XDG_CACHE_HOME } = process.env
  return { PATH, HOME, JAVA_HOME, XDG_CACHE_HOME }
}
