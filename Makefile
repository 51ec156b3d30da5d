# Everything that can be done with this checkout. `make help` lists it.
.DEFAULT_GOAL := help
DRIVER ?= auto
bin := node_modules/.bin
node := $(bin)/node
checks := unit-1 unit-2 format lint types dead hops shell agent
.PHONY: help deps setup lab demo verify generator test test-whole test-fresh container test-container test-arm64 bench clean $(checks:%=verify-%)

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## the workspace's packages, with Node 24 and pnpm where they are missing (nothing global)
	@sh scripts/bootstrap.sh

setup: deps ## system packages, the Pulumi toolchain and the lab hosts' image
	$(bin)/lab setup all

lab: deps ## the main job on a sandbox, then on a VM: up, the network built in it, graded, undone, and all of it gone
	$(node) --import ./cli/loader.mjs tests/demo.ts --driver auto

demo: deps ## the same on one driver: make demo DRIVER=vm|sandbox
	$(node) --import ./cli/loader.mjs tests/demo.ts --driver $(DRIVER)

verify: deps ## format, lint, types, unit tests, unused code, how many files a reader meets, shell scripts, the agent: no lab host
	@$(node) --run verify:packages
	@$(MAKE) --no-print-directory --keep-going --output-sync=target -j 4 $(checks:%=verify-%)

# What each check runs is in package.json. The unit tests run in two processes, each with half of the files.
$(filter-out verify-unit-%,$(checks:%=verify-%)): verify-%:
	@$(node) --run verify:$*

verify-unit-1 verify-unit-2: verify-unit-%:
	@SHARD=$*/2 $(node) --run verify:unit

# Tests that compare the whole machine before and after, or fill it, run alone. The others run two at a time: those of
# sandboxes mostly wait, and an emulated VM keeps little more than one core busy.
test: verify generator setup ## everything: verify, then the tests that need lab hosts, real VMs last
	$(node) --import ./cli/loader.mjs --test --test-concurrency=2 --test-reporter=spec \
	  "tests/toolchain/**/*.test.ts" "tests/report/consumers.test.ts" "tests/report/site.test.ts" "tests/sandbox/**/*.test.ts"
	$(node) --import ./cli/loader.mjs --test --test-concurrency=1 --test-reporter=spec \
	  "tests/fresh/**/*.test.ts" "tests/alone/**/*.test.ts" "tests/fleet/**/*.test.ts"
	$(node) --import ./cli/loader.mjs --test --test-concurrency=2 --test-reporter=spec "tests/vm/**/*.test.ts"

generator: deps
	@$(node) --import ./cli/loader.mjs scripts/sdk.ts prepare

test-whole: export HANDWIRED_VM_GUIDES = 99
test-whole: export HANDWIRED_VM_PLACES = 10
test-whole: export HANDWIRED_VM_SAMPLE = 40
test-whole: export HANDWIRED_BREAKAGES = 999
test-whole: export HANDWIRED_FUZZ_TIMES = 50
test-whole: test ## the same with all that `make test` only draws a sample of

container: deps ## the course as a container image, made here without a registry: handwired-container.tar
	$(node) --import ./cli/loader.mjs scripts/container.ts handwired-container.tar

test-container: setup ## that image, loaded and run by a Docker daemon of its own
	$(node) --import ./cli/loader.mjs --test --test-reporter=spec "tests/container/*.test.ts"

test-arm64: setup ## the image for ARM64, built and booted on an amd64 machine that emulates all of it
	$(node) --import ./cli/loader.mjs scripts/packages.ts arm
	HANDWIRED_ARCHITECTURE=arm64 sh tests/arm64.sh $(node) --import ./cli/loader.mjs --test --test-reporter=spec tests/vm/image.test.ts

test-fresh: deps ## README typed on machines that have nothing of ours: each release and driver, with a whole disk compared
	$(node) --import ./cli/loader.mjs scripts/packages.ts build
	HANDWIRED_FRESH=all $(node) --import ./cli/loader.mjs --test --test-concurrency=1 --test-reporter=spec "tests/fresh/**/*.test.ts"

bench: setup ## how fast it is, against bare qemu and testinfra; writes docs/performance.md
	$(node) --import ./cli/loader.mjs tests/bench.ts

clean: ## every lab, the cache (toolchain, images) and node_modules gone; says which system packages remain
	@sh scripts/clean.sh
