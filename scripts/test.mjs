// `npm test`: installs what is missing, checks (types, lint, format, unused code), builds, and runs every level of tests on a stack of its
// own. Arguments go to jest. The last line is always `N passed, N failed`.
import { spawnSync } from 'node:child_process'
import { checkNode, installIfStale, root, run } from './prepare.mjs'

checkNode()
if (installIfStale() && installIfStale('tools') && run('npm', ['run', '--silent', 'check'])) {
  const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js']
  const { status } = spawnSync(process.execPath, [...jest, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' })
  process.exitCode = status ?? 1
} else {
  process.stderr.write('The check failed, so no test was run.\n')
  process.stdout.write('0 passed, 1 failed\n')
  process.exitCode = 1
}
