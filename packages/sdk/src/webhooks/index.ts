// Verification of webhooks: `import { unwrap } from '@ariftly/sdk/webhooks'`.
export { explain, unwrap, WebhookVerificationError, type Delivered } from './unwrap.ts'
export type { WebhookCheck } from './checks.ts'
export type { ReceivedHeaders, UnwrapOptions } from './received.ts'
export { sign, type SignOptions } from './sign.ts'
