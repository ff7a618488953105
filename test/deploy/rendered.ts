import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../docs/markdown.ts'

const K8S = join(ROOT, 'k8s')

/** The overlays of k8s/overlays. */
export const OVERLAYS = ['dev', 'production', 'production-aws'] as const

/** The name of an overlay. */
export type Overlay = (typeof OVERLAYS)[number]

/** The file that holds what an overlay renders to. */
export function renderedFile(overlay: string): string {
  return join(K8S, 'rendered', `${overlay}.yaml`)
}

/** SHA-256 of everything that an overlay is made of. It shows that the rendered file is current, also where kustomize is not installed. */
export function hashOfInputs(overlay: string): string {
  const hash = createHash('sha256')
  for (const folder of ['k8s/base', 'k8s/components', `k8s/overlays/${overlay}`, 'deploy/grafana', 'deploy/nginx']) {
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).toSorted()) {
      const file = join(ROOT, folder, name)
      if (statSync(file).isFile()) hash.update(`${folder}/${name}\0`).update(readFileSync(file))
    }
  }
  return hash.digest('hex')
}

/**
 * The output of kustomize for an overlay, with the hash of its inputs above it and without the dashboards, whose text is in deploy/grafana already.
 * Undefined where kustomize is not installed.
 */
export function render(overlay: string): string | undefined {
  const { status, stdout, stderr, error } = spawnSync('kustomize', ['build', join(K8S, 'overlays', overlay)], {
    encoding: 'utf8',
  })
  if (error !== undefined) return undefined
  if (status !== 0) throw new Error(`kustomize: ${stderr}`)
  const documents = stdout.split('\n---\n').filter((document) => !document.includes('\n    grafana_dashboard: '))
  return `# Rendered by \`npm run generate\` (kustomize build k8s/overlays/${overlay}): do not edit.\n# inputs ${hashOfInputs(overlay)}\n${documents.join('\n---\n')}`
}
