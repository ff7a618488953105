import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../docs/markdown.ts'

const K8S = join(ROOT, 'k8s')

/** The overlays of k8s/overlays. */
export const OVERLAYS = ['dev', 'production'] as const

/** The file that holds what an overlay renders to. */
export function renderedFile(overlay: string): string {
  return join(K8S, 'rendered', `${overlay}.yaml`)
}

/** SHA-256 of all that an overlay is made of: tells that the rendered file is of today, also where there is no kustomize. */
export function hashOfInputs(overlay: string): string {
  const hash = createHash('sha256')
  for (const folder of ['base', `overlays/${overlay}`]) {
    for (const name of readdirSync(join(K8S, folder)).toSorted()) {
      const file = join(K8S, folder, name)
      if (statSync(file).isFile()) hash.update(`${folder}/${name}\0`).update(readFileSync(file))
    }
  }
  return hash.digest('hex')
}

/** What kustomize makes of an overlay, with the hash of its inputs above it; undefined where there is no kustomize. */
export function render(overlay: string): string | undefined {
  const { status, stdout, stderr, error } = spawnSync('kustomize', ['build', join(K8S, 'overlays', overlay)], {
    encoding: 'utf8',
  })
  if (error !== undefined) return undefined
  if (status !== 0) throw new Error(`kustomize: ${stderr}`)
  return `# Rendered by \`npm run generate\` (kustomize build k8s/overlays/${overlay}): do not edit.\n# inputs ${hashOfInputs(overlay)}\n${stdout}`
}
