import crypto from 'node:crypto'

/** Word for word what the product's page gives to receivers; only formatted and exported. */
export function verifyWebhook(payload: string, signature: string, secret: string) {
  const expected = crypto.createHmac('sha256', secret).update(payload).digest('hex')
  return `sha256=${expected}` === signature
}
