import type {
  ApiKey,
  ApiKeyChanges,
  AuditEntry,
  CurrentApiKey,
  DeadLetter,
  ListApiKeysQuery,
  ListAuditEntriesQuery,
  ListDeadLettersQuery,
  ListTenantsQuery,
  NewApiKey,
  NewApiKeyRequest,
  System,
  Tenant,
  TenantRequest,
} from '../api-types.ts'
import type { CallOptions } from '../http/transport.ts'
import type { List } from '../lists.ts'
import { path, Resource, type CreateOptions } from './resource.ts'

/** API keys (scope `admin` for the own tenant's, `platform` for any). */
export class ApiKeys extends Resource {
  /** The key that calls; any key may. */
  async current(options?: CallOptions): Promise<CurrentApiKey> {
    return await this.read('/v1/api-keys/current', {}, options)
  }

  /** The answer holds the key, this once. */
  async create(request: NewApiKeyRequest, options?: CreateOptions): Promise<NewApiKey> {
    return await this.make('/v1/api-keys', request, options)
  }

  list(query?: ListApiKeysQuery, options?: CallOptions): List<ApiKey> {
    return this.pages('/v1/api-keys', query, options)
  }

  async update(id: string, changes: ApiKeyChanges, options?: CallOptions): Promise<ApiKey> {
    return await this.write('PATCH', path`/v1/api-keys/${id}`, changes, options)
  }

  /** The answer holds the new secret, this once; the old one stays valid for `overlap_hours`. */
  async rotate(
    id: string,
    rotation: { readonly overlap_hours?: number } = {},
    options?: CreateOptions,
  ): Promise<NewApiKey> {
    return await this.make(path`/v1/api-keys/${id}/rotate`, rotation, options)
  }

  /** It stops within a second, open streams included. */
  async revoke(id: string, options?: CallOptions): Promise<void> {
    await this.write('DELETE', path`/v1/api-keys/${id}`, undefined, options)
  }
}

/** Tenants (scope `platform`). */
export class Tenants extends Resource {
  /** Creates a tenant, or changes it. */
  async put(id: string, tenant: TenantRequest, options?: CallOptions): Promise<Tenant> {
    return await this.write('PUT', path`/v1/tenants/${id}`, tenant, options)
  }

  async get(id: string, options?: CallOptions): Promise<Tenant> {
    return await this.read(path`/v1/tenants/${id}`, {}, options)
  }

  list(query?: ListTenantsQuery, options?: CallOptions): List<Tenant> {
    return this.pages('/v1/tenants', query, options)
  }

  /**
   * Deletes the tenant and all its data. `get` shows the progress, and rejects with a NotFoundError when it is done. The id is
   * never given again.
   */
  async delete(id: string, options?: CallOptions): Promise<Tenant> {
    return await this.write('DELETE', path`/v1/tenants/${id}`, undefined, options)
  }
}

/** Who changed keys, tenants and webhooks (scope `admin`). */
export class Audit extends Resource {
  /** Newest first. */
  list(query?: ListAuditEntriesQuery, options?: CallOptions): List<AuditEntry> {
    return this.pages('/v1/audit', query, options)
  }
}

/** Records of the log that are no events (scope `platform`). */
export class DeadLetters extends Resource {
  /** Newest first. A page may be empty and yet not be the last one. */
  list(query?: ListDeadLettersQuery, options?: CallOptions): List<DeadLetter> {
    return this.pages('/v1/dead-letters', query, options)
  }
}

/** How the installation is (scope `platform`). */
export class SystemStatus extends Resource {
  /** As far as the database knows it. Counts have limits: `deliveries.complete` says whether one was reached. */
  async get(options?: CallOptions): Promise<System> {
    return await this.read('/v1/system', {}, options)
  }
}
