import { Problem, problemBody } from '@ariftly/http'
import { onlyService, pathRoutes, type PathRoutes } from './route-groups.ts'

const SERVICES = ['ingest', 'api', 'stream-gateway'] as const

/**
 * deploy/nginx/nginx.conf, made from the route table: by path and method. Requests without a route are sent to the api, which
 * answers 404 or 405. Each service listens on 8080.
 */
export function renderNginxConf(): string {
  const paths = pathRoutes()
  return `# Made from the route table by \`npm run generate\`: do not edit.
worker_processes auto;
# Newer engines give a container 1,024 open files unless it asks for more, and a stream takes two.
worker_rlimit_nofile 16384;
error_log /dev/stderr warn;
pid /tmp/nginx.pid;

events {
  worker_connections 8192;
}

http {
  access_log off;
  server_tokens off;
  client_body_temp_path /tmp/client_body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;

  # No service takes more. A body is read whole before it is passed on: after the early answer of a service the rest of the body would still
  # arrive, and nginx cuts such a connection after it has promised to keep it.
  client_max_body_size 5m;
  merge_slashes off;

  # A browser's preflight goes to the service of the method that it asks about; HEAD goes with GET.
  map $request_method $asked_method {
    default $request_method;
    HEAD GET;
    OPTIONS $http_access_control_request_method;
  }

  # The path, where it needs no escape in a JSON text.
  map $request_uri $instance {
    default /;
    ~^(?<plain>[A-Za-z0-9/._~%:@-]+)(\\?|$) $plain;
  }

${paths
  .filter((path) => onlyService(path) === undefined)
  .map(renderMap)
  .join('\n')}
  # Docker's own. A restarted container may have the previous address of another: an address that is kept could lead to a wrong service.
  resolver 127.0.0.11 valid=1s;

${SERVICES.map(renderUpstream).join('\n')}
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto $scheme;
  # A POST that was sent is never sent again here: only the client knows whether that is safe. What could not be sent goes to another replica.
  proxy_next_upstream error timeout;
  proxy_next_upstream_timeout 10s;
  proxy_connect_timeout 2s;
  proxy_read_timeout 60s;

  server {
    listen 8080 default_server;
    error_page 500 502 504 =503 @unavailable;
    error_page 413 @too_large;

${paths.map(renderLocation).join('\n')}
    location / {
      proxy_pass http://api;
    }

    # What nginx says itself is the problem that a service would say.
${renderProblem('@unavailable', new Problem(503, 'unavailable', { detail: 'The service cannot be reached.' }))}
${renderProblem('@too_large', new Problem(413, 'body_too_large', { detail: 'The body may have at most 5242880 bytes.' }))}  }
}
`
}

function renderMap({ path, byMethod }: PathRoutes): string {
  const methods = [...byMethod].filter(([, service]) => service !== 'api')
  const lines = methods.map(([method, service]) => `    ${method} ${service};`)
  return `  map $asked_method $${variableOf(path)} {\n    default api;\n${lines.join('\n')}\n  }\n`
}

function variableOf(path: string): string {
  return `service_of${path.replaceAll(/\W+/g, '_')}`
}

function renderUpstream(service: string): string {
  return `  upstream ${service} {\n    zone ${service} 64k;\n    server ${service}:8080 resolve max_fails=0;\n    keepalive 64;\n  }\n`
}

function renderLocation(routes: PathRoutes): string {
  const { path } = routes
  const service = onlyService(routes)
  const target = service ?? `$${variableOf(path)}`
  const place = path.includes('{') ? `~ ^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$` : `= ${path}`
  const stream = path.endsWith('/stream')
    ? '      # A stream ends when it likes, and every byte goes out at once.\n      proxy_buffering off;\n      proxy_read_timeout 1h;\n'
    : ''
  return `    location ${place} {\n${stream}      proxy_pass http://${target};\n    }\n`
}

function renderProblem(location: string, problem: Problem): string {
  const body = JSON.stringify(problemBody(problem, '$instance', 'req_$request_id'))
  const retry = problem.status === 503 ? '      add_header Retry-After 1 always;\n' : ''
  return `    location ${location} {
      # The rest of a body may still arrive: no client shall send its next request behind it.
      keepalive_timeout 0;
      default_type application/problem+json;
      add_header X-Request-Id req_$request_id always;
${retry}      add_header Cache-Control no-store always;
      return ${problem.status} '${body}';
    }
`
}
