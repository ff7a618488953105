import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { ROOT } from '../docs/markdown.ts'

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const json = (file: string) => JSON.parse(read(file)) as { version: string; info: { version: string } }

test('image, API documents, SDK and command line carry the version of the repository', () => {
  const overlays = ['production', 'production-aws'].map((overlay) => {
    const { images } = parse(read(`k8s/overlays/${overlay}/kustomization.yaml`)) as { images: { newTag: string }[] }
    return images.map(({ newTag }) => newTag)
  })
  const { version } = json('package.json')
  expect({
    openapi: json('schemas/openapi.json').info.version,
    asyncapi: json('schemas/asyncapi.json').info.version,
    sdk: json('packages/sdk/package.json').version,
    cli: json('packages/cli/package.json').version,
    overlays,
  }).toEqual({ openapi: version, asyncapi: version, sdk: version, cli: version, overlays: [[version], [version]] })
})
