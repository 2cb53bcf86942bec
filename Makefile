# Needs Python 3.11 to 3.13 and make; everything else is prepared by bootstrap.sh, which is instant when nothing has changed.

PYTHON_ENV := .venv/bin/python
SBOM := .sbom/customer-service.cdx.json

.DEFAULT_GOAL := help
.PHONY: help prepare run test test-kafka conformance chaos soak check fmt bench schema sbom docs ide console pictures clean clean-data

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-12s %s\n", $$1, $$2 }'

prepare: ## Create .venv from uv.lock (every other target does it first)
	@./bootstrap.sh

run: prepare ## Start the whole service with its own MongoDB, Kafka, S3 and SQS
	@exec ./customer-service dev

# Three processes on any machine: on two cores each works for half of its time and waits for servers in the other. Each has
# databases of its own on the servers they share, which are the bottleneck beyond.
test: prepare ## Run all tests (ARGS="-k import" for some of them)
	$(PYTHON_ENV) -m pytest -q -n 3 --dist=loadgroup $(ARGS)

# Two processes: one fuzzes for a minute, meanwhile the other does most of the rest. What `make test` does in small is done in
# full here.
conformance: prepare ## Run the tools and clients that users of the API have (needs Node.js 20; FUZZ_SECONDS=60 REST_EXAMPLES=40)
	@tests/conformance/prepare.sh
	HOSTILE_REQUESTS=$${HOSTILE_REQUESTS:-10000} $(PYTHON_ENV) -m pytest -q -n 2 \
		tests/conformance tests/console tests/graphql/test_hostile_load.py $(ARGS)

test-kafka: prepare ## Run what needs Apache Kafka itself (fetched with Maven; needs Java 17; skipped where there is none)
	@tests/kafka/prepare.sh
	$(PYTHON_ENV) -m pytest -q -n 0 tests/kafka $(ARGS)

# What `make test` does with few kills and short outages. The seed says who is killed when; what it meets depends on the machine.
# The figures of docs/reliability.md are in what it prints.
chaos: prepare ## Kill and freeze processes and servers, cut systems off, ask too much (KILLS=100, CHAOS_SEED=1, SOAK_MINUTES=2)
	$(PYTHON_ENV) -m pytest -q -n 0 -o faulthandler_timeout=7200 -o log_cli=true -o log_cli_level=INFO tests/chaos $(ARGS)

soak: prepare ## Mixed traffic with a fault every minute (SOAK_MINUTES=60, SOAK_CALLERS=3, CHAOS_SEED=1)
	SOAK_MINUTES=$${SOAK_MINUTES:-60} $(PYTHON_ENV) -m pytest -q -n 0 -o faulthandler_timeout=36000 -o log_cli=true \
		-o log_cli_level=INFO tests/chaos/test_soak.py $(ARGS)

check: prepare ## Lint, formatting, types, layers, committed schema
	$(PYTHON_ENV) -m ruff check .
	$(PYTHON_ENV) -m ruff format --check .
	$(PYTHON_ENV) -m mypy
	.venv/bin/lint-imports
	./customer-service schema --check
	./customer-service events schemas --check
	./customer-service reference --check

fmt: prepare ## Format, and mend what ruff can mend
	$(PYTHON_ENV) -m ruff check --fix .
	$(PYTHON_ENV) -m ruff format .

bench: prepare ## Measure, and print ratios to a baseline
	$(PYTHON_ENV) -m bench

schema: prepare ## Write schema/*.graphql, rest/openapi.json, events/schemas and docs/reference from the code
	./customer-service schema --write
	./customer-service events schemas --write
	./customer-service reference --write

sbom: prepare ## List every library that a running service has, from uv.lock, as CycloneDX (SBOM=.sbom/customer-service.cdx.json)
	@mkdir -p $(dir $(SBOM))
	@uv=$$(command -v uv) || uv=.uv/uv; UV_PYTHON_DOWNLOADS=never $$uv export --frozen --quiet --no-default-groups \
		--preview-features sbom-export --format cyclonedx1.5 --output-file $(SBOM)
	@echo $(SBOM)

docs: prepare ## Build the documentation as a site into .site; a link that leads nowhere stops it
	@uv=$$(command -v uv) || uv=.uv/uv; [ ! -s /etc/ssl/certs/ca-certificates.crt ] || export UV_SYSTEM_CERTS=1; \
		UV_PYTHON_DOWNLOADS=never $$uv sync --frozen --quiet --inexact --group docs --python $(PYTHON_ENV)
	NO_MKDOCS_2_WARNING=1 $(PYTHON_ENV) -m mkdocs build --strict --quiet
	@echo 'Open .site/index.html, or, to search in it: $(PYTHON_ENV) -m http.server --directory .site --bind 127.0.0.1 8000'

# Needs node 20 and npm; running the service does not, because what this builds is committed.
ide: ## Build console/graphql-ide/dist, the page at GET /graphql, from its sources
	cd console/graphql-ide && npm ci --no-audit --no-fund && npm run --silent build

console: ## Build console/import-console/dist, the page at /console, from its sources and the schema
	cd console/import-console && npm ci --no-audit --no-fund && npm run --silent build

pictures: prepare ## Take the pictures in docs/images anew, of a stack that `make run` has started (needs Chromium and pngquant)
	@tests/conformance/prepare.sh
	$(PYTHON_ENV) -m tests.console.pictures

clean: ## Remove the environment and caches; the data in .run stays
	rm -rf .venv .uv .site .conformance .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-data: ## Remove the data of the development stack, after asking
	@printf 'Delete .run with all customers, documents and events of the development stack? [y/N] '; \
	read answer; [ "$$answer" = y ] && rm -rf .run || echo 'Kept.'
