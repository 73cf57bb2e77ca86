# Thin names for the commands that people and CI run; .ci/run calls the same ones.

GO       ?= go
TOOL      = $(GO) tool -modfile=tools/go.mod
RUNS     ?= 300
OUT      ?= out/compare
# Modules of their own: a team that imports the simulator shall not inherit a Kafka client.
NESTED    = adapters/franz
CASES    ?= 20
# Properties draw the same cases in every make; a bare go test draws new ones.
export RAPID_SEED ?= 20260101
# So it is with the order of tests: SHUFFLE=on draws a new one.
SHUFFLE  ?= 20260101
FUZZTIME ?= 30s

.DEFAULT_GOAL := check
.PHONY: check build lint lint-all test race shuffle det compare verify bench fuzz full

check: build lint test ## what to run before a commit

# nested is a go command in every nested module.
nested    = @set -e; for module in $(NESTED); do (set -x; $(GO) -C $$module $(1)); done

build:
	$(GO) build ./...
	$(call nested,build ./...)

lint:
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo 'gofmt: the files above need formatting' >&2; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(call nested,vet ./...)

lint-all: lint ## what CI runs; the first build of golangci-lint takes over a minute
	$(TOOL) golangci-lint run ./...
	$(call nested,tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run ./...)

test:
	$(GO) test ./...
	$(call nested,test ./...)

# Judges, reports and lint are functions: nothing in them runs beside anything.
FUNCTIONS = /checker|/reports|/internal/lint

race: ## in shuffled order, without long searches
	$(GO) test -race -shuffle=$(SHUFFLE) -short $$($(GO) list ./... | grep -vE '$(FUNCTIONS)')

shuffle: ## those that need no race detector, in shuffled order
	$(GO) test -shuffle=$(SHUFFLE) -short $$($(GO) list ./... | grep -E '$(FUNCTIONS)')

det: ## the same cases on every kind of build and processor at hand
	.ci/determinism $(CASES)

compare:
	$(GO) run ./cmd/simulate compare --runs $(RUNS) --out $(OUT)

verify: ## the catalogue of published failures
	$(GO) run ./cmd/simulate verify --quiet

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

full: ## judges against definitions and searches: hundreds of thousands of random histories each, about ten minutes
	TWICELESS_FULL=1 $(GO) test -count=1 -timeout 60m -v ./checker/linear ./checker/isolation ./checker/blackbox ./model/downstream

fuzz: ## every fuzz target for FUZZTIME
	@set -e; for file in $$(grep -rl --include='*_test.go' '^func Fuzz' .); do \
		for target in $$(grep -o '^func Fuzz[A-Za-z0-9_]*' $$file | cut -d' ' -f2); do \
			echo "$$target in $$(dirname $$file)"; \
			$(GO) test $$(dirname $$file) -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME); \
		done; \
	done
