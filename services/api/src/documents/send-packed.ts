import type { Request, Response } from 'express'
import { sendDocument } from './send-document.ts'

/** A file in both forms, which the functions of `keptOnce` read when it is first asked for: answers share the bytes. */
export interface PackedFile {
  readonly type: string
  readonly plain: () => Promise<Buffer>
  /** By gzip. */
  readonly packed: () => Promise<Buffer>
}

/** Answers with a file in the form that the client takes. */
export async function sendPacked(
  req: Request,
  res: Response,
  { type, plain, packed }: PackedFile,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  res.vary('Accept-Encoding')
  if (!acceptsGzip(req.headers['accept-encoding'])) return sendDocument(res, type, await plain(), headers)
  sendDocument(res, type, await packed(), { ...headers, 'Content-Encoding': 'gzip' })
}

/** Whether an `Accept-Encoding` header takes gzip (RFC 9110, 12.5.3). */
function acceptsGzip(header = ''): boolean {
  return /(^|,)\s*(gzip|\*)\s*(;\s*q=(?!0(\.0+)?\s*(,|$))|,|$)/i.test(header)
}
