/** Words that parameters of the API take. A test compares them with the OpenAPI document. */
export const CHOICES = {
  errorClass: [
    'http_3xx',
    'http_4xx',
    'http_5xx',
    'timeout',
    'tls_error',
    'connection_refused',
    'connection_reset',
    'dns_error',
    'blocked',
  ],
  deliveryStatus: ['pending', 'delivered', 'failed', 'cancelled'],
  endedStatus: ['delivered', 'failed', 'cancelled'],
  tenantState: ['active', 'suspended', 'deleting', 'deleted'],
  scope: ['events:write', 'events:read', 'webhooks', 'admin', 'platform'],
} as const satisfies Readonly<Record<string, readonly string[]>>
