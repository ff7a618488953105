// Checks a package that is to be published: standard input is a JSON object with its `folder` and its `tarball`.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { printFaults, readStdin } from './read-stdin.mjs'

// It is installed with the command line tool.
const fromCli = createRequire(createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json'))
const { checkPackage, createPackageFromTarballData } = await import(fromCli.resolve('@arethetypeswrong/core'))

const { folder, tarball } = JSON.parse(readStdin())
const { messages, pkg } = await publint({ pkgDir: folder, strict: true })
const { problems } = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(tarball))))
printFaults([
  ...messages.map((message) => formatMessage(message, pkg)),
  ...problems.map((problem) => JSON.stringify(problem)),
])
