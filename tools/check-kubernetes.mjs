// Checks Kubernetes objects (standard input, YAML documents) by the schemas of their kinds. A kind without a schema is a fault.
import { createRequire } from 'node:module'
import { parseAllDocuments } from 'yaml'
import { printFaults, readStdin } from './read-stdin.mjs'

const require = createRequire(import.meta.url)

/** Packages with models, by the ends of API groups. */
const PACKAGES = [
  [/^gateway\.networking\.k8s\.io\//, '@kubernetes-models/gateway-api'],
  [/^monitoring\.coreos\.com\//, '@kubernetes-models/prometheus-operator'],
  [/^keda\.sh\//, '@kubernetes-models/keda'],
  [/./, 'kubernetes-models'],
]

function modelOf(apiVersion, kind) {
  const [, name] = PACKAGES.find(([pattern]) => pattern.test(apiVersion))
  try {
    return require(`${name}/${apiVersion}/${kind}`)[kind]
  } catch {
    return undefined
  }
}

function faultsOf(object) {
  const { apiVersion, kind, metadata } = object
  const name = `${kind}/${metadata?.name}`
  const Model = modelOf(apiVersion, kind)
  if (Model === undefined) return [`${name}: there is no schema of ${apiVersion} ${kind}`]
  try {
    new Model(object).validate()
    return []
  } catch (error) {
    return [`${name}: ${error.message}`]
  }
}

const objects = parseAllDocuments(readStdin()).map((document) => document.toJS({ maxAliasCount: 0 }))
printFaults(objects.filter((object) => object !== null).flatMap(faultsOf))
