export { checkSecret, generateSecret, type SecretVerdict } from './secret.ts'
export { signWebhook, type SignOptions } from './sign.ts'
export { verify, verifyBody, type ReceivedHeaders, type Verification, type VerifyOptions } from './verify.ts'
