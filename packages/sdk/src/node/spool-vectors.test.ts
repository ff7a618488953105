import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { expect, test } from '@jest/globals'
import type { SpooledEvent } from '../send/spool.ts'
import { LockHeldError } from './folder-lock.ts'
import { openSpool } from './open-spool.ts'

/** `packages/sdk/contract/vectors/README.md` says what the members mean. */
interface Vector {
  readonly name: string
  readonly options?: { readonly file_bytes_max?: number }
  readonly needs_life?: boolean
  readonly files?: Readonly<Record<string, string>>
  readonly files_base64?: Readonly<Record<string, string>>
  readonly locks?: Readonly<Record<string, string>>
  readonly refused?: boolean
  readonly recovered?: readonly Entry[]
  readonly warnings?: readonly string[]
  readonly steps?: readonly Step[]
  readonly files_after?: Readonly<Record<string, string>>
}

interface Entry {
  readonly id: string | null
  readonly at_ms: number
  readonly json: string
}

interface Step {
  readonly append?: readonly Entry[]
  readonly settle?: readonly number[]
  readonly replace_id?: readonly [number, string]
}

const FILE = join(import.meta.dirname, '../../contract/vectors/spools.json')
const vectors = JSON.parse(readFileSync(FILE, 'utf8')) as Vector[]
const hasLives = existsSync('/proc/self/stat')

test.each(vectors.filter(({ needs_life: needsLife }) => hasLives || needsLife !== true))('$name', (vector) => {
  const folder = createFolder(vector)
  const open = () => openSpool(folder, { fileBytesMax: vector.options?.file_bytes_max })
  if (vector.refused === true) {
    expect(open).toThrow(LockHeldError)
    return
  }
  const spool = open()
  const warnings: string[] = []
  const recovered = spool.recover((text) => warnings.push(text))
  expect(recovered.map(entryOf)).toEqual(vector.recovered)
  const tickets = recovered.map(({ ticket }) => ticket)
  for (const { append = [], settle = [], replace_id: replaceId } of vector.steps ?? []) {
    const entries = append.map(({ id, at_ms: atMs, json }) => ({ id: id ?? undefined, atMs, json }))
    tickets.push(...spool.append(entries))
    for (const at of settle) spool.settle(ticketOf(at))
    if (replaceId !== undefined) spool.replaceId(ticketOf(replaceId[0]), replaceId[1])
  }
  if (vector.files_after !== undefined) expect(filesOf(folder)).toEqual(vector.files_after)
  expect(warnings).toHaveLength(vector.warnings?.length ?? 0)
  for (const [at, file] of (vector.warnings ?? []).entries()) expect(warnings[at]).toContain(file)
  spool.close()
  expect(readdirSync(folder)).not.toContain('lock')

  function ticketOf(at: number): number {
    return tickets[at] ?? Number.NaN
  }
})

function createFolder({ files = {}, files_base64: encoded = {}, locks = {} }: Vector): string {
  const folder = mkdtempSync(join(tmpdir(), 'spool-vector-'))
  const texts = Object.entries(files).map(([path, text]) => [path, Buffer.from(text)] as const)
  const bytes = Object.entries(encoded).map(([path, text]) => [path, Buffer.from(text, 'base64')] as const)
  for (const [path, content] of [...texts, ...bytes]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o700 })
    writeFileSync(join(folder, path), content)
  }
  for (const [path, text] of Object.entries(locks)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o700 })
    symlinkSync(text.replace('$pid', String(process.pid)), join(folder, path))
  }
  return folder
}

/** Texts of the files that are not empty, by path. */
function filesOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile())
  const paths = files.map(({ parentPath, name }) => join(parentPath, name))
  const texts = paths.map((path) => [relative(folder, path), readFileSync(path, 'utf8')] as const)
  return Object.fromEntries(texts.filter(([, text]) => text !== ''))
}

function entryOf({ id, atMs, json }: SpooledEvent): Entry {
  return { id: id ?? null, at_ms: atMs, json }
}
