import { Problem } from '@ariftly/http'
import type { Request, Response } from 'express'
import { sendDocument } from './send-document.ts'

/** Answers 404: with the page for a client that asks for pages by name, for all others with a problem. */
export function sendNotFound(req: Request, res: Response, { page, detail }: { page: string; detail: string }): void {
  if (req.accepts(['json', 'html']) !== 'html') throw new Problem(404, 'not_found', { detail })
  sendDocument(res, 'text/html; charset=utf-8', page, { 'Cache-Control': 'no-store' }, 404)
}
