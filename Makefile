.PHONY: help demo test lab lab-down clean lint
help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12
demo: ## a first deploy on three hosts on this machine
	@lab/demo
test: ## every test, those on the three hosts included
	@lab/test
lab: ## bring the three hosts up
	@lab/up
lab-down: ## remove them
	@lab/down
clean: ## remove them, their images and what cargo built
	@lab/clean
	cargo clean
lint: ## what a change must pass besides the tests
	@lab/lint
