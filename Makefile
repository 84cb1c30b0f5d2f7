# What people type. Needs Python 3.11 or newer, make and git; everything else is fetched.
#   make up [STACK=main]   make down   make reset   make info   make code USER=aozora.es.teacher1   make test
PYTHON ?= python3
STACK ?= main
PORT ?=
ONLY ?=
SERVICE ?=
DO ?=
PY := .venv/bin/python
KOMU := $(PY) -m komustack
export PYTHONUTF8 := 1

.DEFAULT_GOAL := help
.PHONY: help up down reset restart info status logs code second-factor run prepare venv lock proto check unit test e2e bench

help:
	@sed -n '2p' Makefile | sed 's/^# *//'
	@echo "  make up      起動する / start (STACK=second, PORT=8400)"
	@echo "  make down    止める / stop"
	@echo "  make reset   データを消す / forget the data"
	@echo "  make info    全アドレス・利用者(JSON)/ every address and account"
	@echo "  make status  動いているもの / what runs"
	@echo "  make logs    記録を見る / follow the logs (SERVICE=roster)"
	@echo "  make restart サービスの再起動 / restart services (SERVICE=roster)"
	@echo "  make run     サービスの命令 / a service's command (SERVICE=roster DO='dead-letters list')"
	@echo "  make code    ワンタイムコード / one-time code (USER=aozora.es.teacher1)"
	@echo "  make second-factor 二つ目の要素の発行 / issue a second factor (USER=aozora.es.teacher9)"
	@echo "  make test    すべての検査 / every check and test"
	@echo "  make lock    依存の固定 / lock the requirements      make proto  生成コード / generated code"

venv:
	@command -v $(PYTHON) >/dev/null || { echo "✗ $(PYTHON) がありません。Python 3.11 以上を入れてください。/ $(PYTHON) is missing: install Python 3.11 or newer." >&2; exit 1; }
	@$(PYTHON) infra/komustack/bootstrap.py

up: venv
	@$(KOMU) up --stack $(STACK) $(if $(PORT),--port $(PORT)) $(if $(ONLY),--only $(ONLY))

down reset: venv
	@$(KOMU) $@ --stack $(STACK)

info status: venv
	@$(KOMU) $@ --stack $(STACK)

second-factor: venv
	@$(KOMU) second-factor --stack $(STACK) --user "$(USER)"

logs restart: venv
	@$(KOMU) $@ --stack $(STACK) $(if $(SERVICE),--service $(SERVICE))

run: venv
	@$(KOMU) run --stack $(STACK) --service "$(SERVICE)" --do "$(DO)"

code: venv
	@$(KOMU) code --stack $(STACK) --user "$(USER)"

UV_COMPILE = .venv/bin/uv pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version 3.11

lock: venv
	$(UV_COMPILE) requirements.in -o requirements.lock
	$(UV_COMPILE) requirements-dev.in -o requirements-dev.lock

proto: venv
	$(PY) -m komustack.proto

check: venv
	$(PY) -m komustack.check

unit: venv
	$(PY) -m pytest $(wildcard libs/*/tests/unit services/*/tests/unit) infra

test: venv
	$(PY) -m komustack.check
	@$(KOMU) prepare
	$(PY) -m komustack.suite

e2e: venv
	@$(KOMU) prepare
	$(PY) -m komustack.suite tests/stack tests/e2e

bench: venv
	@$(KOMU) prepare
	@for file in tests/bench/bench_*.py; do echo "$$ python -m tests.bench.$$(basename $$file .py)"; \
	  $(PY) -m tests.bench.$$(basename $$file .py) || failed=1; done; test -z "$$failed"
