.PHONY: help check test test-matrix faults balancers demo lab lab-down podman lint docs deny coverage mutants fuzz setup clean
help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12
check: ## the tests that need no hosts (with cargo-nextest if it is installed)
	@lab/check
test: ## the tests, those on the hosts included; ONLY=NAME: the scenarios with NAME in their name; ALL=1; LABS=N
	@lab/test
test-matrix: ## every scenario on every kind of host: Docker 20.10 to 28, both image stores; KINDS=LIST, ONLY=NAME
	@lab/test-matrix
faults: ## what fails in the middle of a deploy, tried on hosts: kills, the network, Docker, Consul; ONLY=NAME
	@lab/faults
balancers: ## every balancer of docs/balancers.md on hosts, the whole way; ONLY=NAME
	@lab/balancers
podman: ## a deploy to two hosts whose docker is podman's
	@lab/podman/try
demo: ## a first deploy on three hosts on this machine
	@lab/demo
lab: ## bring the three hosts up
	@lab/up
lab-down: ## remove them, and the hosts of further labs
	@lab/down-all
lint: ## what a change must pass besides the tests
	@lab/lint
docs: ## the README, docs/ and the API documentation
	@lab/docs
deny: ## advisories, licences and sources of the crates (cargo-deny)
	@lab/deny
coverage: ## which lines the tests without hosts run
	@lab/coverage
mutants: ## changes to plan, rollout, command and openssh that no test notices; FILE=GLOB for others
	@lab/mutants
fuzz: ## the readers of what others write, on inputs by chance; TIME=SECONDS each, TARGET=NAME
	@lab/fuzz
setup: ## make a fresh Debian a machine to develop on (as root)
	@lab/setup
clean: ## remove the hosts, their images and what cargo built
	@lab/clean
	cargo clean
