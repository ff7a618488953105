import type { CurrentApiKey } from '@ariftly/sdk'

/** A scope of an API key. */
export type Scope = CurrentApiKey['scopes'][number]

/** Whether the key may do what needs the scope; `admin` implies the three below it. */
export function mayUse({ scopes }: Pick<CurrentApiKey, 'scopes'>, scope: Scope): boolean {
  if (scopes.includes(scope)) return true
  return scope !== 'platform' && scopes.includes('admin')
}
