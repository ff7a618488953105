import { afterEach, describe, expect, test } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { eventually } from '@ariftly/testkit'
import { sleep } from '@ariftly/async'

/** As long as a person takes at least to press Ctrl-C again. */
const SECOND_KEY_MS = 400
const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

interface Main {
  /** Waits for a line of output that contains the text. */
  line(text: string): Promise<void>
  kill(signal: NodeJS.Signals): void
  /** Waits for the end: exit code, and all lines of output. */
  ended(): Promise<{ code: number | null; output: string }>
}

/** Runs a `main.ts` whose service is `start`, a function body that may use `deps`, `say` and `tick` (keeps the process open). */
function runScript(start: string, env: Record<string, string> = {}): Main {
  const script = `
    import { runMain, str } from '@ariftly/runtime'
    const say = (text) => console.log(text)
    const tick = () => { const timer = setInterval(() => {}, 1000); return () => clearInterval(timer) }
    await runMain({ name: 'test', config: { NEEDED: str({ doc: 'Needed.' }), ALSO: str({ doc: 'Too.' }) },
      async start(config, deps) { ${start} } })`
  const args = ['--conditions=source', '--import', 'tsx', '--input-type=module', '--eval', script]
  const child = spawn(process.execPath, args, {
    cwd: import.meta.dirname,
    env: { PATH: process.env['PATH'], NEEDED: 'a', ALSO: 'b', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', (line) => lines.push(line))
  const exit = once(child, 'close') as Promise<[number | null]>

  return {
    async line(text) {
      await eventually(`the line ${text}`, () => {
        if (child.exitCode !== null) throw new Error(`ended without "${text}":\n${lines.join('\n')}`)
        return lines.some((line) => line.includes(text))
      })
    },
    kill: (signal) => void child.kill(signal),
    async ended() {
      const [code] = await exit
      return { code, output: lines.join('\n') }
    },
  }
}

const SERVICE = `const stop = tick()
  deps.signal.addEventListener('abort', () => say('aborted'))
  return { name: 'test', ready: () => ({ ready: true, checks: {} }),
    async drain() { say('drained') }, async close() { stop(); say('closed') } }`

describe('runMain', () => {
  test('the first signal drains, aborts, closes, and the process ends with 0', async () => {
    const main = runScript(SERVICE)
    await main.line('"started"')
    main.kill('SIGTERM')
    const { code, output } = await main.ended()
    expect(code).toBe(0)
    expect(output).toMatch(/drained[^]*aborted[^]*closed[^]*"stopped"/)
  })

  test('a service that does not close is left after DRAIN_MS', async () => {
    const stuck = SERVICE.replace("stop(); say('closed')", 'await new Promise(() => {})')
    const main = runScript(stuck, { DRAIN_MS: '100' })
    await main.line('"started"')
    main.kill('SIGINT')
    const { output } = await main.ended()
    expect(output).toContain('stopped before everything was closed')
  })

  test('a second signal exits immediately', async () => {
    const stuck = SERVICE.replace("stop(); say('closed')", "say('closing'); await new Promise(() => {})")
    const main = runScript(stuck, { DRAIN_MS: '60000' })
    await main.line('"started"')
    main.kill('SIGTERM')
    await main.line('closing')
    await sleep(SECOND_KEY_MS)
    main.kill('SIGTERM')
    expect((await main.ended()).code).toBe(143)
  })

  test('one Ctrl-C from both the terminal and npm ends in order', async () => {
    const main = runScript(
      // The second one arrives while both count as one, on a busy machine too.
      SERVICE.replace(
        "say('drained')",
        "say('draining'); process.kill(process.pid, 'SIGINT'); await new Promise((r) => setTimeout(r, 200))",
      ),
    )
    await main.line('"started"')
    main.kill('SIGINT')
    const { code, output } = await main.ended()
    expect(code).toBe(0)
    expect(output).toMatch(/draining[^]*closed[^]*"stopped"/)
  })

  test('an unhandled rejection is logged as fatal and ends in order with 1', async () => {
    const main = runScript(`setTimeout(() => void Promise.reject(new Error('forgotten')), 50)\n${SERVICE}`)
    const { code, output } = await main.ended()
    expect(code).toBe(1)
    expect(output).toMatch(/"fatal"[^]*forgotten[^]*drained[^]*closed/)
  })

  test('a failed start is logged as fatal and ends with 1', async () => {
    const main = runScript(`const stop = tick(); throw new Error('no way')`)
    const { code, output } = await main.ended()
    expect(code).toBe(1)
    expect(output).toMatch(/"fatal"[^]*no way/)
  })

  test('a signal during the start ends it, and everything started later is closed', async () => {
    const slow = `say('starting'); await new Promise((resolve) => deps.signal.addEventListener('abort', resolve))\n${SERVICE}`
    const main = runScript(slow.replace("say('starting')", "const hold = tick(); say('starting')"))
    await main.line('starting')
    main.kill('SIGTERM')
    const { code, output } = await main.ended()
    expect(code).toBe(0)
    expect(output).toContain('closed')
  })

  test('bad settings are all listed and end with 78', async () => {
    const main = runScript(SERVICE, { NEEDED: '', ALSO: '', DRAIN_MS: 'soon' })
    const { code, output } = await main.ended()
    expect(code).toBe(78)
    for (const name of ['NEEDED', 'ALSO', 'DRAIN_MS']) expect(output).toContain(name)
  })
})
