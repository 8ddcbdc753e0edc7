# Impasto on CPUs; docs/guides/docker.md says how to use it.
#
#   docker build -t impasto .                       all of it, with the web app
#   docker build -t impasto:light --target light .  networks alone, without torch
FROM python:3.13-slim AS base
ENV PATH=/venv/bin:$PATH HOME=/tmp
WORKDIR /work
ENTRYPOINT ["impasto"]
CMD ["--help"]

FROM base AS sources
ENV PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY LICENSE README.md constraints.txt pyproject.toml /impasto/
COPY packaging /impasto/packaging
COPY src /impasto/src
WORKDIR /impasto

FROM sources AS build-light
RUN pip install ./packaging/light

FROM base AS light
COPY --from=build-light /venv /venv
USER 1000

# torch's CPU build, a fraction of the one with CUDA.
FROM sources AS build
ARG EXTRAS=app
RUN pip install --constraint constraints.txt --index-url https://download.pytorch.org/whl/cpu torch \
    && pip install --constraint constraints.txt ".[$EXTRAS]"

FROM base
COPY --from=build /venv /venv
USER 1000
EXPOSE 7860
