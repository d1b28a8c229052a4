# The commands of a fresh machine. PYTHON names the interpreter that .venv is made with.
PYTHON ?= python3
BIN := .venv/bin
TRIALS ?= 50

.PHONY: install search test test-long browser check lint ui clean

install: .venv/.installed

# uv installs in a tenth of pip's time; it does not read pip's own configuration, so a local folder of wheels that pip was given is handed on.
# It compiles nothing on its own: where Python may not write bytecode beside its modules, each of the many processes of a study and of the tests
# would compile MLflow and torch again (12 s of CPU time instead of 5 for MLflow's server, one run on two cores).
# It brings its own certificates: behind a proxy whose certificate only the system knows the first try fails, and the second asks the system.
.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv
	wheels=$$($(BIN)/python -m pip config get global.find-links 2>/dev/null || true); \
	install="$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python $${wheels:+--find-links $$wheels} -c constraints.txt -e .[dev]"; \
	$$install || { echo "once more with the system's certificates"; UV_SYSTEM_CERTS=1 $$install; }
	touch $@

search: install
	$(BIN)/python -m search.run --trials $(TRIALS)

# One thread a process: two processes of two threads each spend most of their time waiting for each other.
test: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

# Whole studies that are killed, starved or cut off, and most planted faults; some minutes more.
test-long: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist load -m long

# Debian's Chromium, which the tests in tests/browser open the pages with; without it they are skipped.
browser: install
	@if command -v chromium > /dev/null; then echo "Chromium is there: $$(command -v chromium)"; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium > /dev/null; \
	else echo "a browser needs root and Debian's apt-get; install chromium yourself, or name one: CHROMIUM=/path/to/chromium" >&2; exit 1; fi

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint test test-long

ui: install
	$(BIN)/python -m tracking.ui

clean:
	rm -rf .venv build *.egg-info
