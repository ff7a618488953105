import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const ID = 'GHSA-aaaa-bbbb-cccc'

/** A report as `npm audit --json` gives it, of a package whose fault reaches another one. */
function reportOf(severity: string): object {
  const cause = { name: 'qs', title: 'A fault', url: `https://github.com/advisories/${ID}`, severity }
  return { auditReportVersion: 2, vulnerabilities: { qs: { via: [cause] }, express: { via: ['qs'] } } }
}

/** Runs the step of CI on a report, with a list of exceptions. */
function audit(report: object | string, allowed: readonly object[] = []): { code: number | null; output: string } {
  const dir = mkdtempSync(join(tmpdir(), 'audit-'))
  const [file, list] = [join(dir, 'report.json'), join(dir, 'allowed.json')]
  writeFileSync(file, typeof report === 'string' ? report : JSON.stringify(report))
  writeFileSync(list, JSON.stringify(allowed))
  const env = { ...process.env, AUDIT_ALLOWED: list }
  const { status, stdout } = spawnSync(process.execPath, ['scripts/audit.mjs', file], { env, encoding: 'utf8' })
  return { code: status, output: stdout }
}

describe('the audit of shipped packages', () => {
  test.each(['high', 'critical'])('fails for an advisory that is %s, and names it', (severity) => {
    const { code, output } = audit(reportOf(severity))
    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining(`${severity} ${ID} in qs: A fault`) })
  })

  test('passes moderate advisories', () => {
    expect(audit(reportOf('moderate')).code).toBe(0)
  })

  test('passes allowed advisories until their day is over', () => {
    const allowed = { id: ID, reason: 'a test', until: '2999-12-31' }
    expect(audit(reportOf('high'), [allowed]).code).toBe(0)
    expect(audit(reportOf('high'), [{ ...allowed, until: '2026-01-01' }]).code).toBe(1)
    expect(audit(reportOf('high'), [{ ...allowed, id: 'GHSA-other' }]).code).toBe(1)
  })

  test.each([
    ['refuses', { message: '405 Method Not Allowed', error: { code: 'ENOAUDIT' } }, '405 Method Not Allowed'],
    ['says nothing', '', 'no answer'],
  ])('does not fail, and says so, when the registry %s', (_what, report, said) => {
    expect(audit(report)).toEqual({ code: 0, output: expect.stringContaining(said) })
  })
})
