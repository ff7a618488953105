import type { CurrentApiKey } from '@ariftly/sdk'
import { Link, useLocation, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { mayUse, type Scope } from '../session/scopes.ts'
import { useSession } from '../session/session.ts'
import { visibleText } from '../ui/visible-text.ts'
import { useShortcut } from './shortcuts.ts'
import { applyTheme, storedTheme, type Theme } from './theme.ts'

const PAGES = [
  { to: '/live', title: 'Live', key: 'l', scope: 'events:read' },
  { to: '/events', title: 'Events', key: 'e', scope: 'events:read' },
  { to: '/webhooks', title: 'Webhooks', key: 'w', scope: 'webhooks' },
  { to: '/deliveries', title: 'Deliveries', key: 'd', scope: 'webhooks' },
  { to: '/signature', title: 'Signature', key: 's', scope: undefined },
  { to: '/keys', title: 'Keys', key: 'k', scope: 'admin' },
  { to: '/audit', title: 'Audit', key: 'a', scope: 'admin' },
  { to: '/tenants', title: 'Tenants', key: 't', scope: 'platform' },
  { to: '/system', title: 'System', key: 'y', scope: 'platform' },
  { to: '/dead-letters', title: 'Dead letters', key: 'x', scope: 'platform' },
] as const satisfies readonly { to: string; title: string; key: string; scope: Scope | undefined }[]

/** Links to the pages that the key may use, who it is, and the theme. */
export function Navigation({ who }: { readonly who: CurrentApiKey }) {
  const session = useSession()
  const navigate = useNavigate()
  const pages = PAGES.filter(({ scope }) => scope === undefined || mayUse(who, scope))

  function forget(): void {
    session.signOut()
    // The address may hold an id that the key has read.
    void navigate({ to: '/live', replace: true })
  }

  return (
    <nav className="nav" aria-label="Pages">
      <Link to="/live" className="brand">
        Ariftly
      </Link>
      <ul>
        {pages.map((page) => (
          <li key={page.to}>
            <NavLink page={page} />
          </li>
        ))}
      </ul>
      <div className="nav-foot">
        <p className="small muted" title={who.scopes.join(', ')}>
          {visibleText(who.tenant)}
        </p>
        <ThemeChoice />
        <button type="button" className="small-button" onClick={forget}>
          Forget the key
        </button>
      </div>
    </nav>
  )
}

function NavLink({ page: { to, title, key: shortcut } }: { readonly page: (typeof PAGES)[number] }) {
  const navigate = useNavigate()
  useShortcut(`g ${shortcut}`, `Go to ${title}`, () => void navigate({ to }))
  // A task is found by its events.
  const isTask = useLocation({ select: ({ pathname }) => pathname.startsWith('/tasks/') })
  return (
    <Link
      to={to}
      activeProps={{ 'aria-current': 'page' }}
      {...(isTask && to === '/events' ? { 'aria-current': 'true' as const } : {})}
    >
      {title}
    </Link>
  )
}

function ThemeChoice() {
  const [theme, setTheme] = useState<Theme>(storedTheme)
  return (
    <select
      aria-label="Theme"
      value={theme}
      onChange={(event) => {
        const chosen = event.target.value as Theme
        applyTheme(chosen)
        setTheme(chosen)
      }}
    >
      <option value="system">As the device</option>
      <option value="light">Light</option>
      <option value="dark">Dark</option>
    </select>
  )
}
