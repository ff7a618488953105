import { describe, expect, test } from '@jest/globals'
import { createRouteMatcher, matchRoute } from './match-route.ts'
import { routeOf, ROUTES } from './routes.ts'

function nameOf(method: string, path: string): string | undefined {
  const found = matchRoute(method, path)
  return found !== undefined && 'route' in found ? found.route.name : undefined
}

describe('matchRoute', () => {
  test.each(ROUTES.map((route) => [route.method, route.path, route.name]))('%s %s is found', (method, path, name) => {
    expect(nameOf(method, path.replaceAll(/\{\w+\}/g, 'x1'))).toBe(name)
  })

  test('one path leads to different services by method', () => {
    expect([nameOf('POST', '/v1/events'), nameOf('GET', '/v1/events')]).toEqual(['postEvents', 'listEvents'])
  })

  test('a fixed segment wins over a parameter', () => {
    expect(nameOf('GET', '/v1/events/stream')).toBe('streamEvents')
    expect(nameOf('GET', '/v1/events/streams')).toBe('getEvent')
  })

  test('parameters are decoded', () => {
    expect(matchRoute('GET', '/v1/events/a%2Fb')).toMatchObject({ params: { id: 'a/b' } })
  })

  test('HEAD is found as GET, but not for the stream', () => {
    expect(nameOf('HEAD', '/v1/events')).toBe('listEvents')
    expect(matchRoute('HEAD', '/v1/events/stream')).toEqual({ allow: ['GET', 'POST'] })
  })

  test('a known path with another method gives the methods it has', () => {
    expect(matchRoute('PUT', '/v1/events')).toEqual({ allow: ['POST', 'GET', 'HEAD'] })
    expect(matchRoute('POST', '/v1/webhooks/x')).toEqual({ allow: ['GET', 'HEAD', 'PATCH', 'DELETE'] })
  })

  test.each([
    '//',
    '/v1',
    '/v1/events/',
    '/V1/events',
    '/v1//events',
    '/v1/webhooks/',
    '/v1/webhooks/a%ZZ',
    '/v1/events/a/b',
  ])('there is nothing at %s', (path) => expect(matchRoute('GET', path)).toBeUndefined())

  test('a finder of some routes knows only these', () => {
    const match = createRouteMatcher([routeOf('postEvents')])
    expect(match('GET', '/v1/events')).toEqual({ allow: ['POST'] })
    expect(match('GET', '/v1/webhooks')).toBeUndefined()
  })
})

test('route names are unique, and so are method and path', () => {
  expect(new Set(ROUTES.map(({ name }) => name)).size).toBe(ROUTES.length)
  expect(new Set(ROUTES.map(({ method, path }) => `${method} ${path}`)).size).toBe(ROUTES.length)
})
