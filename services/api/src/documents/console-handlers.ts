import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { pathOf, type OpenHandler } from '@ariftly/http'
import { notFound } from '../not-found.ts'
import { keptOnce } from './kept-once.ts'
import { sendPacked, type PackedFile } from './send-packed.ts'

/** The routes of the console. */
export type ConsoleHandlers = Readonly<Record<'getConsole' | 'getConsoleAsset', OpenHandler>>

/**
 * Only files of ours run, and no text can become script: https://www.w3.org/TR/trusted-types/. `data:` is for the icons in the style sheet.
 */
const SECURITY = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
} as const

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

/**
 * Serves the build of `packages/console`; undefined without a build. Each file is read and compressed once, at its first
 * request. Names of assets have their hash, so browsers may cache them without limit, but not the page.
 * @param folder with `index.html` and `assets/`.
 */
export function createConsoleHandlers(folder: string): ConsoleHandlers | undefined {
  if (!existsSync(join(folder, 'index.html'))) return undefined
  const page = assetOf(join(folder, 'index.html'), 'text/html; charset=utf-8')
  const assets = new Map<string, PackedFile>()
  for (const name of readdirSync(join(folder, 'assets'))) {
    const type = TYPES[name.split('.').at(-1) ?? '']
    if (type !== undefined) assets.set(name, assetOf(join(folder, 'assets', name), type))
  }

  return {
    async getConsole(req, res) {
      await sendPacked(req, res, page, { ...SECURITY, 'Cache-Control': 'no-cache' })
    },
    async getConsoleAsset(req, res) {
      const asset = assets.get(pathOf(req).split('/').at(-1) ?? '')
      if (asset === undefined) throw notFound('file')
      await sendPacked(req, res, asset, { ...SECURITY, 'Cache-Control': 'public, max-age=31536000, immutable' })
    },
  }
}

function assetOf(path: string, type: string): PackedFile {
  const plain = keptOnce(async () => await readFile(path))
  const packed = keptOnce(async () => await promisify(gzip)(await plain(), { level: 9 }))
  return { type, plain, packed }
}
