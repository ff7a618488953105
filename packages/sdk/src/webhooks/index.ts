// Verification of webhooks: `import * as webhooks from '@ariftly/sdk/webhooks'`.
export { unwrap, WebhookVerificationError, type Delivered, type ReceivedHeaders, type UnwrapOptions } from './unwrap.ts'
export { sign, type SignOptions } from './sign.ts'
