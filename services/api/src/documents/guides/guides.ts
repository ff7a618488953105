/** A page of the repository that every installation serves at `/docs/guides/<name>`. */
export interface Guide {
  /** The last segment of its path. */
  readonly name: string
  /** What links call it. */
  readonly label: string
  /** The Markdown file, relative to the root of the repository. */
  readonly source: string
  /** What it answers, in one line: for lists of guides. */
  readonly summary: string
}

/** All guides, in the order of their list. */
export const GUIDES: readonly Guide[] = [
  {
    name: 'producing',
    label: 'Producing events',
    source: 'docs/ingest.md',
    summary: 'post events, retry without doubling them, mint ids that keep their order',
  },
  {
    name: 'streaming',
    label: 'Streaming events',
    source: 'docs/streaming.md',
    summary: 'follow events as they happen, and resume without a gap or a repeat',
  },
  {
    name: 'webhooks',
    label: 'Webhooks',
    source: 'docs/webhooks.md',
    summary: 'receive events as signed requests, verify them, and get back what was missed',
  },
  {
    name: 'kafka',
    label: 'The log in Kafka',
    source: 'docs/kafka.md',
    summary: 'read the log itself, from inside the platform',
  },
  {
    name: 'tenants-and-keys',
    label: 'Tenants and keys',
    source: 'docs/tenants-and-keys.md',
    summary: 'API keys, scopes, quotas, tenants and the audit log',
  },
  {
    name: 'customers',
    label: 'Customers of your own',
    source: 'docs/customers.md',
    summary: 'set up a tenant, its limits and its key, and what the platform sees of it',
  },
  {
    name: 'sdk',
    label: 'TypeScript SDK',
    source: 'packages/sdk/README.md',
    summary: 'the TypeScript SDK: send, listen and verify webhooks',
  },
  {
    name: 'sdk-python',
    label: 'Python SDK',
    source: 'packages/sdk-python/README.md',
    summary: 'the Python SDK: send, listen, report calls of tools and verify webhooks',
  },
  {
    name: 'command-line',
    label: 'Command line',
    source: 'docs/cli.md',
    summary: 'ariftly: send, follow, list and forward events, and manage everything else',
  },
  {
    name: 'console',
    label: 'Console',
    source: 'docs/console.md',
    summary: 'the pages at /console: tasks, events, webhooks and deliveries in the browser',
  },
]
