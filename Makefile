# Every target is one line; what is longer lives in tools/. `make help` lists them.

# Time each fuzz target is given.
FUZZTIME ?= 10s
# Capture that `make demo` replays.
DEMO ?= testdata/case/updater/input.pcap
# Where `make install` puts the binary: $(DESTDIR)$(PREFIX)/bin.
PREFIX ?= /usr/local
# Packages to test, lint excepted.
PKG ?= ./...

.DEFAULT_GOAL := build
.PHONY: help build test race cover bench walls lint fmt fuzz fuzz-long check ci \
	reproducible demo geodata packs ledger power-cut install clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the static binary bin/telltale (VERSION=... overrides the version)
	@tools/build.sh bin/telltale

test: ## run all tests
	go test $(PKG)
	go test ./testdata/generate

race: ## run all tests under the race detector, in random order (needs a C compiler)
	CGO_ENABLED=1 go test -race -short -timeout 30m -shuffle=on $(PKG)

cover: ## run all tests and write bin/cover.html
	@mkdir -p bin
	go test -coverprofile=bin/cover.out -coverpkg=./... $(PKG)
	go tool cover -html=bin/cover.out -o bin/cover.html
	@go tool cover -func=bin/cover.out | tail -n 1

bench: ## run all benchmarks once (BENCH=regexp selects)
	go test -run '^$$' -bench '$(or $(BENCH),.)' -benchmem $(PKG)

walls: ## check who imports whom and the shape of the code
	go test .

lint: ## run the linters pinned in tools/go.mod
	@tools/lint.sh

fmt: ## format the code
	@go -C tools build -o ../bin/tools/ tool
	bin/tools/gofumpt -w .

fuzz: ## run every fuzz target for FUZZTIME (default 10s), FUZZJOBS at a time
	@FUZZTIME=$(FUZZTIME) tools/fuzz.sh

fuzz-long: ## run every fuzz target for ten minutes, FUZZJOBS at a time
	@FUZZTIME=10m tools/fuzz.sh

check: lint walls race ## what must be clean before a commit: linters, walls, race tests, short fuzz
	@FUZZTIME=2s tools/fuzz.sh

ci: ## everything that runs in CI
	@.ci/run

reproducible: ## build twice in different folders and compare
	@tools/reproducible.sh

demo: build ## build, then replay a small capture (DEMO=file)
	bin/telltale replay $(DEMO)

geodata: ## rebuild the embedded country and AS tables from their sources (needs npm)
	@tools/geodata.sh

packs: ## rebuild what is made from feeds/packs: the compiled form, docs/vendors.md, golden files
	go generate ./feeds

ledger: ## 100,000 alerts through all kinds of trouble: none may be lost (root fills a disk too)
	go test ./cmd/telltale -run '^TestLedger$$' -v -count=1 -timeout 60m -ledger-alerts=100000 -ledger-kills=20 -ledger-linger=8s

power-cut: ## cut the power of a file system 20 times: nothing acknowledged may be lost (needs root)
	go test ./inventory -run '^TestPowerCut$$' -v -count=1 -timeout 30m -power-cuts=20

install: build ## install the binary under PREFIX
	install -d '$(DESTDIR)$(PREFIX)/bin'
	install -m 0755 bin/telltale '$(DESTDIR)$(PREFIX)/bin/telltale'

clean: ## remove what was built
	rm -rf bin dist
