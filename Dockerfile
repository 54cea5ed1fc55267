# The image of the operator: Node, one bundle, nothing else. No shell, no package manager, no root, nothing that has to be written.
#
# Both bases are named by digest when it is built, so that the same sources make the same image next year:
#   docker build \
#     --build-arg BUILD_BASE=docker.io/library/node:24-bookworm-slim@sha256:… \
#     --build-arg RUNTIME_BASE=gcr.io/distroless/cc-debian12@sha256:… \
#     -t REGISTRY/rollward:0.1.0 .
# `docker buildx imagetools inspect NAME:TAG` tells the digest of the day.
# BUILD_BASE: Node 24 for glibc, with npm. RUNTIME_BASE: glibc and libstdc++; CA certificates are Node's own.
#
# Without Docker: `npm run image` (Linux, root) builds the last stage with buildah on a base of Debian's libraries, and hands it the first
# one ready made (--build-context build=…); so the last stage only copies, and nothing is run or fetched in it.
ARG BUILD_BASE
ARG RUNTIME_BASE

FROM ${BUILD_BASE} AS build
WORKDIR /build
# What the packages are comes first and changes seldom, so that this layer is kept.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY tools/build.ts ./tools/build.ts
COPY src ./src
RUN mkdir /out \
 && node tools/build.ts --out /out/app \
 && find /out/app -name '*.map' -delete \
 && cp "$(command -v node)" /out/node \
 # One time stamp for all files: two builds of one commit are one digest.
 && find /out -exec touch --no-dereference --date=@0 {} +
COPY LICENSE /out/LICENSE

FROM ${RUNTIME_BASE}
LABEL org.opencontainers.image.title="rollward" \
      org.opencontainers.image.description="Rolls new versions through the points of presence of a network service, node by node" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/node /usr/local/bin/node
COPY --from=build /out/app /app
COPY --from=build /out/LICENSE /LICENSE
# Numbers, because runAsNonRoot cannot look a name up.
USER 65532:65532
ENV NODE_ENV=production
EXPOSE 9464
# The flags of the bundle's first line (tools/build.ts): 30 MB less resident memory.
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=2", "--liftoff-only", "/app/rollward.mjs"]
CMD ["run"]
