import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GUIDES } from '@ariftly/api-documents'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { fencedBlocks, readPage, ROOT } from './markdown.ts'

const PAGES = ['README.md', ...GUIDES.map(({ source }) => source)]
const COMPOSE = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')) as { readonly services: object }

/**
 * Why a block cannot work: it is no shell, or names a file, a folder or a service that there is not. For commands that no test runs, as
 * they need a cluster, a container or a project of the reader's own. Undefined if nothing is wrong.
 */
function faultOf(block: string): string | undefined {
  const shell = spawnSync('/bin/sh', ['-n'], { input: block, encoding: 'utf8' })
  if (shell.status !== 0) return shell.stderr
  const overlays = [...block.matchAll(/kubectl [^\n]*-k (\S+)/g)].map(([, path]) => `${path}/kustomization.yaml`)
  const files = [...block.matchAll(/(?:--file|kubectl [^\n]*-f|-r) ([\w./-]+)/g)].map(([, path = '']) => path)
  const missing = [...overlays, ...files].find((path) => !existsSync(join(ROOT, path)))
  if (missing !== undefined) return `${missing} is missing`
  const services = [...block.matchAll(/docker compose (?:exec|run --rm|logs|restart) (\w[\w-]*)/g)].map(
    ([, name]) => name,
  )
  const unknown = services.find((name) => name === undefined || !Object.hasOwn(COMPOSE.services, name))
  return unknown === undefined ? undefined : `docker-compose.yml has no service ${unknown}`
}

describe.each(PAGES)('the shell blocks of %s', (page) => {
  test('are shell, and name only what there is', () => {
    const blocks = fencedBlocks(readPage(page), 'sh')
    expect(blocks.length > 0).toBe(page !== 'docs/console.md')
    expect(blocks.flatMap((block) => faultOf(block) ?? [])).toEqual([])
  })
})

describe('the check of blocks', () => {
  test.each([
    'if then',
    'kubectl apply -k k8s/overlays/none',
    'docker compose run --rm none',
    'mvn --file examples/none dependency:resolve',
  ])('finds what is wrong with: %s', (block) => {
    expect(faultOf(block)).toBeDefined()
  })

  test.each(['kubectl apply -k k8s/overlays/dev', 'docker compose run --rm projector projection verify'])(
    'accepts: %s',
    (block) => {
      expect(faultOf(block)).toBeUndefined()
    },
  )
})
