import type { Command, CommandGroup } from './command/command.ts'
import { DELIVERIES } from './commands/resources/deliveries.ts'
import { EVENTS, tasks } from './commands/resources/events.ts'
import { KEYS } from './commands/resources/keys.ts'
import { audit, deadLetters, STREAM_TOKENS, types } from './commands/resources/records.ts'
import { REDELIVERIES } from './commands/resources/redeliveries.ts'
import { REPLAYS } from './commands/resources/replays.ts'
import { TENANTS } from './commands/resources/tenants.ts'
import { WEBHOOKS } from './commands/resources/webhooks.ts'
import { api } from './commands/api.ts'
import { createCompletion } from './commands/shell/completion.ts'
import { createHelp } from './commands/shell/help.ts'
import { doctor } from './commands/doctor/doctor.ts'
import { login, logout, profiles } from './commands/login.ts'
import { open } from './commands/open.ts'
import { system } from './commands/system.ts'
import { timeline } from './commands/timeline.ts'
import { trigger } from './commands/trigger/trigger.ts'
import { whoami } from './commands/whoami.ts'
import { listen } from './listen/listen-command.ts'
import { send } from './send/send-command.ts'
import { tail } from './tail/tail-command.ts'
import { wait } from './wait/wait-command.ts'

/** All commands. */
export const TREE: CommandGroup = {
  name: 'ariftly',
  summary: 'Send events to Ariftly, follow them, and forward them to a program on this machine.',
  commands: [
    login,
    logout,
    profiles,
    whoami,
    listen,
    wait,
    group('events', 'Send, list and follow events.', [send, tail, ...EVENTS]),
    tasks,
    timeline,
    trigger,
    group('webhooks', 'Manage webhooks.', WEBHOOKS),
    group('deliveries', 'Show deliveries, and send them now or again.', DELIVERIES),
    group('redeliveries', 'Send deliveries now, or again, by a filter.', REDELIVERIES),
    group('replays', 'Deliver the events of a time to a webhook again.', REPLAYS),
    group('stream-tokens', 'Make tokens for streams in browsers.', STREAM_TOKENS),
    group('keys', 'Manage API keys.', KEYS),
    group('tenants', 'Manage tenants.', TENANTS),
    audit,
    deadLetters,
    system,
    types,
    api,
    open,
    doctor,
    createCompletion(() => TREE),
    createHelp(() => TREE),
  ],
}

function group(name: string, summary: string, commands: readonly Command[]): CommandGroup {
  return { name, summary, commands }
}
