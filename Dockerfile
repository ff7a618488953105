# One image for all services; the command chooses: docker run ariftly/events ingest
# Build for both platforms: docker buildx build --platform linux/amd64,linux/arm64 -t ariftly/events .
# The build stage runs on the builder's own platform: what it makes is JavaScript.
ARG NODE_VERSION=24

FROM --platform=$BUILDPLATFORM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages packages
COPY services services
COPY tsconfig.base.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
RUN npx tsc -b services/standalone services/migrate
# The console is a bundle of its own and of the SDK; of both no more than that bundle is kept.
RUN npx vite build packages/console && rm -rf packages/sdk packages/console/index.html packages/console/vite.config.ts
# What runs is dist alone. A test computes from this file what is in the image.
RUN find packages services -type d \( -name src -o -name node_modules \) -prune -exec rm -rf {} + \
  && find packages services -name 'tsconfig.json' -delete && find packages services -name '.tsbuildinfo' -delete

# Production packages for the platform of the image; nothing of them is compiled here.
FROM node:${NODE_VERSION}-bookworm-slim AS packages
WORKDIR /app
COPY --from=build /app/package.json /app/package-lock.json /app/.npmrc ./
COPY --from=build /app/packages packages
COPY --from=build /app/services services
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts

FROM node:${NODE_VERSION}-bookworm-slim
RUN apt-get update -q \
  && apt-get install -yq --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/* \
  && mkdir /data && chown 1000:1000 /data
WORKDIR /app
COPY --from=packages /app ./
COPY deploy/image deploy/image
COPY schemas schemas
# The guides, which the api serves.
COPY docs/ingest.md docs/streaming.md docs/webhooks.md docs/kafka.md docs/tenants-and-keys.md docs/customers.md docs/cli.md docs/console.md docs/
COPY packages/sdk/README.md packages/sdk/
COPY packages/sdk-python/README.md packages/sdk-python/
ENV NODE_ENV=production DATA_DIR=/data
# Nothing is written to the image's own file system: run it read-only. `/data` is for `standalone` alone.
USER 1000:1000
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=4s --start-period=60s --retries=3 CMD ["node", "deploy/image/healthcheck.mjs"]
ENTRYPOINT ["tini", "--", "deploy/image/entrypoint.sh"]
