# The console is built where Node is; its files are all that is taken from there.
FROM node:22-slim AS console
COPY ui /batuta/ui
RUN mkdir -p /batuta/src/batuta && cd /batuta/ui && npm ci --no-audit --no-fund && npm run build

FROM python:3.12-slim
COPY . /batuta
COPY --from=console /batuta/src/batuta/ui /batuta/src/batuta/ui
RUN pip install --no-cache-dir /batuta && rm -rf /batuta
