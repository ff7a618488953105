// `npm run audit`: asks the registry for known vulnerabilities of shipped packages, and ends with 1 when one is high or critical.
// An unavailable registry is reported and is no failure. With a file as argument, a report of `npm audit --json`, that is checked
// instead.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './prepare.mjs'

const SERIOUS = ['high', 'critical']
const ANSWER_MS = 60_000

const [file] = process.argv.slice(2)
const report = parse(file === undefined ? askRegistry() : readFileSync(file, 'utf8'))
if (report?.vulnerabilities === undefined) {
  process.stdout.write(`Packages were not audited: ${report?.message ?? 'the registry gave no answer'}\n`)
} else {
  check(advisoriesOf(report))
}

function askRegistry() {
  const options = { cwd: root, encoding: 'utf8', timeout: ANSWER_MS, stdio: ['ignore', 'pipe', 'ignore'] }
  return spawnSync('npm', ['audit', '--omit=dev', '--json'], options).stdout ?? ''
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The serious ones, by id: a package is named by all that depend on it, an advisory once. */
function advisoriesOf({ vulnerabilities }) {
  const found = Object.values(vulnerabilities).flatMap(({ via }) => via.filter((cause) => typeof cause === 'object'))
  const serious = found.filter(({ severity }) => SERIOUS.includes(severity))
  return new Map(serious.map(({ url, name, title, severity }) => [url.split('/').at(-1), { name, title, severity }]))
}

function check(advisories) {
  const allowed = JSON.parse(
    readFileSync(process.env['AUDIT_ALLOWED'] ?? join(root, 'scripts/audit-allowed.json'), 'utf8'),
  )
  const today = new Date().toISOString().slice(0, 10)
  const open = [...advisories].filter(([id]) => !allowed.some((entry) => entry.id === id && entry.until >= today))
  for (const [id, { name, title, severity }] of open) process.stdout.write(`${severity} ${id} in ${name}: ${title}\n`)
  process.stdout.write(`${advisories.size} serious advisories, ${advisories.size - open.length} of them allowed\n`)
  process.exitCode = open.length === 0 ? 0 : 1
}
