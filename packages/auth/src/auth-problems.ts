import type { Scope } from '@ariftly/http'
import { Problem } from '@ariftly/http'

/** 401: no key was sent, or not as a bearer token. */
export function missingKey(): Problem {
  return new Problem(401, 'missing_api_key', {
    detail: 'Send your API key as `Authorization: Bearer <API key>`.',
    headers: { 'WWW-Authenticate': 'Bearer realm="ariftly"' },
  })
}

/** 401: unknown, revoked, expired or mistyped; the answer does not say which. */
export function invalidKey(): Problem {
  return new Problem(401, 'invalid_api_key', {
    detail: 'The API key is unknown, revoked or expired.',
    headers: { 'WWW-Authenticate': 'Bearer realm="ariftly", error="invalid_token"' },
  })
}

/** 403: the key is good for other things. */
export function forbidden(scope: Scope): Problem {
  return new Problem(403, 'missing_scope', {
    detail: `The API key does not have the scope \`${scope}\`.`,
    headers: { 'WWW-Authenticate': `Bearer realm="ariftly", error="insufficient_scope", scope="${scope}"` },
  })
}

/** 503: the key cannot be checked at the moment. */
export function keysUnavailable(): Problem {
  return new Problem(503, 'authentication_unavailable', {
    detail: 'API keys cannot be checked at the moment. Try again.',
    headers: { 'Retry-After': '1' },
  })
}

/** 403: the key is good, but its tenant is not served. */
export function tenantSuspended(): Problem {
  return new Problem(403, 'tenant_suspended', {
    detail: 'The tenant of this API key is suspended, or is being deleted.',
  })
}
