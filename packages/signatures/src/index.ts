export { checkSecret, generateSecret } from './secret.ts'
export { signWebhook } from './sign.ts'
