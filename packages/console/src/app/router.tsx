import { createHashHistory, createRootRoute, createRoute, createRouter, redirect } from '@tanstack/react-router'
import { parseSearch, stringifySearch } from './search-text.ts'
import { readDeliverySearch } from '../deliveries/delivery-search.ts'
import { DeliveriesPage } from '../deliveries/deliveries-page.tsx'
import { readEventSearch } from '../events/event-filter.ts'
import { readListSearch } from '../events/list-search.ts'
import { EventPage } from '../events/event-page.tsx'
import { EventsPage } from '../events/events-page.tsx'
import { KeysPage } from '../keys/keys-page.tsx'
import { LivePage } from '../live/live-page.tsx'
import { AuditPage } from '../platform/audit-page.tsx'
import { DeadLettersPage } from '../platform/dead-letters-page.tsx'
import { SystemPage } from '../platform/system-page.tsx'
import { TenantsPage } from '../platform/tenants-page.tsx'
import { Shell } from '../shell/shell.tsx'
import { SignaturePage } from '../signature/signature-page.tsx'
import { TaskPage } from '../tasks/task-page.tsx'
import { readTaskSearch } from '../tasks/task-search.ts'
import { Crashed, NoPage } from './no-page.tsx'
import { NewWebhookPage } from '../webhooks/new-webhook-page.tsx'
import { WebhookPage } from '../webhooks/webhook-page.tsx'
import { WebhooksPage } from '../webhooks/webhooks-page.tsx'

const root = createRootRoute({ component: Shell, notFoundComponent: NoPage, errorComponent: Crashed })
const at = <P extends string>(path: P) => ({ getParentRoute: () => root, path }) as const

const routes = [
  createRoute({
    ...at('/'),
    beforeLoad: () => {
      throw redirect({ to: '/live' })
    },
  }),
  createRoute({ ...at('/live'), component: LivePage, validateSearch: readEventSearch }),
  createRoute({ ...at('/events'), component: EventsPage, validateSearch: readListSearch }),
  createRoute({ ...at('/events/$id'), component: EventPage }),
  createRoute({ ...at('/tasks/$id'), component: TaskPage, validateSearch: readTaskSearch }),
  createRoute({ ...at('/webhooks'), component: WebhooksPage }),
  createRoute({ ...at('/webhooks/new'), component: NewWebhookPage }),
  createRoute({ ...at('/webhooks/$id'), component: WebhookPage, validateSearch: readDeliverySearch }),
  createRoute({ ...at('/deliveries'), component: DeliveriesPage, validateSearch: readDeliverySearch }),
  createRoute({ ...at('/signature'), component: SignaturePage }),
  createRoute({ ...at('/keys'), component: KeysPage }),
  createRoute({ ...at('/audit'), component: AuditPage }),
  createRoute({ ...at('/tenants'), component: TenantsPage }),
  createRoute({ ...at('/system'), component: SystemPage }),
  createRoute({ ...at('/dead-letters'), component: DeadLettersPage }),
] as const

/** The pages, in the fragment of the address: ids and filters reach no server's log. */
export function createConsoleRouter() {
  return createRouter({
    routeTree: root.addChildren(routes),
    history: createHashHistory(),
    defaultPreload: false,
    parseSearch,
    stringifySearch,
  })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>
  }
}
