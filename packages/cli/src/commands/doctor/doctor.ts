import type { Command } from '../../command/command.ts'
import type { Context } from '../../command/context.ts'
import { CliError } from '../../errors/cli-error.ts'
import { EXIT } from '../../errors/exit-code.ts'
import { show } from '../../terminal/show.ts'
import type { Check, Findings } from './check.ts'
import { checkFiles } from './check-files.ts'
import {
  checkClock,
  checkKeyKnown,
  checkProxy,
  checkScopes,
  checkServer,
  checkSettings,
  checkVersions,
} from './check-server.ts'
import { checkResume, checkStream } from './check-stream.ts'
import { checkTarget, checkWebhook, type TargetOptions } from './check-target.ts'

/** In this order: later ones build upon what earlier ones found. */
const CHECKS: readonly ((findings: Findings, options: TargetOptions) => Check | Promise<Check>)[] = [
  checkSettings,
  checkServer,
  checkProxy,
  checkKeyKnown,
  checkScopes,
  checkClock,
  checkStream,
  checkResume,
  checkWebhook,
  checkTarget,
  checkVersions,
  checkFiles,
]

/** `ariftly doctor`: what works on this machine, and what to do about the rest. */
export const doctor: Command = {
  name: 'doctor',
  summary: 'Check server, proxy, key, clock, streams through this network, receivers and files.',
  description: 'Exit code 1 when a check failed, 4 when there is no valid key.',
  options: [
    { name: 'webhook', shown: 'id', idPrefix: 'whk_', summary: 'also send a test to this webhook' },
    {
      name: 'target',
      shown: 'url',
      summary: 'also check the signature check of a receiver on this machine; it gets two events',
    },
    { name: 'secret-file', shown: 'path', kind: 'secret', summary: 'the secret of that receiver' },
  ],
  example: 'ariftly doctor --target http://localhost:3000/hook --secret-file secret.txt',
  output: 'cli:Check',
  async run(context, input) {
    const options = { webhook: input.text('webhook'), target: input.text('target'), secret: input.text('secret-file') }
    if ((options.target === undefined) !== (options.secret === undefined)) {
      throw new CliError('usage', '--target and --secret-file go together.', { pointer: '--target' })
    }
    const findings: Findings = { context }
    const checks: Check[] = []
    for (const make of CHECKS) {
      const check = await make(findings, options)
      checks.push(check)
      await print(context, check)
    }
    if (findings.needsKey === true) return EXIT.needsKey
    return checks.some(({ status }) => status === 'failed') ? EXIT.failed : EXIT.done
  },
}

async function print({ out, json }: Context, check: Check): Promise<void> {
  if (json) {
    await out.json(check)
    return
  }
  const { green, yellow, red, dim } = out.paint
  const style = { ok: green, warning: yellow, failed: red, skipped: dim }[check.status]
  await out.line(show`${style(check.status.padEnd(7))}  ${check.check.padEnd(9)}  ${check.detail}`)
  if (check.remedy !== undefined) await out.line(show`${' '.repeat(20)}remedy: ${check.remedy}`)
}
