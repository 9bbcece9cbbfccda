# ken: every target works on a fresh machine that has Go and make. `make help` lists them.

GO        ?= go
BIN       := bin/ken
PKGS      := ./...
FUZZTIME  ?= 10s
CHUNKS    ?= 100000
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS   := -s -w -X main.version=$(VERSION)
export CGO_ENABLED ?= 0

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/ken
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/ken

.PHONY: build-full
build-full: ## build bin/ken-full, with the drivers of clouds and brokers (S3, GCS, Azure, NATS, Kafka, RabbitMQ)
	$(GO) build -tags full -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)-full ./cmd/ken

.PHONY: test-full
test-full: build-full ## test what only the full binary has (S3, GCS, Azure, NATS, Kafka, RabbitMQ)
	$(GO) vet -tags full ./cmd/ken/...
	$(GO) test -tags full -run 'TestEverySource|TestWatchBroker|TestClouds|TestEndpoints' ./cmd/ken ./cmd/ken/internal/wire

.PHONY: demo
demo: build ## serve the bundled handbook and answer one question as two people (ONCE=1: end after the answers)
	@$(BIN) demo $(if $(ONCE),--once)

.PHONY: test
test: ## run all tests
	$(GO) test $(PKGS)

.PHONY: race
race: ## run the tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race -short $(PKGS)

.PHONY: test-arm64
test-arm64: ## test what is arm64's own, and that it gives what amd64 gives, in an emulator (needs Debian's qemu-user)
	@.ci/arm64

.PHONY: lint
lint: ## check format, vet and staticcheck
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | xargs -r gofmt -l); \
	  if [ -n "$$unformatted" ]; then echo "not formatted (run gofmt -w):"; echo "$$unformatted"; exit 1; fi
	$(GO) vet $(PKGS)
	$(GO) tool staticcheck $(PKGS)

.PHONY: vuln
vuln: ## look for known vulnerabilities (where the database can be reached)
	@.ci/vuln

.PHONY: check
check: lint race vuln ## all that must be green at every commit

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (default 10s)
	@.ci/fuzz $(FUZZTIME)

.PHONY: microbench
microbench: ## run the Go benchmarks, ten runs each, in the form benchstat reads (make microbench > FILE)
	@$(GO) test -run '^$$' -bench . -benchmem -count 10 $(PKGS)

# Real text is measured too where the evaluation data lies beside the checkout, or where KEN_EVAL_DATA says.
.PHONY: bench bench-quick
bench bench-quick: export KEN_EVAL_DATA ?= $(abspath $(CURDIR)/../shared/data)
bench: ## measure the engine beside bleve, chromem-go and a scan, 100,000 and a million chunks (bench.json, .txt, .html)
	$(GO) run ./eval/bench -chunks 100000,1000000 -json bench.json -text bench.txt -html bench.html

bench-quick: ## the same with CHUNKS=100000 alone
	$(GO) run ./eval/bench -chunks $(CHUNKS) -json bench.json -text bench.txt -html bench.html

# rate.json has the figures; BYTES=100000000 takes a tenth of the time.
.PHONY: rate
rate: BYTES ?= 1000000000
rate: ## measure an ingest of 1 GB of mixed formats and what bounds it
	$(GO) run ./eval/rate -bytes $(BYTES) -json rate.json

.PHONY: golden
golden: ## write the golden files anew; read the diff before you commit it
	@for dir in $$(grep -rlE 'flag.Bool\("update"' --include='*_test.go' . | xargs -n1 dirname | sort -u); do \
	  echo "$$dir"; $(GO) test "$$dir" -update || exit 1; done

.PHONY: eval
eval: build ## run the bundled suite: eval.json and eval.html; fails if a gate does
	$(BIN) eval run eval/suites/bundled.yaml --json eval.json --html eval.html

.PHONY: eval-baseline
eval-baseline: ## measure ken beside plain RAG at scale, query embedding included (CHUNKS=100000; race.json)
	$(GO) run ./eval/race -chunks $(CHUNKS) -json race.json

N    ?= 10000
SEED ?= 1
.PHONY: twin
twin: ## compare N answers (default 10000) with those of a server that holds only what the asker may read; writes twin.json
	$(GO) test ./tools/twin -run '^TestTwin$$' -count 1 -v -timeout 0 -args -comparisons $(N) -seed $(SEED) -out $(CURDIR)/twin.json

.PHONY: clients
clients: build ## drive bin/ken with outside MCP clients (needs npm)
	cd tools/testclients && npm ci --no-audit --no-fund && npm test

CYCLES = $(if $(filter command environment,$(word 1,$(origin N))),$(N),100)
.PHONY: crash
crash: ## kill a writing process N times (default 100) and compare what is left with what it acknowledged; writes crash.json
	$(GO) test ./index/embedded -run '^TestKill$$' -count 1 -v -timeout 0 -args -cycles $(CYCLES) -crash-out $(CURDIR)/crash.json

MINUTES ?= 60
.PHONY: soak
soak: ## run random writes, merges and power cuts against a brute-force index for MINUTES (default 60)
	$(GO) test ./index/embedded -run '^TestModel$$' -count 1 -v -timeout 0 -args -soak $(MINUTES)m

.PHONY: clients-auth
clients-auth: build ## sign in at a real authorization server with outside MCP clients (needs npm; about 70 s)
	cd tools/testclients && npm ci --no-audit --no-fund && npm run -s auth

SAMPLES ?= 100000
.PHONY: timing
timing: ## measure whether the time of an answer tells hidden from absent (SAMPLES=100000; timing.json)
	$(GO) test ./tools -run '^TestTiming$$' -count 1 -v -timeout 0 -args -timing $(SAMPLES) -timing-out $(CURDIR)/timing.json

.PHONY: conformance
conformance: ## run the official MCP conformance suite, without and through authentication (needs npm; about 40 s)
	cd tools/testclients && npm ci --no-audit --no-fund && PATH="$$PWD/node_modules/.bin:$$PATH" CGO_ENABLED=$(CGO_ENABLED) $(GO) test .. -run '^TestConformance$$' -count 1 -v -args -conformance "$$PWD/node_modules"

.PHONY: mutants
mutants: ## break the code that decides who may read in one place at a time and count what the tests notice; writes mutants.json (15 min)
	nice -n 10 $(GO) run ./cmd/ken/internal/mutants -out mutants.json
