// `npm run check`: types, lint and unused code, and beside them the format, which takes one core for as long as they take together.
import { run } from './prepare.mjs'

const passed = await Promise.all(['check:code', 'check:format'].map((name) => run('npm', ['run', '--silent', name])))
process.exitCode = passed.every(Boolean) ? 0 : 1
