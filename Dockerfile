# cord in an image: `docker build -t cord .`, or `docker build -t cord --build-arg CORD_LOCAL=OFF .` for a small one that
# only talks to servers.
#
#   docker run --rm -u "$(id -u):$(id -g)" -v "$PWD:/work" -v ~/.cache/cord/models:/models:ro cord run recipe.yaml
#
# Nothing in it is compiled for the CPU at hand: llama.cpp's kernels need AVX2, FMA, F16C and BMI2, which
# x86-64 has had since 2013 to 2015, but for the cheapest (some Pentium, Celeron and Atom, until 2021).
FROM debian:12 AS build
ARG CORD_LOCAL=ON
ENV CORD_LLAMA_CMAKE=-DGGML_NATIVE=OFF CORD_CMAKE=-DCORD_NATIVE=OFF
WORKDIR /src
# What changes seldom comes first, so that the minutes that llama.cpp takes are spent once.
COPY scripts scripts
RUN apt-get update && scripts/packages.sh
RUN if [ "$CORD_LOCAL" = OFF ]; then scripts/llama.sh --jinja; else scripts/llama.sh; fi
# DuckDB's library, which reads what is not JSONL and writes Parquet. None is pinned for other machines than x86-64, where the
# image is without.
RUN if [ "$(uname -m)" = x86_64 ]; then \
        duckdb=$(scripts/duckdb.sh) && \
        install -D -m 644 "$duckdb" /stage/usr/local/lib/cord/libduckdb.so && \
        install -D -m 644 "$(dirname "$duckdb")/LICENSE" /stage/usr/local/share/doc/cord/licenses/duckdb; \
    fi
COPY . .
RUN make install CORD_LOCAL="$CORD_LOCAL" DESTDIR=/stage PREFIX=/usr/local

FROM debian:12-slim
RUN apt-get update && \
    apt-get install -y --no-install-recommends ca-certificates libcurl4 libflint17 libflint-arb2 libfyaml0 libjansson4 \
        libsqlite3-0 libssl3 libstdc++6 && \
    rm -rf /var/lib/apt/lists/* && \
    useradd --create-home cord && install -d -o cord /work
COPY --from=build /stage /
RUN ldconfig
USER cord
WORKDIR /work
ENV CORD_MODELS=/models CORD_DUCKDB=/usr/local/lib/cord/libduckdb.so
ENTRYPOINT ["cord"]
CMD ["help"]
